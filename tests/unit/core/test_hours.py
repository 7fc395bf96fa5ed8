"""Times are written out. Source: NYSE holidays and trading hours, https://www.nyse.com/markets/hours-calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from trading_bot.config.typed_settings import WindowSettings
from trading_bot.core.hours import TradingHours

REGULAR = TradingHours()
THANKSGIVING = date(2026, 11, 26)
DAY_AFTER = date(2026, 11, 27)
CHRISTMAS_EVE = date(2026, 12, 24)
MOURNING = date(2025, 1, 9)  # National Day of Mourning for President Carter: the exchange stayed closed


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2026, 3, 6), "2026-03-06 14:30", "2026-03-06 21:00"),  # Friday, winter time
        (date(2026, 3, 9), "2026-03-09 13:30", "2026-03-09 20:00"),  # Monday, summer time since Sunday
        (date(2026, 10, 30), "2026-10-30 13:30", "2026-10-30 20:00"),  # Friday, summer time
        (date(2026, 11, 2), "2026-11-02 14:30", "2026-11-02 21:00"),  # Monday, winter time since Sunday
        (DAY_AFTER, "2026-11-27 14:30", "2026-11-27 18:00"),  # half day
        (CHRISTMAS_EVE, "2026-12-24 14:30", "2026-12-24 18:00"),  # half day
    ],
)
def test_a_session_opens_and_closes_at_new_york_time(day: date, opens: str, closes: str):
    assert (REGULAR.open_of(day), REGULAR.close_of(day)) == (utc(opens), utc(closes))


@pytest.mark.parametrize(
    ("day", "half"), [(DAY_AFTER, True), (CHRISTMAS_EVE, True), (date(2026, 11, 25), False), (date(2026, 3, 9), False)]
)
def test_half_days_are_told_from_full_ones(day: date, half: bool):
    assert REGULAR.is_half_day(day) is half


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 1, 19),  # Martin Luther King Jr. Day
        date(2026, 2, 16),  # Washington's Birthday
        date(2026, 4, 3),  # Good Friday
        date(2026, 5, 25),  # Memorial Day
        date(2026, 6, 19),  # Juneteenth
        date(2026, 7, 3),  # Independence Day, observed
        date(2026, 9, 7),  # Labor Day
        THANKSGIVING,
        date(2026, 12, 25),
        date(2026, 11, 28),  # a Saturday
        date(2001, 9, 12),  # after the attacks
        date(2012, 10, 29),  # Hurricane Sandy
    ],
)
def test_a_day_off_is_no_session_and_has_no_window(day: date):
    assert not REGULAR.is_session(day)
    assert REGULAR.windows_of(day) == ()


def test_there_is_no_trading_on_a_holiday_though_the_clock_says_noon():
    assert not REGULAR.is_trading_time(utc("2026-11-26 17:00"))


def test_a_holiday_has_no_close():
    with pytest.raises(ValueError, match="2026-11-26"):
        REGULAR.close_of(THANKSGIVING)


def test_a_closure_from_the_settings_counts_like_a_holiday():
    hours = TradingHours(closed_dates=(date(2026, 11, 25),))

    assert not hours.is_session(date(2026, 11, 25))
    assert not hours.is_trading_time(utc("2026-11-25 17:00"))
    assert hours.is_trading_time(utc("2026-11-24 17:00"))


def test_the_day_of_mourning_in_2025_was_no_session_even_without_a_setting():
    assert not REGULAR.is_session(MOURNING)


@pytest.mark.parametrize(
    ("windows", "opens", "closes"),
    [
        # a full day in winter: New York is five hours behind UTC
        (("regular", date(2026, 11, 25)), "2026-11-25 14:30", "2026-11-25 21:00"),
        (("pre-market", date(2026, 11, 25)), "2026-11-25 09:00", "2026-11-25 14:30"),
        (("after-hours", date(2026, 11, 25)), "2026-11-25 21:00", "2026-11-26 01:00"),
        (("09:45-15:30", date(2026, 11, 25)), "2026-11-25 14:45", "2026-11-25 20:30"),
        # a half day: everything ends earlier
        (("regular", DAY_AFTER), "2026-11-27 14:30", "2026-11-27 18:00"),
        (("pre-market", DAY_AFTER), "2026-11-27 09:00", "2026-11-27 14:30"),
        (("after-hours", DAY_AFTER), "2026-11-27 18:00", "2026-11-27 22:00"),  # 17:00 in New York
        # summer: four hours
        (("pre-market", date(2026, 7, 1)), "2026-07-01 08:00", "2026-07-01 13:30"),
        (("after-hours", date(2026, 7, 1)), "2026-07-01 20:00", "2026-07-02 00:00"),
    ],
)
def test_a_window_begins_after_it_opens_and_ends_with_its_close(windows: tuple[str, date], opens: str, closes: str):
    name, day = windows
    hours, second = TradingHours(windows=(name,)), timedelta(seconds=1)

    (window,) = hours.windows_of(day)

    assert (window.opens, window.closes) == (utc(opens), utc(closes))
    instants = (window.opens, window.opens + second, window.closes, window.closes + second)
    assert [hours.is_trading_time(at) for at in instants] == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "opens", "closes"),
    [
        ("09:45-15:30", "2026-11-27 14:45", "2026-11-27 18:00"),  # it ends with the session
        ("09:30-16:00", "2026-11-27 14:30", "2026-11-27 18:00"),
        ("10:00-12:00", "2026-11-27 15:00", "2026-11-27 17:00"),  # it ends before
        ("15:30-18:00", "2026-11-27 20:30", "2026-11-27 22:00"),  # it reaches into the evening: 17:00
        ("12:00-16:30", "2026-11-27 17:00", "2026-11-27 21:30"),
    ],
)
def test_an_early_close_shortens_a_window_of_our_own(name: str, opens: str, closes: str):
    (window,) = TradingHours(windows=(name,)).windows_of(DAY_AFTER)

    assert (window.opens, window.closes) == (utc(opens), utc(closes))


@pytest.mark.parametrize("name", ["13:00-14:00", "15:00-16:00", "17:30-18:00"])
def test_a_window_after_an_early_close_is_none_that_day(name: str):
    hours = TradingHours(windows=(name,))

    assert hours.windows_of(DAY_AFTER) == ()
    assert len(hours.windows_of(date(2026, 11, 25))) == 1


def test_the_first_listed_of_two_windows_counts():
    lunch = WindowSettings.model_validate({"name": "lunch", "from": "12:00", "to": "13:00", "exits_only": True})
    hours = TradingHours(windows=(lunch, "regular"))

    found = [hours.window_at(utc(at)) for at in ("2026-11-25 17:00", "2026-11-25 17:01", "2026-11-25 18:00")]

    assert [window.name for window in found if window is not None] == ["regular", "lunch", "lunch"]


def test_a_window_brings_its_team_along():
    lunch = WindowSettings.model_validate(
        {"name": "lunch", "from": "12:00", "to": "13:00", "strategies": ["momentum"], "exits_only": True}
    )

    window = TradingHours(windows=(lunch,)).window_at(utc("2026-11-25 17:30"))

    assert window is not None
    assert (window.strategies, window.exits_only) == (("momentum",), True)


def test_outside_of_every_window_there_is_none():
    assert REGULAR.window_at(utc("2026-11-25 14:30")) is None


def test_windows_add_up():
    hours = TradingHours(windows=("pre-market", "after-hours"))

    asked = ("2026-11-25 13:00", "2026-11-25 17:00", "2026-11-25 22:00")
    assert [hours.is_trading_time(utc(at)) for at in asked] == [True, False, True]


def test_a_window_that_is_none_says_what_to_write():
    with pytest.raises(ValueError, match="it must be one of regular, pre-market, after-hours, or two times"):
        TradingHours(windows=("lunch",))


def test_an_instant_belongs_to_its_day_in_new_york():
    assert REGULAR.day_of(utc("2026-11-26 04:59")) == date(2026, 11, 25)
    assert REGULAR.day_of(utc("2026-11-26 05:00")) == THANKSGIVING


@pytest.mark.parametrize(
    ("at", "session"),
    [
        ("2026-11-25 17:00", date(2026, 11, 25)),
        ("2026-11-26 17:00", date(2026, 11, 25)),  # Thanksgiving
        ("2026-11-27 08:00", DAY_AFTER),  # before it opens
        ("2026-11-29 17:00", DAY_AFTER),  # Sunday
        ("2026-11-30 04:59", DAY_AFTER),  # Sunday, still
    ],
)
def test_a_day_off_belongs_to_the_session_before(at: str, session: date):
    assert REGULAR.newest_session(utc(at)) == session


def test_sessions_between_counts_both_ends_and_leaves_days_off_out():
    hours = TradingHours(closed_dates=(date(2026, 11, 24),))

    sessions = hours.sessions_between(date(2026, 11, 23), date(2026, 11, 30))

    wanted = ["2026-11-23", "2026-11-25", "2026-11-27", "2026-11-30"]
    assert sessions.tolist() == np.array(wanted, dtype="datetime64[D]").tolist()


def test_there_is_no_session_between_two_days_of_one_weekend():
    assert REGULAR.sessions_between(date(2026, 11, 28), date(2026, 11, 29)).size == 0


@pytest.mark.parametrize("ask", [REGULAR.is_session, REGULAR.close_of, REGULAR.windows_of])
def test_before_1990_there_is_no_calendar(ask):
    with pytest.raises(ValueError, match="1989-12-29 lies before 1990-01-01"):
        ask(date(1989, 12, 29))


def test_a_bot_that_runs_for_years_still_knows_the_calendar():
    assert REGULAR.is_session(date(2035, 1, 3))
