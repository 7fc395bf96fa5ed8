"""A whole day in the life of a bot on live prices: its clock stops at every minute from 4:00 to 20:00 in New York."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.core.trading import Desk, WallClock, open_desk
from trading_bot.core.cycle import run_cycle
from trading_bot.core.end_of_day import mark_reported, session_due
from trading_bot.core.rotation.steps import rotate_now
from trading_bot.core.rotation.steps import session_due as rotation_due
from trading_bot.core.schedule import tick_times
from trading_bot.domain.cycle import SkipReason
from trading_bot.domain.errors import CycleSkipped
from trading_bot.state.audit import check_ledger

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)
SMALL = {
    "data": {"symbols": ["AAPL", "MSFT"]},
    "strategy": {"team": ["sma_cross"]},
    "orchestrator": {"enable_strategy_rotation": True},
    "rotation": {"windows": [60], "candidates": ["momentum"]},
}


@dataclass
class Day:
    """What happened, and at which minute in New York."""

    traded: list[time] = field(default_factory=list)
    skipped: list[tuple[time, str]] = field(default_factory=list)
    rotations: list[tuple[date, time]] = field(default_factory=list)
    ends: list[tuple[date, time]] = field(default_factory=list)


def minutes_of(day: date) -> Iterator[datetime]:
    at, evening = (datetime.combine(day, time(hour), tzinfo=NEW_YORK) for hour in (4, 20))
    while at <= evening:
        yield at
        at += MINUTE


def live_through(desk: Desk, day: date) -> Day:
    """Walk the minutes as a schedule would: a cycle at each tick, and the two questions after it."""
    bot, lived = desk.live(), Day()
    ticks = {
        (hour, minute) for group in tick_times(60, ["regular"]) for hour in group.hours for minute in group.minutes
    }
    for at in minutes_of(day):
        desk.clock.instant = at.astimezone(desk.clock.instant.tzinfo)
        now = at.time()
        if (now.hour, now.minute) in ticks:
            try:
                run_cycle(bot, run_id=f"tick {now}", scheduled=desk.clock.instant)
                lived.traded.append(now)
            except CycleSkipped as skipped:
                lived.skipped.append((now, skipped.code))
        if isinstance(due := rotation_due(bot), date):
            lived.rotations.append((due, now))
            rotate_now(bot, due, run_id=f"rotation of {due}")
        if isinstance(due := session_due(bot), date):
            lived.ends.append((due, now))
            mark_reported(bot, due, run_id=f"end of {due}")
    return lived


@pytest.mark.endurance
def test_a_full_day_has_390_cycles_one_rotation_and_one_end(folder: Path):
    wednesday = date(2022, 3, 16)
    with open_desk(folder, WallClock(), **SMALL) as desk:
        day = live_through(desk, wednesday)

        assert desk.rows("SELECT status, count(*) FROM cycles GROUP BY status") == [("completed", 390)]
        assert desk.rows("SELECT min(cycle_id), max(cycle_id) FROM cycles") == [
            ("20220316T133100Z", "20220316T200000Z")
        ]
        assert desk.rows("SELECT session FROM rotations") == [("2022-03-16",)]
        assert check_ledger(desk.bot.book.engine) == ()
    assert (len(day.traded), day.skipped) == (390, [])
    assert day.rotations == [(wednesday, time(16, 30))]
    assert day.ends == [(wednesday, time(16, 1))]


@pytest.mark.endurance
def test_a_half_day_has_210_cycles_one_rotation_and_one_end(folder: Path):
    friday = date(2022, 11, 25)
    with open_desk(folder, WallClock(), **SMALL) as desk:
        day = live_through(desk, friday)

        counts = "SELECT status, count(*) FROM cycles GROUP BY status ORDER BY status"
        assert desk.rows(counts) == [("completed", 210), ("skipped", 180)]
        assert check_ledger(desk.bot.book.engine) == ()
    assert (day.traded[0], day.traded[-1], len(day.traded)) == (time(9, 31), time(13, 0), 210)
    assert (day.skipped[0][0], day.skipped[-1][0], len(day.skipped)) == (time(13, 1), time(16, 0), 180)
    assert {code for _, code in day.skipped} == {SkipReason.MARKET_CLOSED}
    assert day.rotations == [(friday, time(16, 30))]
    assert day.ends == [(friday, time(13, 1))]
