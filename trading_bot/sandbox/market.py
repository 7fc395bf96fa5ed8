"""Prices and hours of the sandbox: a table of daily bars, and a clock that somebody else turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from trading_bot.domain.money import ZERO, price_of
from trading_bot.domain.ports import RawBars, TradingCalendar

MIDNIGHT_BEFORE_OPEN = timedelta(hours=9, minutes=30)  # from the open back to New York's midnight
EVER = datetime.min.replace(tzinfo=UTC)
UNKNOWN_VOLUME = 1_000_000  # shares; the documents want a number where the packaged prices have none


class SandboxClock:
    """Stands where it is put, or runs with the machine's clock until then."""

    def __init__(self, at: datetime | None = None) -> None:
        """Stand at `at` (aware, UTC); None runs."""
        self._at = at

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return self._at or datetime.now(UTC)

    def turn_to(self, at: datetime | None) -> None:
        """Stand at `at` from now on; None runs again."""
        self._at = at


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One symbol's session."""

    session: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class SandboxStory:
    """One story of the sandbox's news."""

    number: int
    created: datetime  # aware, UTC
    updated: datetime  # aware, UTC
    headline: str
    summary: str = ""
    symbols: tuple[str, ...] = ()


class SandboxMarket:
    """What a share costs, and whether it can be traded now.

    Within a session the price goes straight from the bar's open to its close; then it stays there. `always_open` lets
    orders fill at any hour, so that the sandbox can be watched on a Sunday.
    """

    def __init__(
        self,
        bars: RawBars,
        calendar: TradingCalendar,
        now: Callable[[], datetime],
        *,
        always_open: bool = False,
    ) -> None:
        """Take the bars as they were traded (`bars.splits` are the splits they are not adjusted for)."""
        self.bars, self.calendar, self.now, self.always_open = bars, calendar, now, always_open
        self.stories: list[SandboxStory] = []
        self._known: tuple[datetime | None, dict[str, Decimal | None]] = (None, {})  # prices at an instant
        self._hours: tuple[date | None, datetime, datetime] = (None, EVER, EVER)  # of the day asked for last
        self._column = {str(symbol): place for place, symbol in enumerate(bars.symbols)}

    def knows(self, symbol: str) -> bool:
        """Say whether there are prices for `symbol`."""
        return symbol in self._column

    def is_open(self, at: datetime) -> bool:
        """Say whether orders fill at `at`."""
        return self.always_open or self._in_session(at)

    def session_at(self, at: datetime) -> date:
        """Return the session that runs at `at`, or the last one before."""
        session: date = self.calendar.newest_session(at)
        if self.always_open or at >= self.calendar.open_of(session):
            return session
        return self.calendar.newest_session(at - timedelta(days=1))

    def next_open(self, at: datetime) -> datetime:
        """Return the first regular open after `at`."""
        return next(opens for day in self._sessions_from(at) if (opens := self._open(day)) > at)

    def next_close(self, at: datetime) -> datetime:
        """Return the first regular close after `at`."""
        return next(closes for day in self._sessions_from(at) if (closes := self.calendar.close_of(day)) > at)

    def price(self, symbol: str, at: datetime) -> Decimal | None:
        """Return dollars a share at `at`; None for a symbol that has never traded by then."""
        known = self._known
        if known[0] != at:  # many orders in few stocks ask for the same instant
            known = self._known = (at, {})
        prices = known[1]
        if symbol not in prices:
            prices[symbol] = self._price(symbol, at)
        return prices[symbol]

    def _price(self, symbol: str, at: datetime) -> Decimal | None:
        bar = self._newest_bar(symbol, session := self.session_at(at))
        if bar is None:
            return None
        if bar.session < session or self.always_open or not self._in_session(at):
            return bar.close
        opens, closes = self._open(session), self.calendar.close_of(session)
        passed = Decimal(str((at - opens) / (closes - opens)))
        return price_of(float(bar.open + (bar.close - bar.open) * passed))

    def daily_bars(self, symbol: str, first: date, last: date, at: datetime) -> Iterator[DailyBar]:
        """Give the bars from `first` to `last` as they are known at `at`; the running session as far as it has come."""
        newest = self.session_at(at)
        sessions = self.bars.sessions
        begin = int(np.searchsorted(sessions, np.datetime64(first)))
        end = int(np.searchsorted(sessions, np.datetime64(min(last, newest)), side="right"))
        for row in range(begin, end):
            bar = self._bar(symbol, row)
            if bar is None:
                continue
            yield self._so_far(bar, symbol, at) if bar.session == newest and self._in_session(at) else bar

    def begins(self, session: date) -> datetime:
        """Return New York's midnight of a session, which is how daily bars are stamped."""
        return self._open(session) - MIDNIGHT_BEFORE_OPEN

    def _so_far(self, bar: DailyBar, symbol: str, at: datetime) -> DailyBar:
        price = self.price(symbol, at) or bar.open
        return DailyBar(bar.session, bar.open, max(bar.open, price), min(bar.open, price), price, bar.volume)

    def _in_session(self, at: datetime) -> bool:
        day = at.date()  # New York's regular hours lie within one day of UTC
        if self._hours[0] != day:  # every open order asks at every look
            is_one = self.calendar.is_session(day)
            self._hours = (day, self._open(day) if is_one else at, self.calendar.close_of(day) if is_one else at)
        _, opens, closes = self._hours
        return opens <= at < closes

    def _sessions_from(self, at: datetime) -> Iterator[date]:
        days = (at.date() + timedelta(days=number) for number in range(15))  # no exchange rests for longer
        return (day for day in days if self.calendar.is_session(day))

    def _open(self, day: date) -> datetime:
        return self.calendar.open_of(day)

    def _newest_bar(self, symbol: str, session: date) -> DailyBar | None:
        row = int(np.searchsorted(self.bars.sessions, np.datetime64(session), side="right")) - 1
        while row >= 0:
            if (bar := self._bar(symbol, row)) is not None:
                return bar
            row -= 1
        return None

    def _bar(self, symbol: str, row: int) -> DailyBar | None:
        column, bars = self._column[symbol], self.bars
        values = [float(array[row, column]) for array in (bars.open, bars.high, bars.low, bars.close)]
        if not all(math.isfinite(value) and value > 0 for value in values):
            return None
        volume = float(bars.volume[row, column])
        session: date = bars.sessions[row].item()
        known = int(volume) if math.isfinite(volume) else UNKNOWN_VOLUME
        return DailyBar(session, *(price_of(value) for value in values), volume=known)


def value_of(quantity: Decimal, price: Decimal | None) -> Decimal:
    """Return shares times price in dollars; 0 where there is no price."""
    return quantity * price if price is not None else ZERO
