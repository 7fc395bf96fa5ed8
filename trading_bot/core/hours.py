"""When the exchange is open and when we may trade. New York time lives here and nowhere else.

Sessions, half days and holidays come from exchange_calendars' XNYS; closures it does not know come
from the settings. A tick belongs to a window when opens < tick <= closes: at the close a bot that lives on
daily bars decides, and at the open nothing has been traded yet. So a full day has 390 minutes, a half day 210.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import numpy as np

from trading_bot.domain.market import SessionAxis

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar  # pyright: ignore[reportMissingTypeStubs]

NEW_YORK = ZoneInfo("America/New_York")
FIRST_DAY = date(1990, 1, 1)  # the packaged prices begin here
PRE_MARKET_OPENS = time(4, 0)
AFTER_HOURS_END = time(20, 0)
AFTER_HOURS_END_ON_HALF_DAYS = time(17, 0)
FULL_DAY_OPEN = time(9, 30)
FULL_DAY_CLOSE = time(16, 0)
HALF_DAY_CLOSE = time(13, 0)
USUAL_TIMES = {
    "regular": (FULL_DAY_OPEN, FULL_DAY_CLOSE),
    "pre-market": (PRE_MARKET_OPENS, FULL_DAY_OPEN),
    "after-hours": (FULL_DAY_CLOSE, AFTER_HOURS_END),
}
OWN_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """A span of one day in which trading is allowed: after it opens, up to and at its close."""

    opens: datetime  # aware, UTC
    closes: datetime  # aware, UTC

    def holds(self, at: datetime) -> bool:
        """Say whether a tick at `at` belongs to the window."""
        return self.opens < at <= self.closes


class TradingHours:
    """The exchange's calendar with our windows on it."""

    def __init__(self, windows: Sequence[str] = ("regular",), closed_dates: Sequence[date] = ()) -> None:
        """Take window names as in the settings: regular, pre-market, after-hours or "HH:MM-HH:MM"."""
        self._windows = tuple(windows)
        self._closed = frozenset(closed_dates)

    def is_session(self, day: date) -> bool:
        """Say whether the exchange opens on `day`."""
        return day not in self._closed and bool(_calendar(day).is_session(day.isoformat()))

    def open_of(self, day: date) -> datetime:
        """Return the regular open of a session, aware, in UTC. Raises ValueError on a day without one."""
        return _instant(_calendar(day).session_open(day.isoformat()))

    def close_of(self, day: date) -> datetime:
        """Return the regular close of a session, aware, in UTC. Raises ValueError on a day without one."""
        return _instant(_calendar(day).session_close(day.isoformat()))

    def is_half_day(self, day: date) -> bool:
        """Say whether the session closes early."""
        return self.close_of(day).astimezone(NEW_YORK).time() < FULL_DAY_CLOSE

    def sessions_between(self, first: date, last: date) -> SessionAxis:
        """Return every session from `first` to `last`, both included, ascending."""
        calendar = _calendar(first, last)
        days = cast("SessionAxis", calendar.sessions.to_numpy().astype("datetime64[D]"))
        days = days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]
        return days[~np.isin(days, np.array(sorted(self._closed), dtype="datetime64[D]"))]

    def windows_of(self, day: date) -> tuple[Window, ...]:
        """Return the windows of a session in our settings' order; none on a day without a session."""
        return tuple(self._spans(day)) if self.is_session(day) else ()

    def is_trading_time(self, at: datetime) -> bool:
        """Say whether `at` lies in one of our windows."""
        return any(window.holds(at) for window in self.windows_of(self.day_of(at)))

    def day_of(self, at: datetime) -> date:
        """Return the New York date of an instant."""
        return at.astimezone(NEW_YORK).date()

    def _spans(self, day: date) -> Iterator[Window]:
        opens, closes = self.open_of(day), self.close_of(day)
        for name in self._windows:
            if name == "regular":
                yield Window(opens, closes)
            elif name == "pre-market":
                yield Window(_in_new_york(day, PRE_MARKET_OPENS), opens)
            elif name == "after-hours":
                end = AFTER_HOURS_END_ON_HALF_DAYS if self.is_half_day(day) else AFTER_HOURS_END
                yield Window(closes, _in_new_york(day, end))
            else:
                yield Window(*(_in_new_york(day, at) for at in usual_times(name)))


def usual_times(name: str) -> tuple[time, time]:
    """Return when a window opens and closes on a full day, in New York."""
    if name in USUAL_TIMES:
        return USUAL_TIMES[name]
    found = OWN_WINDOW.fullmatch(name)
    if found is None:
        raise ValueError(f'{name!r} is no window; write regular, pre-market, after-hours or e.g. "09:45-15:30"')
    hour, minute, end_hour, end_minute = (int(part) for part in found.groups())
    return time(hour, minute), time(end_hour, end_minute)


def _in_new_york(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=NEW_YORK).astimezone(UTC)


def _instant(stamp: Any) -> datetime:
    return stamp.to_pydatetime().astimezone(UTC)


def _calendar(*days: date) -> ExchangeCalendar:
    """Return a calendar that covers the days. Raises ValueError before 1990.

    By default the library ends a year ahead of the day it was asked, which a process that lives for long
    would reach: so the end is always named, and the calendar kept by the year of the newest day.
    """
    if min(days) < FIRST_DAY:
        raise ValueError(f"{min(days)} lies before {FIRST_DAY}, where the exchange's calendar begins")
    return _calendar_through(max(days).year + 1)


@functools.cache
def _calendar_through(year: int) -> ExchangeCalendar:
    import exchange_calendars  # pyright: ignore[reportMissingTypeStubs]  # pandas comes with it

    end = date(year, 1, 1) + timedelta(days=14)
    with warnings.catch_warnings():
        # Under pandas 3.1 the library uses what pandas will drop in version 4; that is nothing to tell our users.
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar("XNYS", start=FIRST_DAY.isoformat(), end=end.isoformat())
