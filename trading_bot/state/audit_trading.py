"""The laws of deciding and ordering: signal, decision, intent, order, fill."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, select

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OrderStatus
from trading_bot.state.records import Violation
from trading_bot.state.schema import cycles, decisions, fills, intents, orders, signals
from trading_bot.state.standings import standing_of

ONE_DECISION = "every signal has exactly one decision"
APPROVED_WITHIN_REQUESTED = "a decision approves at most what was requested"
INTENT_AS_APPROVED = "an intent is over just what its decision approved"
ORDER_AND_INTENT = "every order has an intent and every intent an order"
ENTRY_WHILE_ACTIVE = "no entry in a cycle that began while trading was not active"
FILL_HAS_ORDER = "every fill belongs to an order"
FILL_ONCE = "every execution is booked once"
FILLED_IS_SUM = "filled is the sum of the order's fills"
FILLED_WITHIN_ORDERED = "filled is at most what was ordered"
FINAL_IS_FINAL = "a final order agrees with its fills"

_FILLED_NOTHING = (OrderStatus.INTENDED, OrderStatus.REJECTED, OrderStatus.EXPIRED_UNSENT)


def violations(connection: Connection) -> Iterator[Violation]:
    """Yield what is wrong between signals, decisions, intents, orders and fills."""
    yield from _decisions(connection)
    yield from _intents(connection)
    yield from _orders(connection)


def _all(connection: Connection, *wanted: Table | Column[Any]) -> list[Row[Any]]:
    return list(connection.execute(select(*wanted)))


def _decisions(connection: Connection) -> Iterator[Violation]:
    wanted = {(row.cycle_id, row.number) for row in _all(connection, signals.c.cycle_id, signals.c.number)}
    d = decisions.c
    found = _all(connection, d.cycle_id, d.number, d.outcome, d.requested, d.approved)
    count = Counter((row.cycle_id, row.number) for row in found)
    for key in sorted(wanted | set(count)):
        if key not in wanted or count[key] != 1:
            kind = "signal" if key in wanted else "no signal"
            yield Violation(ONE_DECISION, f"{key[0]} #{key[1]}", f"{kind} with {count[key]} decisions, wanted 1")
    for row in found:
        trimmed = row.approved < row.requested
        fits = {"approved": row.approved == row.requested, "resized": trimmed and row.approved > 0}
        if row.approved > row.requested or not fits.get(row.outcome, row.approved == 0):
            subject = f"{row.cycle_id} #{row.number}"
            message = f"{row.outcome} {row.approved} of {row.requested} shares requested"
            yield Violation(APPROVED_WITHIN_REQUESTED, subject, message)


def _intents(connection: Connection) -> Iterator[Violation]:
    d = decisions.c
    approved = {(row.cycle_id, row.number): row.approved for row in _all(connection, d.cycle_id, d.number, d.approved)}
    began = {row.cycle_id: row.state for row in _all(connection, cycles.c.cycle_id, cycles.c.state)}
    intended: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for row in _all(connection, intents):
        intended[row.cycle_id, row.decision] += row.quantity
        if row.purpose.is_entry and began.get(row.cycle_id) is not TradingState.ACTIVE:
            state = began.get(row.cycle_id) or "unknown"
            yield Violation(ENTRY_WHILE_ACTIVE, row.client_order_id, f"an entry of a cycle that began {state}")
    for key in sorted(approved.keys() | intended.keys()):
        if approved.get(key, ZERO) != intended[key]:
            message = f"intents over {intended[key]} shares, {approved.get(key, 'nothing')} approved"
            yield Violation(INTENT_AS_APPROVED, f"{key[0]} #{key[1]}", message)


def _orders(connection: Connection) -> Iterator[Violation]:
    ordered = {
        row.client_order_id: row.quantity for row in _all(connection, intents.c.client_order_id, intents.c.quantity)
    }
    found = {row.client_order_id: row for row in _all(connection, orders)}
    for order_id in sorted(ordered.keys() ^ found.keys()):
        has, lacks = ("an intent", "an order") if order_id in ordered else ("an order", "an intent")
        yield Violation(ORDER_AND_INTENT, order_id, f"{has} without {lacks}")
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    booked = _all(connection, fills.c.execution_id, fills.c.client_order_id, fills.c.quantity)
    for row in booked:
        filled[row.client_order_id] += row.quantity
        if row.client_order_id not in found:
            yield Violation(FILL_HAS_ORDER, row.execution_id, f"its order {row.client_order_id} is not in the book")
    for execution_id, count in Counter(row.execution_id for row in booked).items():
        if count > 1:
            yield Violation(FILL_ONCE, execution_id, f"booked {count} times")
    for order_id, row in found.items():
        yield from _order(row, filled[order_id], ordered.get(order_id, ZERO))


def _order(row: Row[Any], filled: Decimal, ordered: Decimal) -> Iterator[Violation]:
    order_id = row.client_order_id
    if row.filled != filled:
        yield Violation(FILLED_IS_SUM, order_id, f"filled {row.filled}, its fills add up to {filled}")
    if max(row.filled, filled) > ordered:
        yield Violation(FILLED_WITHIN_ORDERED, order_id, f"filled {max(row.filled, filled)}, ordered {ordered}")
    if row.status in _FILLED_NOTHING and filled:
        yield Violation(FINAL_IS_FINAL, order_id, f"{row.status.value}, but {filled} shares were filled")
    if row.status is OrderStatus.FILLED and row.reported != ordered:
        yield Violation(FINAL_IS_FINAL, order_id, f"filled with {row.reported} of {ordered} shares")
    if row.settled != standing_of(row).settled:
        message = f"settled={row.settled} though {row.status.value} with {row.filled} of {row.reported} shares booked"
        yield Violation(FINAL_IS_FINAL, order_id, message)
