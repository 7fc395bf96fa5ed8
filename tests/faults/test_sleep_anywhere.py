"""The other sweep: a process sleeps through its lease at the first call, the second, the third … while others trade.

When it wakes up, its lease is old. Whatever it does then changes nothing: the books are those of an undisturbed run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.faults.sweeping import Outcome, last_traded, outcome_of, read
from tests.faults.test_kill_anywhere import violations
from tests.unit.core.trading import Desk, WallClock, open_desk
from trading_bot.core.cycle import run_cycle
from trading_bot.domain.errors import BensBotError, CycleSkipped

BEFORE = date(2022, 1, 13)
ASLEEP_ON = date(2022, 1, 14)  # an exit and an entry are sent; on the 18th both fill, and another exit is sent
LAST = date(2022, 1, 19)
SETTINGS = {"orchestrator": {"recovery_backoff_seconds": 0}}
NAP = 400  # seconds, longer than the lease


@dataclass
class Boundary:
    """Counts what a process asks of broker and databases, and falls asleep once."""

    sleep_at: int
    nap: Callable[[], None]
    seen: list[str] = field(default_factory=list)

    def __call__(self, place: str) -> None:
        self.seen.append(place)
        if len(self.seen) == self.sleep_at:
            self.nap()


@dataclass
class Drowsy:
    """The paper broker with a boundary before and after each call."""

    real: Any
    boundary: Boundary

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.real, name)  # what the broker does not offer, this one does not offer either
        if not callable(asked):
            return asked

        def call(*args: Any, **named: Any) -> Any:
            self.boundary(f"before broker.{name}")
            answer = asked(*args, **named)
            self.boundary(f"after broker.{name}")
            return answer

        return call


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books that were traded up to the eve of the sweep."""
    folder = tmp_path_factory.mktemp("sleep") / "start"
    trade_until(folder, BEFORE)
    return folder


@pytest.fixture(scope="module")
def undisturbed(start: Path) -> Outcome:
    folder = start.parent / "undisturbed"
    shutil.copytree(start, folder)
    trade_until(folder, LAST)
    return outcome_of(folder)


def trade_until(folder: Path, day: date, clock: WallClock | None = None) -> None:
    with open_desk(folder, clock, **SETTINGS) as desk:
        while last_traded(folder) != day.isoformat():
            run_cycle(desk.bot, run_id=f"after {last_traded(folder)} at {desk.clock.now()}")


def sleep_through(folder: Path, number: int, *, until: date) -> Boundary:
    """Trade one session, and sleep at boundary `number` until others have traded the sessions up to `until`."""
    with open_desk(folder, None, **SETTINGS) as desk:

        def nap() -> None:
            desk.clock.sleep(NAP)
            trade_until(folder, until, desk.clock)

        boundary = Boundary(number, nap)
        watch(desk, boundary)
        sleeper = replace(desk.bot, broker=Drowsy(desk.bot.broker, boundary))  # pyright: ignore[reportArgumentType]
        with suppress(BensBotError):
            run_cycle(sleeper, run_id="sleeper")
    return boundary


def watch(desk: Desk, boundary: Boundary) -> None:
    """Put a boundary before every transaction of this desk, reading or writing."""
    event.listen(desk.bot.book.engine, "engine_connect", lambda _connection: boundary("before the book"))


def wrong(folder: Path, undisturbed: Outcome) -> list[str]:
    """Return what is not as it should be when all have traded up to LAST."""
    with suppress(CycleSkipped):
        trade_until(folder, LAST, WallClock())
    found = violations(folder)
    if (now := outcome_of(folder)) != undisturbed:
        found.append(f"otherwise than undisturbed: {now}")
    changes = read(folder / "bensbot.db", "SELECT new_state, cause FROM state_changes")
    held = read(folder / "bensbot.db", "SELECT owner FROM lease WHERE owner IS NOT NULL")
    return found + [f"state changed: {change}" for change in changes] + [f"lease held: {owner}" for owner in held]


def sweep(start: Path, room: Path, undisturbed: Outcome, *, until: date, step: int = 1) -> list[str]:
    number, places = 1, list[str]()
    while True:
        folder = room / str(number)
        shutil.copytree(start, folder)
        seen = sleep_through(folder, number, until=until).seen
        if len(seen) < number:
            return places
        places.append(seen[number - 1])
        assert wrong(folder, undisturbed) == [], f"asleep at {number}: {places[-1]}"
        shutil.rmtree(folder)
        number += step


@pytest.mark.endurance
@pytest.mark.parametrize("until", [ASLEEP_ON, date(2022, 1, 18)], ids=["the same day", "a day more"])
def test_a_process_that_slept_anywhere_changes_nothing(start: Path, undisturbed: Outcome, tmp_path: Path, until: date):
    places = sweep(start, tmp_path, undisturbed, until=until)

    assert {"before broker.submit", "after broker.submit", "before broker.get_portfolio", "before the book"} <= set(
        places
    )


def test_a_process_that_slept_here_and_there_changes_nothing(start: Path, undisturbed: Outcome, tmp_path: Path):
    assert len(sweep(start, tmp_path, undisturbed, until=date(2022, 1, 18), step=9)) > 4
