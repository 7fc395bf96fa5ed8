"""What a backtest decided and sent, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import CycleSkipped, StateError
from trading_bot.domain.inputs import CycleRecord
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import (
    ClientOrderId,
    Decision,
    Fill,
    OpenOrder,
    OrderIntent,
    OrderStatus,
    OrderUpdate,
    Purpose,
    Rejected,
    Signal,
)
from trading_bot.domain.records import changed
from trading_bot.domain.track_record import NONE_SENT, OrdersSent
from trading_bot.state.transitions import Standing, after_booking, after_update

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
UNSENT = Standing(OrderStatus.INTENDED, ZERO, ZERO, "", "", None)


@dataclass(slots=True)
class _Kept:
    """An order in the book. `signal` says why it is there."""

    intent: OrderIntent
    signal: Signal
    standing: Standing = field(default=UNSENT)


class MemoryJournal:
    """What was decided and sent?

    Every order stays with the signal behind it. Decisions are kept of the newest cycle: a backtest asks for no other
    ones, and over years, with what every rule said, they would take hundreds of megabytes.
    """

    def __init__(self) -> None:
        """Begin with an empty journal."""
        self._orders: dict[ClientOrderId, _Kept] = {}
        self._decided: set[str] = set()  # cycles
        self._newest: tuple[str, tuple[Decision, ...], tuple[OrderIntent, ...]] = ("", (), ())
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
        if cycle_id in self._decided:
            raise StateError(f"Cycle {cycle_id} has decided already; its decisions stand.")
        wanted = {(d.signal.symbol, d.signal.purpose): d for d in decisions if not isinstance(d, Rejected)}
        for intent in intents:
            decision = wanted.get((intent.symbol, intent.purpose))
            if decision is None or (decision.quantity, decision.signal.side) != (intent.quantity, intent.side):
                raise StateError(f"Intent {intent.client_order_id} follows from no decision of cycle {cycle_id}.")
            self._orders[intent.client_order_id] = _Kept(intent, decision.signal)
            self._open[intent.client_order_id] = None
        self._decided.add(cycle_id)
        self._newest = (cycle_id, tuple(decisions), tuple(intents))

    def signal_behind(self, order_id: ClientOrderId) -> Signal:
        """Return the signal that an order follows from. Raises KeyError for an order that is not in the book."""
        return self._orders[order_id].signal

    def decisions(self, cycle_id: str) -> tuple[Decision, ...]:
        """Return the cycle's decisions in their order. Raises StateError when a later one has decided since."""
        return self._kept_of(cycle_id)[0]

    def intents(self, cycle_id: str) -> tuple[OrderIntent, ...]:
        """Return the cycle's intents in the order of their decisions. The errors of `decisions`."""
        return self._kept_of(cycle_id)[1]

    def order_updates(self, cycle_id: str) -> tuple[OrderUpdate, ...]:
        """Return where the cycle's orders stand. The errors of `decisions`."""
        return tuple([_update(self._orders[intent.client_order_id]) for intent in self.intents(cycle_id)])

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return every order, of any cycle, that something can still come from, oldest first."""
        return tuple(map(_open, map(self._orders.__getitem__, self._open)))

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
        self._keep(kept, changed(kept.standing, status=OrderStatus.UNKNOWN))

    def mark_all_sending(self, order_ids: Sequence[ClientOrderId], lease: Lease) -> dict[ClientOrderId, CycleSkipped]:
        """Note that the orders leave; nothing holds one back here."""
        for order_id in order_ids:
            self.mark_sending(order_id, lease)
        return {}

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
        self._keep(kept, changed(kept.standing, status=OrderStatus.EXPIRED_UNSENT, reason=reason))
        return True

    def book(self, fill: Fill) -> None:
        """Count a fill towards its order. Raises StateError when it does not fit."""
        kept = self._known(fill.client_order_id)
        filled = kept.standing.filled + fill.quantity
        if filled > kept.intent.quantity or (fill.symbol, fill.side) != (kept.intent.symbol, kept.intent.side):
            raise StateError(f"Fill {fill.execution_id} does not fit order {fill.client_order_id}.")
        self._keep(kept, after_booking(kept.standing, filled))

    def _kept_of(self, cycle_id: str) -> tuple[tuple[Decision, ...], tuple[OrderIntent, ...]]:
        newest, decisions, intents = self._newest
        if newest == cycle_id:
            return decisions, intents
        if cycle_id in self._decided:
            raise StateError(f"A backtest keeps the decisions of its newest cycle, {newest}, and not of {cycle_id}.")
        return (), ()

    def _known(self, order_id: ClientOrderId) -> _Kept:
        if order_id not in self._orders:
            raise StateError(f"Order {order_id} has no intent in the book, so it may not be sent.")
        return self._orders[order_id]

    def _keep(self, kept: _Kept, standing: Standing) -> None:
        kept.standing = standing
        if standing.settled:
            self._open.pop(kept.intent.client_order_id, None)


def _open(kept: _Kept) -> OpenOrder:
    return OpenOrder(kept.intent, kept.standing.status, kept.standing.filled, kept.standing.reported)


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
        stop_price=intent.stop_price,
    )
