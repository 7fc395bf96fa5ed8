"""A book that lives as long as the backtest: the same answers as the bot's own book, without a database.

It keeps the laws that a single process can break (an order has an intent, a fill has an order and fits it) and leaves
out what guards against other processes: leases, owners and locks mean nothing here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from trading_bot.domain.backtest import SplitPaid
from trading_bot.domain.cycle import ControlState, Lease, TradingState
from trading_bot.domain.errors import StateError
from trading_bot.domain.holdings import Holding, after_fill, after_split, remainder_of
from trading_bot.domain.inputs import CycleRecord
from trading_bot.domain.market import Coverage, Regime, Split, Symbol
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import (
    ClientOrderId,
    Decision,
    ExecutionId,
    Fill,
    OpenOrder,
    OrderIntent,
    OrderStatus,
    OrderUpdate,
    Purpose,
    Rejected,
)
from trading_bot.domain.portfolio import EquityPoint, Portfolio, Position
from trading_bot.domain.track_record import MOST_SESSIONS, NONE_SENT, ClosedTrade, OrdersSent, Worth
from trading_bot.state.transitions import Standing, after_booking, after_update

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
UNSENT = Standing(OrderStatus.INTENDED, ZERO, ZERO, "", "", None)


class MemoryControl:
    """May it trade? Always: unless the books differ, which then stops entries as it does live."""

    def __init__(self) -> None:
        """Begin ACTIVE."""
        self._state = ControlState(TradingState.ACTIVE, "a backtest begins", "backtest", LONG_AGO, 0, None)

    def read(self) -> ControlState:
        """Return the row that stands above everything."""
        return self._state

    def set_state(
        self,
        state: TradingState,
        *,
        cause: str,
        who: str,
        acknowledged: bool = False,
        only_from: TradingState | None = None,
        lease: Lease | None = None,
    ) -> ControlState:
        """Change the state; return what holds afterwards."""
        del acknowledged, lease
        if only_from in (None, self._state.state):
            self._state = replace(self._state, state=state, cause=cause, changed_by=who)
        return self._state

    def forget_failures(self, lease: Lease | None = None) -> None:
        """Nothing ever fails and goes on here."""

    def release_lease(self, lease: Lease) -> None:
        """Nobody else waits for it."""


class MemoryCycles:
    """Which cycles ran? Their results are what is kept."""

    def complete(self, cycle_id: str, lease: Lease, regime: Regime, coverage: Coverage) -> None:
        """End a cycle that has traded."""


@dataclass(slots=True)
class _Kept:
    """An order in the book. `decision` says why it is there."""

    intent: OrderIntent
    decision: Decision
    standing: Standing = field(default=UNSENT)


class MemoryJournal:
    """What was decided and sent?"""

    def __init__(self) -> None:
        """Begin with an empty journal."""
        self._orders: dict[ClientOrderId, _Kept] = {}
        self._cycles: dict[str, tuple[tuple[Decision, ...], tuple[OrderIntent, ...]]] = {}
        self._open: dict[ClientOrderId, None] = {}  # in the order in which they were decided

    def commit_decisions(
        self,
        cycle_id: str,
        lease: Lease,
        *,
        decisions: Sequence[Decision],
        intents: Sequence[OrderIntent],
        market_hash: str,
        record: CycleRecord | None = None,
    ) -> None:
        """Write down every decision and the orders that follow. Raises StateError when an order follows from none."""
        del lease, market_hash, record
        if cycle_id in self._cycles:
            raise StateError(f"Cycle {cycle_id} has decided already; its decisions stand.")
        wanted = {d.signal.symbol: d for d in decisions if not isinstance(d, Rejected)}
        for intent in intents:
            decision = wanted.get(intent.symbol)
            if decision is None or (decision.quantity, decision.signal.side) != (intent.quantity, intent.side):
                raise StateError(f"Intent {intent.client_order_id} follows from no decision of cycle {cycle_id}.")
            self._orders[intent.client_order_id] = _Kept(intent, decision)
            self._open[intent.client_order_id] = None
        self._cycles[cycle_id] = (tuple(decisions), tuple(intents))

    def decision_behind(self, order_id: ClientOrderId) -> Decision:
        """Return the decision that an order follows from. Raises KeyError for an order that is not in the book."""
        return self._orders[order_id].decision

    def decisions(self, cycle_id: str) -> tuple[Decision, ...]:
        """Return the cycle's decisions in their order."""
        return self._cycles[cycle_id][0] if cycle_id in self._cycles else ()

    def intents(self, cycle_id: str) -> tuple[OrderIntent, ...]:
        """Return the cycle's intents in the order of their decisions."""
        return self._cycles[cycle_id][1] if cycle_id in self._cycles else ()

    def order_updates(self, cycle_id: str) -> tuple[OrderUpdate, ...]:
        """Return where the cycle's orders stand."""
        return tuple(_update(self._orders[intent.client_order_id]) for intent in self.intents(cycle_id))

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return every order, of any cycle, that something can still come from, oldest first."""
        kept = (self._orders[order_id] for order_id in self._open)
        standings = ((each.intent, each.standing) for each in kept)
        return tuple(OpenOrder(intent, now.status, now.filled, now.reported) for intent, now in standings)

    def orders_sent(self, session: date, at: datetime) -> OrdersSent:
        """Return that there are none: a backtest takes one cycle a session."""
        del session, at
        return NONE_SENT

    def purpose_of(self, order_id: ClientOrderId) -> Purpose:
        """Return what an order is for. Raises KeyError for an order that is not in the book."""
        return self._orders[order_id].intent.purpose

    def given_up(self, since: date) -> tuple[OpenOrder, ...]:
        """Return nothing: no request is ever lost on its way."""
        del since
        return ()

    def mark_sending(self, client_order_id: ClientOrderId, lease: Lease) -> None:
        """Note that the order leaves. Raises StateError for an order without an intent."""
        del lease
        kept = self._known(client_order_id)
        self._keep(kept, replace(kept.standing, status=OrderStatus.UNKNOWN))

    def record_updates(self, lease: Lease, updates: Sequence[OrderUpdate]) -> tuple[OrderUpdate, ...]:
        """Write down the broker's words and return those that changed something."""
        del lease
        changed: list[OrderUpdate] = []
        for word in updates:
            kept = self._known(word.client_order_id)
            new = after_update(kept.standing, word)
            if new != kept.standing:
                self._keep(kept, new)
                changed.append(word)
        return tuple(changed)

    def expire_unsent(
        self, client_order_id: ClientOrderId, lease: Lease, reason: str, *, sent_before: datetime | None = None
    ) -> bool:
        """End an order that never reached the broker."""
        del lease, sent_before
        kept = self._known(client_order_id)
        self._keep(kept, replace(kept.standing, status=OrderStatus.EXPIRED_UNSENT, reason=reason))
        return True

    def book(self, fill: Fill) -> None:
        """Count a fill towards its order. Raises StateError when it does not fit."""
        kept = self._known(fill.client_order_id)
        filled = kept.standing.filled + fill.quantity
        if filled > kept.intent.quantity or (fill.symbol, fill.side) != (kept.intent.symbol, kept.intent.side):
            raise StateError(f"Fill {fill.execution_id} does not fit order {fill.client_order_id}.")
        self._keep(kept, after_booking(kept.standing, filled))

    def _known(self, order_id: ClientOrderId) -> _Kept:
        if order_id not in self._orders:
            raise StateError(f"Order {order_id} has no intent in the book, so it may not be sent.")
        return self._orders[order_id]

    def _keep(self, kept: _Kept, standing: Standing) -> None:
        kept.standing = standing
        if standing.settled:
            self._open.pop(kept.intent.client_order_id, None)


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

    def equity_curve(self) -> tuple[EquityPoint, ...]:
        """Return every point, oldest first."""
        return tuple(self._curve)

    def worths_before(self, session: date, most: int) -> tuple[Worth, ...]:
        """Return the worth at the end of the newest `most` sessions before `session`, oldest first."""
        return tuple(worth for worth in self._worths if worth.session < session)[-most:]

    def closed_trades(self, since: date) -> tuple[ClosedTrade, ...]:
        """Return the trades that ended in the sessions from `since` on, in the order of booking."""
        first = len(self._closed)
        while first and self._closed[first - 1].session >= since:
            first -= 1
        return tuple(self._closed[first:])

    def high_water(self) -> Decimal:
        """Return the highest equity in dollars since the beginning, the opening deposit included."""
        return self._high


class MemoryBook:
    """The book of one backtest."""

    def __init__(self, opening: Decimal) -> None:
        """Begin with `opening` dollars."""
        self.control = MemoryControl()
        self.cycles = MemoryCycles()
        self.journal = MemoryJournal()
        self.ledger = MemoryLedger(self.journal, opening)


def _with(portfolio: Portfolio, symbol: Symbol, holding: Holding, session: date, *, cash: Decimal) -> Portfolio:
    positions = dict(portfolio.positions)
    before = positions.get(symbol)
    if holding.quantity:
        opened = before.opened if before else session
        positions[symbol] = Position(symbol, holding.quantity, holding.average_price, opened)
    else:
        positions.pop(symbol, None)
    return Portfolio(portfolio.cash + cash, dict(sorted(positions.items())))


def _update(kept: _Kept) -> OrderUpdate:
    intent, standing = kept.intent, kept.standing
    return OrderUpdate(
        client_order_id=intent.client_order_id,
        broker_order_id=standing.broker_order_id,
        symbol=intent.symbol,
        side=intent.side,
        type=intent.type,
        quantity=intent.quantity,
        filled=standing.filled,
        status=standing.status,
        reason=standing.reason,
        updated_at=standing.updated_at or LONG_AGO,
        limit_price=intent.limit_price,
    )
