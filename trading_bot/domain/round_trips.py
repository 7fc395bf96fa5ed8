"""Trades from flat to flat, made of single executions.

A trade begins when a symbol is held that was not held before and ends when none of it is left. What is bought or sold
in between belongs to it: a partial exit closes nothing, so a rebalanced position is one trade however often it was
trimmed. An execution that goes through zero ends one trade and begins the next, and its fee is shared between them by
shares. Over a whole trade, profit is what came in less what went out, so it is the same whichever shares are thought
to be sold first; average cost as in `domain/holdings.py` comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from trading_bot.domain.backtest import Execution, SplitPaid
from trading_bot.domain.market import SessionAxis, Symbol
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import Side
from trading_bot.domain.records import dataclass

SPLIT = "split"  # who ended a trade of which a reverse split left less than a share


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One trade that is over. Shares and prices are those of the last day, splits in between counted."""

    symbol: Symbol
    side: Side  # buy: it was long, sell: it was short
    strategy: str  # who wanted the first execution
    opened: date
    closed: date
    sessions: int  # from the first execution to the last one; 0 when both were on one day
    shares: Decimal  # the most that was held
    entry_price: Decimal  # dollars per share, the mean of all that enlarged the position
    exit_price: Decimal  # dollars per share, the mean of all that made it smaller
    exits: int  # executions that made it smaller
    fees: Decimal  # dollars
    profit: Decimal  # dollars, fees taken off
    gain: float | None  # profit as a share of all that was paid to enter; None where that was nothing
    ended_by: str  # who wanted the last execution


@dataclass(frozen=True, slots=True)
class OpenTrade:
    """One trade that is not over."""

    symbol: Symbol
    side: Side
    strategy: str
    opened: date
    sessions: int  # until the last session
    quantity: Decimal  # shares held, negative is short
    fees: Decimal  # dollars so far
    profit: Decimal | None  # dollars at the last price, fees taken off; None where there is none


@dataclass(frozen=True, slots=True)
class Trades:
    """All trades of a backtest."""

    closed: tuple[RoundTrip, ...]  # in the order they ended
    open: tuple[OpenTrade, ...]  # in the order they began


def trades_of(
    executions: Iterable[Execution],
    sessions: SessionAxis,
    *,
    splits: Iterable[SplitPaid] = (),
    prices: Mapping[Symbol, Decimal] | None = None,
) -> Trades:
    """Return the trades that executions come to.

    Args:
        executions: oldest first.
        sessions: every session of the backtest, ascending.
        splits: of what was held; each takes effect before the executions of its session.
        prices: the last close of what is still held, dollars per share.

    Raises:
        KeyError: an execution is on a day that is no session.
    """
    rows: dict[date, int] = {day: row for row, day in enumerate(sessions.tolist())}
    running: dict[Symbol, _Trip] = {}
    closed: list[RoundTrip] = []
    for event in sorted([*splits, *executions], key=_effect):
        trip = running.pop(event.symbol, None)
        ended, after = _split(trip, event) if isinstance(event, SplitPaid) else _executed(trip, event)
        if ended:
            by = SPLIT if isinstance(event, SplitPaid) else event.strategy
            closed.append(ended.over(event.session, rows[event.session] - rows[ended.opened], by))
        if after:
            running[event.symbol] = after
    last = len(sessions) - 1
    still = [trip.now(last - rows[trip.opened], (prices or {}).get(trip.symbol)) for trip in running.values()]
    return Trades(tuple(closed), tuple(sorted(still, key=lambda trade: trade.opened)))


def _effect(event: SplitPaid | Execution) -> tuple[date, bool]:
    return event.session, isinstance(event, Execution)


@dataclass(frozen=True, slots=True)
class _Trip:
    symbol: Symbol
    strategy: str
    opened: date
    quantity: Decimal = ZERO  # shares held now, negative is short
    most: Decimal = ZERO  # shares
    entered: Decimal = ZERO  # shares
    exited: Decimal = ZERO
    paid: Decimal = ZERO  # dollars that the entries came to, without their sign
    returned: Decimal = ZERO  # dollars that the exits came to
    cash: Decimal = ZERO  # dollars in less dollars out, fees included
    fees: Decimal = ZERO
    exits: int = 0
    side: Side = Side.BUY

    def executed(self, shares: Decimal, amount: Decimal, fee: Decimal) -> _Trip:
        """Add signed shares for so many dollars."""
        size, quantity = abs(shares), self.quantity + shares
        enlarges = self.side.sign * shares > 0
        return replace(
            self,
            quantity=quantity,
            most=max(self.most, abs(quantity)),
            entered=self.entered + size if enlarges else self.entered,
            exited=self.exited if enlarges else self.exited + size,
            paid=self.paid + amount if enlarges else self.paid,
            returned=self.returned if enlarges else self.returned + amount,
            cash=self.cash - fee - (amount if shares > 0 else -amount),
            fees=self.fees + fee,
            exits=self.exits + (not enlarges),
        )

    def split(self, split: SplitPaid) -> _Trip:
        """Turn old shares into new ones; the remainder that is paid out counts as an exit's shares."""
        return replace(
            self,
            quantity=self.quantity * split.ratio - split.remainder,
            most=self.most * split.ratio,
            entered=self.entered * split.ratio,
            exited=self.exited * split.ratio + abs(split.remainder),
            returned=self.returned + abs(split.cash),
            cash=self.cash + split.cash,
        )

    def over(self, closed: date, sessions: int, by: str) -> RoundTrip:
        """Return the trade, which ended on that day."""
        return RoundTrip(
            symbol=self.symbol,
            side=self.side,
            strategy=self.strategy,
            opened=self.opened,
            closed=closed,
            sessions=sessions,
            shares=self.most,
            entry_price=self.paid / self.entered,
            exit_price=self.returned / self.exited,
            exits=self.exits,
            fees=self.fees,
            profit=self.cash,
            gain=float(self.cash / self.paid) if self.paid else None,
            ended_by=by,
        )

    def now(self, sessions: int, price: Decimal | None) -> OpenTrade:
        """Return the trade as it stands at a price."""
        profit = None if price is None else self.cash + cents(self.quantity * price)
        return OpenTrade(self.symbol, self.side, self.strategy, self.opened, sessions, self.quantity, self.fees, profit)


def _split(trip: _Trip | None, split: SplitPaid) -> tuple[_Trip | None, _Trip | None]:
    """Return the trade that a split ended, all of it being paid out, or the one that goes on."""
    after = trip.split(split) if trip else None
    return (None, after) if after is None or after.quantity else (after, None)


def _executed(trip: _Trip | None, done: Execution) -> tuple[_Trip | None, _Trip | None]:
    """Return the trade that an execution ended and the one that goes on, each where there is one."""
    shares, amount = done.side.sign * done.quantity, cents(done.quantity * done.price)
    trip = trip or _begun(done)
    after = trip.quantity + shares
    if after == 0:
        return trip.executed(shares, amount, done.fee), None
    if trip.quantity * after >= 0:
        return None, trip.executed(shares, amount, done.fee)
    part = abs(trip.quantity) / done.quantity  # through zero: the first part ends, the rest begins
    amount_then, fee_then = cents(amount * part), cents(done.fee * part)
    ended = trip.executed(-trip.quantity, amount_then, fee_then)
    return ended, _begun(done).executed(after, amount - amount_then, done.fee - fee_then)


def _begun(first: Execution) -> _Trip:
    return _Trip(first.symbol, first.strategy, first.session, side=first.side)
