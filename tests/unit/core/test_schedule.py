"""Clock times are of New York; instants are UTC, four hours later in summer and five in winter."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from trading_bot.core.hours import TradingHours
from trading_bot.core.schedule import (
    DayTimes,
    day_is_over,
    end_of_day_times,
    rotation_due,
    tick_times,
)
from trading_bot.domain.errors import SettingsError

REGULAR = TradingHours()
WITH_AFTER_HOURS = TradingHours(windows=("regular", "after-hours"))
WEDNESDAY, FRIDAY = date(2022, 3, 16), date(2022, 3, 18)
HALF_DAY = date(2022, 11, 25)
EVERY_MINUTE = tuple(range(60))
EVERY_QUARTER = (0, 15, 30, 45)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def count(times: tuple[DayTimes, ...]) -> int:
    return sum(len(group.hours) * len(group.minutes) * len(group.seconds) for group in times)


# ── ticks ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_minute_of_the_regular_window_is_three_groups():
    assert tick_times(60, ["regular"]) == (
        DayTimes((9,), tuple(range(31, 60))),
        DayTimes((10, 11, 12, 13, 14, 15), EVERY_MINUTE),
        DayTimes((16,), (0,)),
    )


def test_a_quarter_of_a_minute_names_its_seconds():
    assert tick_times(15, ["regular"]) == (
        DayTimes((9,), (30,), (15, 30, 45)),
        DayTimes((9,), tuple(range(31, 60)), EVERY_QUARTER),
        DayTimes((10, 11, 12, 13, 14, 15), EVERY_MINUTE, EVERY_QUARTER),
        DayTimes((16,), (0,)),
    )


def test_half_hours_are_counted_from_midnight():
    assert tick_times(1800, ["09:45-15:30"]) == (DayTimes((10, 11, 12, 13, 14, 15), (0, 30)),)


@pytest.mark.parametrize(
    ("interval", "windows", "ticks"),
    [
        (60, ["regular"], 390),
        (60, ["pre-market"], 330),
        (60, ["after-hours"], 240),
        (60, ["pre-market", "regular", "after-hours"], 960),  # adjacent windows
        (60, ["regular", "15:00-17:00"], 450),  # overlapping ones
        (60, ["regular", "regular"], 390),
        (60, ["12:00-12:30", "14:00-14:30"], 60),
        (1, ["regular"], 23_400),
        (30, ["regular"], 780),
        (300, ["regular"], 78),
        (420, ["regular"], 56),  # 9:34, 9:41, … 15:59: seven minutes do not divide an hour
        (3600, ["regular"], 7),  # 10:00 to 16:00
    ],
)
def test_each_tick_is_there_once(interval: int, windows: list[str], ticks: int):
    assert count(tick_times(interval, windows)) == ticks


@pytest.mark.parametrize("interval", [7, 45, 61, 90, 150])
def test_an_interval_that_no_clock_can_show_is_refused(interval: int):
    with pytest.raises(SettingsError, match=rf"is {interval}, which no schedule can keep. Write whole minutes"):
        tick_times(interval, ["regular"])


def test_an_interval_that_misses_every_window_is_refused():
    with pytest.raises(SettingsError, match=r"no tick lies in hours\.windows\. Write a shorter interval"):
        tick_times(24 * 60 * 60, ["regular"])


# ── rotation ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("at", "last", "due"),
    [
        ("2022-03-16 20:29:59", date(2022, 3, 15), None),
        ("2022-03-16 20:30", date(2022, 3, 15), WEDNESDAY),  # 16:30 in New York, summer time
        ("2022-03-16 20:31", WEDNESDAY, None),  # done
        ("2022-03-17 08:00", date(2022, 3, 15), WEDNESDAY),  # late, before the next session
        ("2022-03-21 13:00", date(2022, 3, 9), FRIDAY),  # days later: the newest one only
        ("2022-03-20 12:00", FRIDAY, None),  # a Sunday
        ("2001-09-15 15:00", date(2001, 9, 7), date(2001, 9, 10)),  # the exchange was closed until the 17th
        ("2022-11-25 21:29", date(2022, 11, 23), None),
        ("2022-11-25 21:30", date(2022, 11, 23), HALF_DAY),  # half day and winter time: 16:30 as on any day
        ("2022-11-24 21:30", date(2022, 11, 23), None),  # Thanksgiving
        ("2022-03-16 20:30", None, WEDNESDAY),  # the first one ever
        ("2022-03-16 15:00", None, None),  # yesterday was before our time
    ],
)
def test_the_rotation_is_due_once_a_session_from_its_time_on(at: str, last: date | None, due: date | None):
    assert rotation_due(REGULAR, utc(at), "16:30", last) == due


def test_the_rotation_may_be_set_to_another_time():
    assert rotation_due(REGULAR, utc("2022-03-16 14:00"), "10:00", date(2022, 3, 15)) == WEDNESDAY


# ── the end of the day ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hours", "day", "at", "over"),
    [
        (REGULAR, WEDNESDAY, "2022-03-16 20:00", False),  # the last tick is trading
        (REGULAR, WEDNESDAY, "2022-03-16 20:00:01", True),
        (REGULAR, HALF_DAY, "2022-11-25 18:00", False),
        (REGULAR, HALF_DAY, "2022-11-25 18:01", True),  # 13:01 in New York
        (WITH_AFTER_HOURS, WEDNESDAY, "2022-03-16 23:59", False),
        (WITH_AFTER_HOURS, WEDNESDAY, "2022-03-17 00:01", True),  # 20:01 in New York
        (WITH_AFTER_HOURS, HALF_DAY, "2022-11-25 22:00", False),
        (WITH_AFTER_HOURS, HALF_DAY, "2022-11-25 22:01", True),  # 17:01
        (TradingHours(("09:45-15:30",)), WEDNESDAY, "2022-03-16 19:31", False),  # the close still comes
        (TradingHours(("09:45-23:30",)), WEDNESDAY, "2022-03-17 00:01", True),  # at 20:00 the last exchange closes
    ],
)
def test_a_day_is_over_after_the_close_and_our_last_tick(hours: TradingHours, day: date, at: str, over: bool):
    assert day_is_over(hours, day, utc(at)) is over


@pytest.mark.parametrize(
    ("windows", "hours"),
    [
        (["regular"], (13, 16)),
        (["09:45-15:30"], (13, 16)),
        (["regular", "after-hours"], (17, 20)),
        (["pre-market", "15:30-18:30"], (17, 19)),
        (["15:30-16:45"], (17,)),
        (["00:00-23:59"], (17, 20)),
    ],
)
def test_the_end_of_the_day_is_asked_for_after_the_last_tick_of_full_and_half_days(
    windows: list[str], hours: tuple[int, ...]
):
    assert end_of_day_times(windows) == DayTimes(hours, (5,))
