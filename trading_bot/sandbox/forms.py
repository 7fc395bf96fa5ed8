"""What an order says, and whether it makes sense: the broker's own checks, in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from trading_bot.domain.money import ZERO, tick
from trading_bot.sandbox.refusals import unprocessable

TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES = ("day", "gtc", "opg", "cls", "ioc", "fok")
CLASSES = ("", "simple", "bracket", "oto", "oco")
WORKING = ("day", "gtc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order as it was asked for, its form checked."""

    symbol: str
    side: str
    type: str
    quantity: Decimal  # 0 where it is over dollars
    notional: Decimal | None
    time_in_force: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    extended_hours: bool
    order_class: str
    take_profit: Decimal | None
    stop_loss: Decimal | None
    stop_loss_limit: Decimal | None
    client_order_id: str


def read_order(body: Mapping[str, Any], spare_id: str) -> Wanted:
    """Check the form of an order. Raises Refusal. Numbers are taken as text or as numbers."""
    quantity, gain, loss = _number(body, "qty"), _part(body, "take_profit"), _part(body, "stop_loss")
    wanted = Wanted(
        symbol=str(body.get("symbol", "")),
        side=_word(body, "side", ("buy", "sell")),
        type=_word(body, "type", TYPES),
        quantity=ZERO if quantity is None else quantity,
        notional=_number(body, "notional"),
        time_in_force=_word(body, "time_in_force", TIMES),
        limit_price=_number(body, "limit_price"),
        stop_price=_number(body, "stop_price"),
        trail_price=_number(body, "trail_price"),
        trail_percent=_number(body, "trail_percent"),
        extended_hours=bool(body.get("extended_hours", False)),
        order_class=_word({"order_class": "", **body}, "order_class", CLASSES),
        take_profit=_number(gain, "limit_price"),
        stop_loss=_number(loss, "stop_price"),
        stop_loss_limit=_number(loss, "limit_price"),
        client_order_id=str(body.get("client_order_id") or spare_id),
    )
    if len(wanted.client_order_id) > 128:
        raise unprocessable("client_order_id must be no more than 128 characters")
    _check_size(wanted)
    _check_prices(wanted)
    _check_class(wanted)
    return wanted


def _check_size(wanted: Wanted) -> None:
    if wanted.notional is not None:
        if wanted.quantity or wanted.type != "market" or wanted.time_in_force != "day" or wanted.notional <= 0:
            raise unprocessable("notional orders must be market DAY orders, without qty")
        return
    if wanted.quantity <= 0:
        raise unprocessable("qty must be > 0")
    if wanted.quantity != wanted.quantity.to_integral_value() and wanted.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")


def _check_prices(wanted: Wanted) -> None:
    kind = wanted.type
    own_limit = kind in ("limit", "stop_limit") and wanted.order_class != "oco"
    _check_price("limit", wanted.limit_price, wanted=own_limit, kind=kind)
    _check_price("stop", wanted.stop_price, wanted=kind in ("stop", "stop_limit"), kind=kind)
    trails = [trail for trail in (wanted.trail_price, wanted.trail_percent) if trail is not None]
    if len(trails) != (kind == "trailing_stop") or any(trail <= 0 for trail in trails):
        raise unprocessable("trailing_stop orders require one of trail_price and trail_percent, > 0")
    if kind not in ("market", "limit") and wanted.time_in_force not in WORKING:
        raise unprocessable("invalid time_in_force for order type")
    if wanted.extended_hours and (kind != "limit" or wanted.time_in_force not in WORKING):
        raise unprocessable("extended hours order must be DAY limit orders")


def _check_class(wanted: Wanted) -> None:
    exits = (wanted.take_profit is not None) + (wanted.stop_loss is not None)
    if exits != {"bracket": 2, "oco": 2, "oto": 1}.get(wanted.order_class, 0):
        raise unprocessable(f"{wanted.order_class or 'simple'} orders do not take {exits} exits")
    if wanted.order_class in ("", "simple"):
        return
    if wanted.order_class == "oco" and wanted.type != "limit":
        raise unprocessable("oco orders require type limit")
    if wanted.time_in_force not in WORKING or wanted.quantity % 1 or wanted.notional is not None:
        raise unprocessable("complex orders must be DAY or GTC orders over whole shares")
    for name, price in (("limit", wanted.take_profit), ("stop", wanted.stop_loss), ("limit", wanted.stop_loss_limit)):
        _check_price(name, price, wanted=price is not None, kind=wanted.order_class)


def _check_price(name: str, price: Decimal | None, *, wanted: bool, kind: str) -> None:
    if wanted and (price is None or price <= 0):
        raise unprocessable(f"{kind} orders require {name} price")
    if not wanted and price is not None:
        raise unprocessable(f"{kind} orders require no {name} price")
    if price is not None and price % tick(price) != ZERO:
        raise unprocessable(
            f"invalid {name}_price {price}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _word(body: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    said = str(body.get(name, ""))
    if said not in words:
        raise unprocessable(f"invalid {name} {said!r}")
    return said


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: object = body.get(name) or {}
    if not isinstance(part, dict):
        raise unprocessable(f"{name} is no object")
    return cast("Mapping[str, Any]", part)


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise unprocessable(f"{name} is no number") from None
    return number if number.is_finite() else None
