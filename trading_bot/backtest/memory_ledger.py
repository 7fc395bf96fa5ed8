"""What a backtest owns, in memory: position = sum of fills, cash to the cent, and every trade that ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar, overload

from trading_bot.backtest.memory_journal import MemoryJournal
from trading_bot.domain.backtest import SplitPaid
from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import StateError
from trading_bot.domain.holdings import Holding, after_fill, after_split, remainder_of
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import (
    ExecutionId,
    Fill,
    Purpose,
)
from trading_bot.domain.portfolio import EquityPoint, Portfolio, Position
from trading_bot.domain.track_record import MOST_SESSIONS, ClosedTrade, Worth

Item = TypeVar("Item")


class SoFar(Sequence[Item]):
    """What a list that only grows holds by now. A copy for each session would take longer the longer a backtest is."""

    __slots__ = ("_grows", "_places")

    def __init__(self, grows: list[Item]) -> None:
        """Leave out what is added later."""
        self._grows, self._places = grows, range(len(grows))

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        """Return an item, or a copy of some."""
        if isinstance(at, slice):
            return [self._grows[place] for place in self._places[at]]
        return self._grows[self._places[at]]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)


class MemoryLedger:
    """What do we own? Position = sum of fills; cash ties to the cent."""

    def __init__(self, journal: MemoryJournal, opening: Decimal) -> None:
        """Begin with `opening` dollars and nothing else."""
        self._journal = journal
        self._portfolio = Portfolio(cents(opening))
        self._high = self._portfolio.cash
        self._booked: dict[ExecutionId, Fill] = {}
        self.splits: list[SplitPaid] = []  # those that met a position, oldest first
        self._curve: list[EquityPoint] = []
        self._worths: deque[Worth] = deque(maxlen=MOST_SESSIONS)
        self._cash_so_far: dict[Symbol, Decimal] = {}  # of the trades that run, dollars in less dollars out
        self._closed: list[ClosedTrade] = []  # oldest first

    def portfolio(self) -> Portfolio:
        """Return cash and positions as booked."""
        return self._portfolio

    def book_fills(self, lease: Lease, booked: Sequence[Fill]) -> tuple[Fill, ...]:
        """Book fills, oldest first, and return those that are new: a fill reported twice counts once."""
        del lease
        new = tuple(fill for fill in booked if fill.execution_id not in self._booked)
        for fill in new:
            self._journal.book(fill)
            self._booked[fill.execution_id] = fill
            held = self._portfolio.positions.get(fill.symbol)
            before = Holding(held.quantity, held.average_price) if held else Holding()
            after = after_fill(before, fill.side, fill.quantity, fill.price)
            self._portfolio = _with(self._portfolio, fill.symbol, after, fill.session, cash=fill.cash - cents(fill.fee))
            by_stop = self._journal.purpose_of(fill.client_order_id) is Purpose.STOP
            self._follow(fill.symbol, fill.session, fill.cash - fill.fee, after, by_stop=by_stop)
        return new

    def apply_splits(self, lease: Lease, splits: Sequence[tuple[Split, Decimal]]) -> tuple[Split, ...]:
        """Turn old shares into new ones, once per symbol and session; the remainder becomes cash at the price given.

        A backtest learns of each split on its very day, before anything is booked on it.
        """
        del lease
        applied: list[Split] = []
        for split, price in splits:
            held = self._portfolio.positions.get(split.symbol)
            if held is None or self._is_booked(split) or self._is_old(split):
                continue
            rest = remainder_of(held.quantity, split.ratio)
            after = after_split(Holding(held.quantity, held.average_price), split.ratio, rest)
            self._portfolio = _with(self._portfolio, split.symbol, after, split.session, cash=cents(rest * price))
            self._follow(split.symbol, split.session, cents(rest * price), after, by_stop=False)
            self.splits.append(SplitPaid(split.symbol, split.session, split.ratio, rest, cents(rest * price)))
            applied.append(split)
        return tuple(applied)

    def _follow(self, symbol: Symbol, session: date, cash: Decimal, after: Holding, *, by_stop: bool) -> None:
        """Add to the trade that runs, and end it when nothing is left."""
        profit = self._cash_so_far.pop(symbol, ZERO) + cash
        if after.quantity:
            self._cash_so_far[symbol] = profit
        else:
            self._closed.append(ClosedTrade(symbol, session, profit, by_stop))

    def _is_booked(self, split: Split) -> bool:
        return any((paid.symbol, paid.session) == (split.symbol, split.session) for paid in self.splits)

    def _is_old(self, split: Split) -> bool:
        """Say whether the split lies behind us: what is held was bought after it."""
        return bool(self._curve) and split.session <= self._curve[-1].session

    def mark_equity(self, lease: Lease, point: EquityPoint, cycle_id: str) -> None:
        """Write the book's worth after a session. Raises StateError when its cash is not the book's."""
        del lease, cycle_id
        if point.cash != self._portfolio.cash:
            raise StateError(f"Equity of {point.session} counts {point.cash} dollars in cash, not what is booked.")
        self._curve.append(point)
        self._worths.append(Worth(point.session, point.equity))
        self._high = max(self._high, point.equity)

    def equity_curve(self) -> Sequence[EquityPoint]:
        """Return every point so far, oldest first."""
        return SoFar(self._curve)

    def worths_before(self, session: date, most: int) -> tuple[Worth, ...]:
        """Return the worth at the end of the newest `most` sessions before `session`, oldest first."""
        worths = tuple(self._worths)
        while worths and worths[-1].session >= session:
            worths = worths[:-1]
        return worths[-most:]

    def closed_trades(self, since: date) -> tuple[ClosedTrade, ...]:
        """Return the trades that ended in the sessions from `since` on, in the order of booking."""
        first = len(self._closed)
        while first and self._closed[first - 1].session >= since:
            first -= 1
        return tuple(self._closed[first:])

    def high_water(self) -> Decimal:
        """Return the highest equity in dollars since the beginning, the opening deposit included."""
        return self._high


def _with(portfolio: Portfolio, symbol: Symbol, holding: Holding, session: date, *, cash: Decimal) -> Portfolio:
    positions = dict(portfolio.positions)
    before = positions.get(symbol)
    if holding.quantity:
        opened = before.opened if before else session
        positions[symbol] = Position(symbol, holding.quantity, holding.average_price, opened)
        if before is None:
            positions = dict(sorted(positions.items()))
    else:
        positions.pop(symbol, None)
    return Portfolio(portfolio.cash + cash, positions)
