"""What the operating system knows of our processes: who lives, who runs which flow run, how much memory. Linux only."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "SOAK_FOLDER"  # a variable that every process of one soak inherits, orphans too
RUN_ID = "PREFECT__FLOW_RUN_ID"
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class RunProcess:
    """A process that executes a flow run."""

    pid: int
    run_id: str


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(folder: Path) -> dict[int, dict[str, str]]:
    """Return every living process of the soak in `folder`, with its environment."""
    found: dict[int, dict[str, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and is_alive(int(entry.name)):
            environment = _environment(entry)
            if environment.get(MARK) == str(folder):
                found[int(entry.name)] = environment
    return found


def runs_of(folder: Path) -> list[RunProcess]:
    """Return the processes that execute flow runs now, orphans too."""
    return [RunProcess(pid, env[RUN_ID]) for pid, env in processes_of(folder).items() if RUN_ID in env]


def memory(pid: int) -> int:
    """Return the resident bytes of a process, 0 when it has ended."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0


def is_alive(pid: int) -> bool:
    """Say whether the process runs; a dead one that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def send(pid: int, number: signal.Signals) -> bool:
    """Send a signal; False when the process has ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def within(seconds: float, true: Callable[[], bool], *, pause: Callable[[float], None] = time.sleep) -> bool:
    """Wait until something is true; False when it is not after so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        pause(0.05)
    return True


def _environment(process: Path) -> dict[str, str]:
    try:
        raw = (process / "environ").read_bytes().decode(errors="replace")
    except OSError:  # ended meanwhile, or another user's
        return {}
    return dict(line.split("=", 1) for line in raw.split("\0") if "=" in line)
