"""One process that writes to a history store and is killed at its N-th call of the system.

Calls are counted where Python makes them (`sys.setprofile`), so none is left out, and none is our word for it: files
opened, written, synced, renamed, removed, each before and after.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tests.faults.sweeping import SERVER
from tests.unit.data.stored import AT, make, some_bars
from trading_bot.data.store.appending import append_bars
from trading_bot.domain.ports import RawBars

DAYS = ("2022-02-28", "2022-03-01", "2022-03-02")
NEXT = "2022-03-03"
TRACE = "trace"

# what is done to a store of DAYS: name → what, and the bars that it has afterwards
Deed = Callable[[Path], object]
DEEDS: dict[str, tuple[Deed, RawBars]] = {
    "a day is appended": (lambda folder: append_bars(folder, some_bars([NEXT]), at=AT), some_bars([*DAYS, NEXT])),
    "a symbol is new": (
        lambda folder: append_bars(folder, some_bars([*DAYS, NEXT], ("AAA", "BBB", "NEW")), at=AT),
        some_bars([*DAYS, NEXT], ("AAA", "BBB", "NEW")),
    ),
    "a day is corrected": (
        lambda folder: append_bars(folder, some_bars(DAYS[1:2], seed=2), at=AT, corrections=True),
        some_bars(DAYS),
    ),
    "the store is replaced": (
        lambda folder: make(folder, some_bars([NEXT]), replacing=True),
        some_bars([NEXT]),
    ),
}


@dataclass
class Calls:
    """Counts the calls of the system that concern files, and kills the process at one of them."""

    strike_at: int
    trace: Path
    seen: list[str] = field(default_factory=list)

    def __call__(self, _frame: FrameType, event: str, what: Any) -> None:
        if event not in ("c_call", "c_return") or not concerns_files(what):
            return
        self.seen.append(f"{event[2:]} {what.__name__}")
        if len(self.seen) == self.strike_at:
            os.kill(os.getpid(), signal.SIGKILL)


def concerns_files(what: Any) -> bool:
    if what.__name__ in ("open", "write", "flush", "fsync", "replace", "rename", "unlink", "mkdir", "close"):
        return getattr(what, "__module__", "") in ("posix", "_io", "io") or isinstance(
            getattr(what, "__self__", None), io.IOBase
        )
    return False


def do(folder: Path, deed: str, strike_at: int) -> None:
    """Do it, and write down the calls when nothing struck; this is the whole life of a forked process."""
    calls = Calls(strike_at, folder.with_name(f"{folder.name}-{TRACE}"))
    sys.setprofile(calls)
    DEEDS[deed][0](folder)
    sys.setprofile(None)
    calls.trace.write_text("\n".join(calls.seen))


def grow(folder: Path, days: Sequence[str]) -> None:
    """Append day after day, with a new symbol now and then."""
    symbols = ["AAA", "BBB"]
    for number, day in enumerate(days):
        if number % 4 == 3:
            symbols.append(f"N{number:02d}")
        append_bars(folder, some_bars([day], symbols), at=AT)
        time.sleep(0.01)  # so that there is a reader in between


def in_a_process(what: Callable[..., None], *args: Any) -> Any:
    """Start `what` in a fork of the server of the sweeps."""
    SERVER.set_forkserver_preload(["tests.faults.sweep_server"])
    process = SERVER.Process(target=what, args=args)
    process.start()
    return process
