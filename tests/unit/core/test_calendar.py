"""Thirteen years of trading days against exchange_calendars, asked directly."""

from __future__ import annotations

import functools
import warnings
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import exchange_calendars
import pandas as pd
import pytest

from trading_bot.core.hours import TradingHours
from trading_bot.core.schedule import DayTimes, tick_times

FIRST, LAST = date(2015, 1, 1), date(2027, 12, 31)
NEW_YORK = ZoneInfo("America/New_York")
REGULAR = TradingHours()
EVERY_DAY = tuple(FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))


@functools.cache
def schedule() -> pd.DataFrame:
    """Open and close of each session, in UTC, by its date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library uses what pandas will drop in version 4
        calendar = exchange_calendars.get_calendar("XNYS", start=str(FIRST), end="2028-01-31")
    table = calendar.schedule.loc[str(FIRST) : str(LAST), ["open", "close"]]
    return table.set_index(pd.DatetimeIndex(table.index).date)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock_times(groups: tuple[DayTimes, ...]) -> list[time]:
    """Write the ticks of a day out."""
    return [
        time(hour, minute, second)
        for group in groups
        for hour in group.hours
        for minute in group.minutes
        for second in group.seconds
    ]


@pytest.mark.parametrize(
    ("year", "sessions"),
    [
        (2015, 252),
        (2016, 252),
        (2017, 251),
        (2018, 251),  # one day of mourning
        (2019, 252),
        (2020, 253),
        (2021, 252),
        (2022, 251),
        (2023, 250),
        (2024, 252),
        (2025, 250),  # one day of mourning
        (2026, 251),
        (2027, 251),
    ],
)
def test_a_year_has_its_sessions(year: int, sessions: int):
    assert len(REGULAR.sessions_between(date(year, 1, 1), date(year, 12, 31))) == sessions


def test_sessions_and_days_off_are_those_of_the_exchange():
    ours = {day for day in EVERY_DAY if REGULAR.is_session(day)}

    assert ours == set(schedule().index)
    assert ours == {day.item() for day in REGULAR.sessions_between(FIRST, LAST)}


def test_every_session_opens_and_closes_with_the_exchange():
    theirs = schedule()

    ours = [(REGULAR.open_of(day), REGULAR.close_of(day)) for day in theirs.index]

    opens, closes = theirs["open"].dt.to_pydatetime(), theirs["close"].dt.to_pydatetime()
    assert ours == list(zip(opens, closes, strict=True))


def test_half_days_are_those_that_last_three_and_a_half_hours():
    theirs = schedule()
    short = theirs.index[theirs["close"] - theirs["open"] == pd.Timedelta(hours=3, minutes=30)]
    full = theirs.index[theirs["close"] - theirs["open"] == pd.Timedelta(hours=6, minutes=30)]

    assert [day for day in theirs.index if REGULAR.is_half_day(day)] == list(short)
    assert len(short) + len(full) == len(theirs)
    assert {date(2026, 11, 27), date(2026, 12, 24)} <= set(short)


def test_each_minute_of_every_session_has_its_tick_and_no_other_minute_has():
    times, theirs = clock_times(tick_times(60, ["regular"])), schedule()
    traded: dict[date, int] = {}

    for day in EVERY_DAY:
        windows = REGULAR.windows_of(day)
        ticks = [datetime.combine(day, at, tzinfo=NEW_YORK) for at in times] if day.weekday() < 5 else []
        traded[day] = sum(window.holds(tick) for tick in ticks for window in windows)

    minutes = dict(zip(theirs.index, (theirs["close"] - theirs["open"]).dt.total_seconds() // 60, strict=True))
    assert traded == {day: minutes.get(day, 0) for day in EVERY_DAY}


@pytest.mark.parametrize(
    "day", [date(2018, 12, 5), date(2025, 1, 9)], ids=["mourning for G. H. W. Bush", "mourning for Carter"]
)
def test_a_day_of_mourning_has_no_session(day: date):
    assert not REGULAR.is_session(day)
    assert REGULAR.is_session(day - timedelta(days=1))
    assert REGULAR.is_session(day + timedelta(days=1))


@pytest.mark.parametrize(
    ("sunday", "friday", "monday"),
    [
        (date(2026, 3, 8), ("2026-03-06 14:30", "2026-03-06 21:00"), ("2026-03-09 13:30", "2026-03-09 20:00")),
        (date(2026, 11, 1), ("2026-10-30 13:30", "2026-10-30 20:00"), ("2026-11-02 14:30", "2026-11-02 21:00")),
    ],
    ids=["clocks go forward", "clocks go back"],
)
def test_sessions_move_by_an_hour_of_utc_when_the_clocks_change(
    sunday: date, friday: tuple[str, str], monday: tuple[str, str]
):
    before, after = sunday - timedelta(days=2), sunday + timedelta(days=1)

    assert not REGULAR.is_session(sunday)
    assert (REGULAR.open_of(before), REGULAR.close_of(before)) == (utc(friday[0]), utc(friday[1]))
    assert (REGULAR.open_of(after), REGULAR.close_of(after)) == (utc(monday[0]), utc(monday[1]))


@pytest.mark.parametrize(
    ("day", "first", "last", "count"),
    [
        (date(2026, 3, 9), "2026-03-09 13:31", "2026-03-09 20:00", 390),
        (date(2026, 11, 2), "2026-11-02 14:31", "2026-11-02 21:00", 390),
        (date(2026, 11, 27), "2026-11-27 14:31", "2026-11-27 18:00", 210),
        (date(2026, 12, 24), "2026-12-24 14:31", "2026-12-24 18:00", 210),
    ],
    ids=["summer time", "winter time", "day after Thanksgiving", "Christmas Eve"],
)
def test_the_ticks_of_a_day_are_the_minutes_after_the_open_up_to_the_close(
    day: date, first: str, last: str, count: int
):
    scheduled = [datetime.combine(day, at, tzinfo=NEW_YORK) for at in clock_times(tick_times(60, ["regular"]))]

    traded = [tick for tick in scheduled if REGULAR.is_trading_time(tick)]

    assert (traded[0], traded[-1], len(traded)) == (utc(first), utc(last), count)
