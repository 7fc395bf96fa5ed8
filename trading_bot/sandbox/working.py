"""How orders work at the sandbox: what becomes of each at a price, and which ones come and end together."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Side
from trading_bot.sandbox.forms import Wanted
from trading_bot.sandbox.market import SandboxMarket
from trading_bot.sandbox.orders import SandboxOrder

PART = Decimal("0.000000001")  # of a share, the smallest
EARLY, LATE = timedelta(hours=5, minutes=30), timedelta(hours=10, minutes=30)  # 4:00 and 20:00, from the open
NO_TIME, AFTER_HOURS = timedelta(0), timedelta(hours=4)  # from the close until orders of the day end
AT_ONCE = ("ioc", "fok")


def accepted(wanted: Wanted, order_id: str, at: datetime) -> SandboxOrder:
    """Return the order as it comes in; the one with the gain where two exits come together."""
    is_oco = wanted.order_class == "oco"
    return SandboxOrder(
        id=order_id,
        client_order_id=wanted.client_order_id,
        symbol=wanted.symbol,
        side=Side(wanted.side),
        type=wanted.type,
        quantity=wanted.quantity,
        time_in_force=wanted.time_in_force,
        status="accepted",
        submitted_at=at,
        updated_at=at,
        limit_price=wanted.take_profit if is_oco else wanted.limit_price,
        stop_price=wanted.stop_price,
        trail_price=wanted.trail_price,
        trail_percent=wanted.trail_percent,
        notional=wanted.notional,
        order_class=wanted.order_class,
        group=order_id if wanted.order_class not in ("", "simple") else "",
        extended_hours=wanted.extended_hours,
    )


def legs_of(wanted: Wanted, first: SandboxOrder, names: uuid.UUID) -> Iterator[SandboxOrder]:
    """Give the exits that come with an order: held until it has filled, or working beside it."""
    is_oco = wanted.order_class == "oco"
    side = first.side if is_oco else Side.SELL if first.side is Side.BUY else Side.BUY
    leg = replace(first, side=side, type="limit", limit_price=None, status="accepted" if is_oco else "held")
    if wanted.take_profit is not None and not is_oco:
        yield _named(replace(leg, limit_price=wanted.take_profit), "gain", names)
    if wanted.stop_loss is not None:
        kind = "stop" if wanted.stop_loss_limit is None else "stop_limit"
        found = replace(leg, type=kind, stop_price=wanted.stop_loss, limit_price=wanted.stop_loss_limit)
        yield _named(found, "loss", names)


def siblings(order: SandboxOrder, orders: Iterable[SandboxOrder]) -> list[SandboxOrder]:
    """Return the open orders that came with this one."""
    if not order.group:
        return []
    return [other for other in orders if other.group == order.group and other.id != order.id and other.is_open]


def claimed_by(orders: Iterable[SandboxOrder]) -> Mapping[str, Decimal]:
    """Return the shares that open sales have claimed, by symbol: of two exits that came together one trades."""
    selling = [order for order in orders if order.side is Side.SELL and not order.waits_for_entry]
    found: dict[str, Decimal] = {}
    for (symbol, _), shares in {(order.symbol, order.group or order.id): order.remaining for order in selling}.items():
        found[symbol] = found.get(symbol, ZERO) + shares
    return found


def canceled(order: SandboxOrder, at: datetime) -> SandboxOrder:
    """Return the order after its end by a cancel."""
    return replace(order, status="canceled", updated_at=at, canceled_at=at)


def at_price(order: SandboxOrder, price: Decimal) -> SandboxOrder:
    """Return the order after a price was seen: a trail is drawn after it, a stop is reached, dollars are shares."""
    if order.notional is not None and not order.filled:
        order = replace(order, quantity=(order.notional / price).quantize(PART, rounding=ROUND_DOWN))
    if order.type == "trailing_stop" and not order.triggered:
        order = _trailed(order, price)
    stop = order.stop_price
    if stop is not None and not order.triggered and (price >= stop if order.side is Side.BUY else price <= stop):
        order = replace(order, triggered=True)
    return order


def trades_at(order: SandboxOrder, price: Decimal) -> bool:
    """Say whether an order that was brought up to a price trades at it."""
    if order.waits_for_entry or (order.stop_price is not None and not order.triggered and not order.filled):
        return False
    limit = order.limit_price
    return limit is None or (price <= limit if order.side is Side.BUY else price >= limit)


def auction_of(order: SandboxOrder, market: SandboxMarket) -> datetime | None:
    """Return when the auction is that the order is for; None where it is for none."""
    if order.time_in_force == "opg":
        return market.next_open(order.submitted_at)
    return market.next_close(order.submitted_at) if order.time_in_force == "cls" else None


def may_trade(order: SandboxOrder, market: SandboxMarket, at: datetime) -> bool:
    """Say whether the order's hours run."""
    if market.is_open(at) or not order.extended_hours:
        return market.is_open(at)
    day = at.date()
    opens = market.calendar.open_of(day) if market.calendar.is_session(day) else None
    return opens is not None and opens - EARLY <= at < opens + LATE


def time_is_over(order: SandboxOrder, market: SandboxMarket, at: datetime) -> bool:
    """Say whether what has not traded by now ends: after its auction, or with its day."""
    if (auction := auction_of(order, market)) is not None:
        return at >= auction
    if order.time_in_force != "day" or market.always_open:
        return False
    return at >= market.next_close(order.submitted_at) + (AFTER_HOURS if order.extended_hours else NO_TIME)


def _trailed(order: SandboxOrder, price: Decimal) -> SandboxOrder:
    buying, before = order.side is Side.BUY, order.highest
    highest = price if before is None else (min if buying else max)(before, price)
    trail = order.trail_price if order.trail_price is not None else highest * (order.trail_percent or 0) / 100
    return replace(order, highest=highest, stop_price=highest + trail if buying else highest - trail)


def _named(leg: SandboxOrder, role: str, names: uuid.UUID) -> SandboxOrder:
    name = str(uuid.uuid5(names, f"{leg.id} {role}"))
    return replace(leg, id=name, client_order_id=name)
