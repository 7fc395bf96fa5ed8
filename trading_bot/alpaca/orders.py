"""What Alpaca says of orders, executions, positions and the account, as our records.

The models are tolerant: a word that is new to us changes nothing but the field it stands in, and an order's status
that we do not know is UNKNOWN, which is not final.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trading_bot.alpaca.ticket import Ticket
from trading_bot.domain.errors import BrokerUnavailable
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import (
    ClientOrderId,
    ExecutionId,
    Fill,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Side,
)
from trading_bot.domain.portfolio import Position
from trading_bot.domain.ports import BrokerAccount, TradingCalendar
from trading_bot.domain.symbols import Symbol

log = logging.getLogger(__name__)

Document = Mapping[str, Any]

# docs.alpaca.markets/docs/orders-at-alpaca, "Order lifecycle". What works or waits is ACCEPTED.
STATUSES: Mapping[str, OrderStatus] = {
    "accepted": OrderStatus.ACCEPTED,
    "accepted_for_bidding": OrderStatus.ACCEPTED,
    "calculated": OrderStatus.ACCEPTED,
    "canceled": OrderStatus.CANCELED,
    "done_for_day": OrderStatus.ACCEPTED,  # works again tomorrow, unless it expires
    "expired": OrderStatus.EXPIRED,
    "filled": OrderStatus.FILLED,
    "held": OrderStatus.ACCEPTED,
    "new": OrderStatus.ACCEPTED,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "pending_cancel": OrderStatus.ACCEPTED,  # until it is cancelled it may fill
    "pending_new": OrderStatus.ACCEPTED,
    "pending_replace": OrderStatus.ACCEPTED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.CANCELED,  # what is left goes on under another id, which is not ours
    "stopped": OrderStatus.ACCEPTED,
    "suspended": OrderStatus.ACCEPTED,
}
REASONS: Mapping[str, str] = {
    "canceled": "cancelled at the broker",
    "expired": "its time was over",
    "rejected": "rejected by the broker",
    "replaced": "replaced by another order at the broker",
}
TYPES = {kind.value: kind for kind in OrderType}


def order_of(document: object) -> OrderUpdate:
    """Return an order. Raises BrokerUnavailable when the answer is none: then nothing is known about it."""
    fields = _fields(document, "an order")
    said = str(fields.get("status", ""))
    filled = number(fields, "filled_qty")
    return OrderUpdate(
        client_order_id=ClientOrderId(text(fields, "client_order_id")),
        broker_order_id=text(fields, "id"),
        symbol=Symbol(text(fields, "symbol")),
        side=_side(fields),
        type=_type(fields),
        quantity=filled if fields.get("qty") is None else number(fields, "qty"),  # an order over dollars has no shares
        filled=filled,
        status=_status(said, filled, fields),
        reason=_reason(said, fields),
        updated_at=instant(fields, "updated_at"),
        limit_price=_price(fields, "limit_price"),
        stop_price=_price(fields, "stop_price"),
    )


def submitted_at(document: object) -> datetime:
    """Return when the broker got the order. Raises BrokerUnavailable when the answer is none."""
    return instant(_fields(document, "an order"), "submitted_at")


def is_ours_to_read(document: object) -> bool:
    """Say whether an order is of a kind that we have words for: in shares, and of a type we know."""
    fields = _fields(document, "an order")
    return fields.get("qty") is not None and fields.get("type") in TYPES


def refused_order(ticket: Ticket, reason: str, at: datetime) -> OrderUpdate:
    """Return the answer to an order that was not taken."""
    return OrderUpdate(
        client_order_id=ticket.client_order_id,
        broker_order_id="",
        symbol=ticket.symbol,
        side=ticket.side,
        type=ticket.type,
        quantity=ZERO if ticket.quantity is None else ticket.quantity,
        filled=ZERO,
        status=OrderStatus.REJECTED,
        reason=reason,
        updated_at=at,
        limit_price=ticket.limit_price,
        stop_price=ticket.stop_price,
    )


def fill_of(document: object, order_id: ClientOrderId, calendar: TradingCalendar) -> Fill:
    """Return an execution of the order with our id. Raises BrokerUnavailable when the answer is none."""
    fields = _fields(document, "an execution")
    at = instant(fields, "transaction_time")
    return Fill(
        execution_id=ExecutionId(text(fields, "id")),
        client_order_id=order_id,
        symbol=Symbol(text(fields, "symbol")),
        side=_side(fields),
        quantity=number(fields, "qty"),
        price=number(fields, "price"),
        fee=ZERO,  # Alpaca books its fees apart, at the end of the day
        session=calendar.newest_session(at),
        filled_at=at,
    )


def account_of(document: object, mode: str) -> BrokerAccount:
    """Return the account. Raises BrokerUnavailable when the answer is none."""
    fields = _fields(document, "an account")
    stops = ("account_blocked", "trading_blocked", "trade_suspended_by_user")
    equity = _as_said(fields.get("equity"))
    return BrokerAccount(
        account_id=text(fields, "account_number"),
        mode=mode,
        cash=cents(number(fields, "cash")),
        buying_power=cents(number(fields, "buying_power")),
        equity=equity,
        margin_call=_below(equity, fields.get("maintenance_margin")),
        fees_due=_fees_due(_as_said(fields.get("accrued_fees"))),
        blocked=any(bool(fields.get(name)) for name in stops) or fields.get("status") in ("ACCOUNT_CLOSED", "REJECTED"),
    )


def _fees_due(said: Decimal | None) -> Decimal:
    """Return fees that will be charged, 0 where no number is said: then they explain nothing."""
    return cents(abs(said)) if said is not None and said.is_finite() else ZERO


def _as_said(value: object) -> Decimal | None:
    """Return a number as it is said, NaN for what is none; None where nothing is said."""
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal("NaN")


def _below(equity: Decimal | None, needed: object) -> bool:
    """Say whether the equity is less than the margin that positions need; where either is not said it is not."""
    wanted = _as_said(needed)
    if equity is None or wanted is None or not (equity.is_finite() and wanted.is_finite()):
        return False
    return equity < wanted


def position_of(document: object) -> Position:
    """Return a position; a short one has negative shares. Raises BrokerUnavailable when the answer is none."""
    fields = _fields(document, "a position")
    shares = abs(number(fields, "qty"))
    quantity = -shares if fields.get("side") == "short" else shares
    return Position(Symbol(text(fields, "symbol")), quantity, number(fields, "avg_entry_price"))


def text(fields: Document, name: str) -> str:
    """Return a field that must be there."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BrokerUnavailable(f"Alpaca's answer has no {name}")
    return value


def number(fields: Document, name: str) -> Decimal:
    """Return a number that must be there, as text or not."""
    value = fields.get(name)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise BrokerUnavailable(f"Alpaca's answer has {name}={value!r}, wanted a number") from None
    if not found.is_finite():
        raise BrokerUnavailable(f"Alpaca's answer has {name}={value!r}, wanted a number")
    return found


def _price(fields: Document, name: str) -> Decimal | None:
    return number(fields, name) if fields.get(name) is not None else None


def instant(fields: Document, name: str) -> datetime:
    """Return an instant that must be there, aware, in UTC. What has no zone is UTC."""
    value = fields.get(name)
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise BrokerUnavailable(f"Alpaca's answer has {name}={value!r}, wanted an instant") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _fields(document: object, what: str) -> Document:
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"Alpaca's answer is not {what} but {type(document).__name__}")
    return document  # pyright: ignore[reportUnknownVariableType]  # its fields are checked one by one


def _status(said: str, filled: Decimal, fields: Document) -> OrderStatus:
    status = STATUSES.get(said)
    if status is None:
        log.error("Alpaca says of order %s that it is %r, which we do not know", fields.get("client_order_id"), said)
        return OrderStatus.UNKNOWN
    return OrderStatus.PARTIALLY_FILLED if filled and status is OrderStatus.ACCEPTED else status


def _reason(said: str, fields: Document) -> str:
    if said == "replaced":
        return f"{REASONS[said]}: {fields.get('replaced_by')}"
    return REASONS.get(said, "")


def _side(fields: Document) -> Side:
    """Return the side; Alpaca calls a sale that opens a short position sell_short."""
    said = text(fields, "side")
    if said not in ("buy", "sell", "sell_short"):
        raise BrokerUnavailable(f"Alpaca's answer has side={said!r}, wanted buy or sell")
    return Side.BUY if said == "buy" else Side.SELL


def _type(fields: Document) -> OrderType:
    said = fields.get("type")
    if said not in TYPES:
        raise BrokerUnavailable(f"Alpaca's answer has type={said!r}, wanted one of {', '.join(TYPES)}")
    return TYPES[said]
