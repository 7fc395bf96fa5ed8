"""What was decided, what was sent, and what became of it. Nothing is sent that is not in here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, bindparam, false, insert, select, update

from trading_bot.domain.cycle import Lease, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, StateError
from trading_bot.domain.orders import ClientOrderId, Decision, OpenOrder, OrderIntent, OrderStatus, OrderUpdate
from trading_bot.domain.track_record import RATE_WINDOW, OrdersSent
from trading_bot.state import lease as leases
from trading_bot.state import rows
from trading_bot.state.control import trading_state
from trading_bot.state.cycles import running_cycle
from trading_bot.state.schema import cycles, decisions, intents, orders, signals
from trading_bot.state.standings import load_standings, save_standings
from trading_bot.state.transitions import after_update
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.inputs import CycleRecord
    from trading_bot.domain.ports import Clock

_INSERT_SIGNALS = insert(signals)
_INSERT_DECISIONS = insert(decisions)
_INSERT_INTENTS = insert(intents)
_INSERT_ORDERS = insert(orders)
_DECIDED = update(cycles).where(cycles.c.cycle_id == bindparam("id"))
_DECISIONS = (
    select(decisions, *(column.label(f"signal_{column.name}") for column in signals.c))
    .join(decisions, (decisions.c.cycle_id == signals.c.cycle_id) & (decisions.c.number == signals.c.number))
    .where(signals.c.cycle_id == bindparam("id"))
    .order_by(signals.c.number)
)
_INTENTS = select(intents).order_by(intents.c.cycle_id, intents.c.decision)
_ORDERS = (
    select(intents, orders, cycles.c.decided_at).join(orders).join(cycles, cycles.c.cycle_id == intents.c.cycle_id)
)
_WHEN = (
    select(cycles.c.scheduled_at)
    .join(intents, intents.c.cycle_id == cycles.c.cycle_id)
    .where(cycles.c.session == bindparam("session"))
)
_SENT_AT = select(orders.c.sent_at).where(orders.c.client_order_id == bindparam("id"))
_UPDATE_ORDER = update(orders).where(orders.c.client_order_id == bindparam("id"))


class Journal:
    """Decisions, intents and orders. Every write proves in its own transaction that the lease is ours."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database = database
        self._clock = clock

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
        """Write down every signal, its decision, what it rests on and the orders that follow: all of it, or nothing.

        When this returns, a power cut cannot undo it; only then may an order be sent.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: the cycle is not running or has decided before; an intent and the decisions
                disagree; an entry though the cycle began when the state was not ACTIVE.
        """
        from trading_bot.state import recording  # who only reads decisions needs no market

        numbered = dict(enumerate(decisions))
        matched = rows.match_intents(numbered, {intent.client_order_id: intent for intent in intents})
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            _may_decide(connection, cycle_id, intents)
            connection.execute(_DECIDED, {"id": cycle_id, "decided_at": now, "market_hash": market_hash})
            if record is not None:
                recording.keep(connection, cycle_id, record)
            if numbered:
                found = [rows.signal_cells(cycle_id, n, d.signal) for n, d in numbered.items()]
                connection.execute(_INSERT_SIGNALS, found)
                connection.execute(
                    _INSERT_DECISIONS, [rows.decision_cells(cycle_id, n, d) for n, d in numbered.items()]
                )
            if intents:
                carried = [rows.intent_cells(intent, matched[intent.client_order_id]) for intent in intents]
                connection.execute(_INSERT_INTENTS, carried)
                connection.execute(_INSERT_ORDERS, [rows.new_order_cells(intent) for intent in intents])

    def decisions(self, cycle_id: str) -> tuple[Decision, ...]:
        """Return the cycle's decisions in their order, bit for bit as they were committed."""
        with self._database.reading() as connection:
            return tuple(rows.decision_of(row) for row in connection.execute(_DECISIONS, {"id": cycle_id}))

    def intents(self, cycle_id: str) -> tuple[OrderIntent, ...]:
        """Return the cycle's intents in the order of their decisions."""
        with self._database.reading() as connection:
            found = connection.execute(_INTENTS.where(intents.c.cycle_id == cycle_id))
            return tuple(rows.intent_of(row) for row in found)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return every order, of any cycle, that something can still come from.

        That is every order whose status is not final, and a final one while the broker has reported
        more shares filled than are booked: its fills have yet to be fetched.
        """
        query = _ORDERS.where(orders.c.settled == false()).order_by(cycles.c.decided_at, intents.c.decision)
        with self._database.reading() as connection:
            return tuple(rows.open_order_of(row) for row in connection.execute(query))

    def orders_sent(self, session: date, at: datetime) -> OrdersSent:
        """Return how many orders the cycles of `session` have decided on, in all and in the minute before `at`."""
        with self._database.reading() as connection:
            times = connection.scalars(_WHEN, {"session": session}).all()
        return OrdersSent(len(times), sum(at - RATE_WINDOW < time <= at for time in times))

    def given_up(self, since: date) -> tuple[OpenOrder, ...]:
        """Return the orders of the sessions from `since` on that ended as never arrived, though a sending was begun."""
        theirs = (
            orders.c.status == OrderStatus.EXPIRED_UNSENT,
            orders.c.sent_at.is_not(None),
            cycles.c.session >= since,
        )
        with self._database.reading() as connection:
            found = connection.execute(_ORDERS.where(*theirs).order_by(cycles.c.decided_at, intents.c.decision))
            return tuple(rows.open_order_of(row) for row in found)

    def order_updates(self, cycle_id: str) -> tuple[OrderUpdate, ...]:
        """Return the cycle's orders as they stand, in the order of their decisions."""
        query = _ORDERS.where(intents.c.cycle_id == cycle_id).order_by(intents.c.decision)
        with self._database.reading() as connection:
            return tuple(rows.update_of(row) for row in connection.execute(query))

    def mark_sending(self, client_order_id: ClientOrderId, lease: Lease) -> None:
        """Set the order UNKNOWN, durably, immediately before it is sent: the last gate.

        May be called again for an order that is still UNKNOWN, to send it again under the same id.

        Raises:
            LeaseLost: the lease is not ours any more.
            CycleSkipped: the trading state lets no order through, or no entry (HALTED, PAUSED, REDUCING).
            StateError: the order is not in the book, or the broker has it already.
        """
        held_back = self.mark_all_sending([client_order_id], lease)
        if held_back:
            raise held_back[client_order_id]

    def mark_all_sending(self, order_ids: Sequence[ClientOrderId], lease: Lease) -> dict[ClientOrderId, CycleSkipped]:
        """Do so for several orders that are sent at once, in one transaction; return those that may not be, and why.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: an order is not in the book, or the broker has it already. Then none is set.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            state = trading_state(connection)
            found = connection.execute(_ORDERS.where(intents.c.client_order_id.in_(order_ids)))
            known = {ClientOrderId(row.client_order_id): row for row in found}
            refused = {order_id: _why_not(order_id, known.get(order_id), state) for order_id in order_ids}
            sent = [order_id for order_id, why in refused.items() if why is None]
            for order_id in sent:
                connection.execute(_UPDATE_ORDER, {"id": order_id, "status": OrderStatus.UNKNOWN, "sent_at": now})
        return {order_id: why for order_id, why in refused.items() if why is not None}

    def record_updates(self, lease: Lease, updates: Sequence[OrderUpdate]) -> tuple[OrderUpdate, ...]:
        """Write down the broker's words and return those that changed something.

        Old, repeated and impossible ones are ignored: see `transitions`.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: an update for an order that is not in the book.
        """
        changed: list[OrderUpdate] = []
        with self._database.writing() as connection:
            leases.require(connection, lease, self._clock.now())
            standings = load_standings(connection, [word.client_order_id for word in updates])
            for word in updates:
                new = after_update(standings[word.client_order_id], word)
                if new != standings[word.client_order_id]:
                    standings[word.client_order_id] = new
                    changed.append(word)
            save_standings(connection, {w.client_order_id: standings[w.client_order_id] for w in changed})
        return tuple(changed)

    def expire_unsent(
        self, client_order_id: ClientOrderId, lease: Lease, reason: str, *, sent_before: datetime | None = None
    ) -> bool:
        """End an order that never reached the broker, and say whether it has ended.

        With `sent_before`, an order whose newest sending began then or later goes on: it may be on its way.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: the broker has the order, or it is not in the book.
        """
        with self._database.writing() as connection:
            leases.require(connection, lease, self._clock.now())
            old = load_standings(connection, [client_order_id])[client_order_id]
            if old.status is OrderStatus.EXPIRED_UNSENT:
                return True
            if old.status not in (OrderStatus.INTENDED, OrderStatus.UNKNOWN) or old.reported > 0:
                raise StateError(f"Order {client_order_id} is {old.status.value}: the broker has it.")
            sent_at = connection.scalar(_SENT_AT, {"id": client_order_id})
            if sent_at is not None and sent_before is not None and sent_at >= sent_before:
                return False
            values = {"status": OrderStatus.EXPIRED_UNSENT, "reason": reason, "settled": True}
            connection.execute(_UPDATE_ORDER, {"id": client_order_id, **values})
            return True


def _may_decide(connection: Connection, cycle_id: str, wanted: Sequence[OrderIntent]) -> None:
    cycle = running_cycle(connection, cycle_id)
    if cycle.decided:
        raise StateError(f"Cycle {cycle_id} has decided already; its decisions stand.")
    for intent in wanted:
        if intent.cycle_id != cycle_id:
            raise StateError(f"Intent {intent.client_order_id} belongs to cycle {intent.cycle_id}, not {cycle_id}.")
        if intent.purpose.is_entry and cycle.state is not TradingState.ACTIVE:
            raise StateError(f"Intent {intent.client_order_id} is an entry, but cycle {cycle_id} began {cycle.state}.")


def _why_not(order_id: ClientOrderId, row: Row[Any] | None, state: TradingState) -> CycleSkipped | None:
    """Return what the trading state has against sending an order. Raises StateError for one that cannot be sent."""
    if row is None:
        raise StateError(f"Order {order_id} has no intent in the book, so it may not be sent.")
    if (why := _held_back(rows.intent_of(row), state)) is not None:
        return why
    if row.status not in (OrderStatus.INTENDED, OrderStatus.UNKNOWN) or row.reported > 0:
        raise StateError(f"Order {order_id} is {row.status.value}; the broker has it, so it may not be sent again.")
    return None


def _held_back(intent: OrderIntent, state: TradingState) -> CycleSkipped | None:
    if state is TradingState.ACTIVE or (state is TradingState.REDUCING and not intent.purpose.is_entry):
        return None
    reason = {
        TradingState.PAUSED: SkipReason.PAUSED,
        TradingState.HALTED: SkipReason.HALTED,
        TradingState.REDUCING: SkipReason.REDUCING,
    }[state]
    return CycleSkipped(reason, f"Order {intent.client_order_id} was not sent: trading is {state.value} now.")
