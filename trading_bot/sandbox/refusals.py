"""What the broker refuses, in its own words: HTTP status, code, message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from trading_bot.domain.money import ZERO, tick

TYPES = ("market", "limit", "stop")
TIMES = ("day", "gtc")


class Refusal(Exception):
    """The broker's no: HTTP status, the broker's code, and its words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        """Keep all three."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def unprocessable(message: str, code: int = 42210000) -> Refusal:
    """Return the answer to an order that makes no sense."""
    return Refusal(422, code, message)


def forbidden(message: str) -> Refusal:
    """Return the answer to an order that the account may not give."""
    return Refusal(403, 40310000, message)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order as it was asked for, its form checked."""

    symbol: str
    side: str
    type: str
    quantity: Decimal
    time_in_force: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    extended_hours: bool
    client_order_id: str


def read_order(body: Mapping[str, Any], spare_id: str) -> Wanted:
    """Check the form of an order. Raises Refusal. Numbers are taken as text or as numbers."""
    kind, times = str(body.get("type", "")), str(body.get("time_in_force", ""))
    side, symbol = str(body.get("side", "")), str(body.get("symbol", ""))
    if kind not in TYPES:
        raise unprocessable(f"the sandbox knows no order type {kind!r}")
    if times not in TIMES:
        raise unprocessable("invalid time_in_force")
    if side not in ("buy", "sell"):
        raise unprocessable("invalid side")
    quantity, limit, stop = _number(body, "qty"), _number(body, "limit_price"), _number(body, "stop_price")
    if quantity is None or quantity <= 0:
        raise unprocessable("qty must be > 0")
    _check_price("limit", limit, wanted=kind == "limit", kind=kind)
    _check_price("stop", stop, wanted=kind == "stop", kind=kind)
    extended = bool(body.get("extended_hours", False))
    if extended and kind != "limit":
        raise unprocessable("extended hours order must be DAY limit orders")
    if quantity != quantity.to_integral_value() and times != "day":
        raise unprocessable("fractional orders must be DAY orders")
    order_id = str(body.get("client_order_id") or spare_id)
    if len(order_id) > 128:
        raise unprocessable("client_order_id must be no more than 128 characters")
    return Wanted(symbol, side, kind, quantity, times, limit, stop, extended, order_id)


def _check_price(name: str, price: Decimal | None, *, wanted: bool, kind: str) -> None:
    if wanted and (price is None or price <= 0):
        raise unprocessable(f"{kind} orders require {name} price")
    if not wanted and price is not None:
        raise unprocessable(f"{kind} orders require no {name} price")
    if price is not None and price % tick(price) != ZERO:
        raise unprocessable(
            f"invalid {name}_price {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise unprocessable(f"{name} is no number") from None
    return number if number.is_finite() else None
