"""When the exchange is open and when we may trade. New York time lives here and in `data/exchange.py`.

Sessions, half days and holidays are the exchange's, as that module has them; closures it does not know come
from the settings. A tick belongs to a window when opens < tick <= closes: at the close a bot that lives on
daily bars decides, and at the open nothing has been traded yet. So a full day has 390 minutes, a half day 210.
A window that ends by 16:00 ends with an early close; one that reaches into the evening ends at 17:00 then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache

import numpy as np

from trading_bot.config.typed_settings import WindowSettings
from trading_bot.data.exchange import CLOSES, FIRST_DAY, NEW_YORK, OPENS, exchange
from trading_bot.domain.market import SessionAxis

PRE_MARKET_OPENS = time(4, 0)
AFTER_HOURS_END = time(20, 0)
AFTER_HOURS_END_ON_HALF_DAYS = time(17, 0)
HALF_DAY_CLOSE = time(13, 0)
REGULAR, PRE_MARKET, AFTER_HOURS = "regular", "pre-market", "after-hours"
USUAL_TIMES = {
    REGULAR: (OPENS, CLOSES),
    PRE_MARKET: (PRE_MARKET_OPENS, OPENS),
    AFTER_HOURS: (CLOSES, AFTER_HOURS_END),
}


@dataclass(frozen=True, slots=True)
class WindowRule:
    """A window as the settings describe it, with the clock times of a full day."""

    name: str
    opens: time  # New York
    closes: time  # New York
    strategies: tuple[str, ...] = ()  # who decides meanwhile; empty: the whole team
    exits_only: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A span of one day in which trading is allowed: after it opens, up to and at its close."""

    opens: datetime  # aware, UTC
    closes: datetime  # aware, UTC
    rule: WindowRule

    def holds(self, at: datetime) -> bool:
        """Say whether a tick at `at` belongs to the window."""
        return self.opens < at <= self.closes


class TradingHours:
    """The exchange's calendar with our windows on it."""

    def __init__(self, windows: Sequence[str | WindowSettings] = (REGULAR,), closed_dates: Sequence[date] = ()) -> None:
        """Take windows as in the settings. Raises ValueError on one that makes no sense."""
        self._rules = window_rules(windows)
        self._closed = frozenset(closed_dates)

    def is_session(self, day: date) -> bool:
        """Say whether the exchange opens on `day`."""
        return day not in self._closed and exchange(day).has(day)

    def open_of(self, day: date) -> datetime:
        """Return the regular open of a session, aware, in UTC. Raises ValueError on a day without one."""
        return _in_new_york(day, exchange(day).times_of(day)[0])

    def close_of(self, day: date) -> datetime:
        """Return the regular close of a session, aware, in UTC. Raises ValueError on a day without one."""
        return _in_new_york(day, exchange(day).times_of(day)[1])

    def is_half_day(self, day: date) -> bool:
        """Say whether the session closes early."""
        return exchange(day).times_of(day)[1] < CLOSES

    def sessions_between(self, first: date, last: date) -> SessionAxis:
        """Return every session from `first` to `last`, both included, ascending."""
        days = exchange(first, last).sessions
        days = days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]
        return days[~np.isin(days, np.array(sorted(self._closed), dtype="datetime64[D]"))]

    def windows_of(self, day: date) -> tuple[Window, ...]:
        """Return the windows of a session in our settings' order; none on a day without a session."""
        return tuple(self._spans(day)) if self.is_session(day) else ()

    def is_trading_time(self, at: datetime) -> bool:
        """Say whether a tick at `at` belongs to one of our windows."""
        return self.window_at(at) is not None

    def window_at(self, at: datetime) -> WindowRule | None:
        """Return the window that a tick at `at` belongs to, the first one listed where several overlap."""
        return next((window.rule for window in self.windows_of(self.day_of(at)) if window.holds(at)), None)

    def day_of(self, at: datetime) -> date:
        """Return the New York date of an instant."""
        return at.astimezone(NEW_YORK).date()

    def newest_session(self, at: datetime) -> date:
        """Return the session of `at`'s day in New York, or the one before where that is a day off."""
        newest: date = self.sessions_between(FIRST_DAY, self.day_of(at))[-1].item()
        return newest

    def _spans(self, day: date) -> Iterator[Window]:
        opens, closes = self.open_of(day), self.close_of(day)
        evening = _in_new_york(day, AFTER_HOURS_END_ON_HALF_DAYS)
        for rule in self._rules:
            begins = {REGULAR: opens, AFTER_HOURS: closes}.get(rule.name, _in_new_york(day, rule.opens))
            ends = {REGULAR: closes, PRE_MARKET: opens}.get(rule.name, _in_new_york(day, rule.closes))
            if self.is_half_day(day):
                ends = min(ends, closes if rule.closes <= CLOSES else evening)
            if begins < ends:
                yield Window(begins, ends, rule)


def window_rules(windows: Sequence[str | WindowSettings]) -> tuple[WindowRule, ...]:
    """Return what the settings' windows mean, in their order. Raises ValueError on one that makes no sense."""
    return tuple(_rule(WindowSettings.model_validate(window)) for window in windows)


def _rule(window: WindowSettings) -> WindowRule:
    if window.starts is None or window.ends is None:
        opens, closes = USUAL_TIMES[window.name]
    else:
        opens, closes = time.fromisoformat(window.starts), time.fromisoformat(window.ends)
    return WindowRule(window.name, opens, closes, window.strategies, window.exits_only)


@cache  # a session's times are asked for with each of its fills
def _in_new_york(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=NEW_YORK).astimezone(UTC)
