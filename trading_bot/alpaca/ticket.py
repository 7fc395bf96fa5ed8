"""An order as Alpaca takes it: every type, class and time in force that its document has for stocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading_bot.domain.money import round_against_us
from trading_bot.domain.orders import ClientOrderId, OrderIntent, OrderType, Side
from trading_bot.domain.symbols import Symbol


class Class(StrEnum):
    """Which orders belong together."""

    SIMPLE = "simple"
    BRACKET = "bracket"  # an entry, and both its exits once it has filled
    OTO = "oto"  # an entry, and one exit once it has filled
    OCO = "oco"  # two exits of what is held: the end of one is the end of the other


class Times(StrEnum):
    """How long an order works."""

    DAY = "day"
    GTC = "gtc"
    OPG = "opg"  # in the opening auction
    CLS = "cls"  # in the closing auction
    IOC = "ioc"  # at once, what is left is cancelled
    FOK = "fok"  # at once and all of it, or not at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One order. Prices are dollars a share."""

    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    quantity: Decimal | None = None  # shares
    notional: Decimal | None = None  # dollars, in place of shares
    type: OrderType = OrderType.MARKET
    time_in_force: Times = Times.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None  # dollars below the highest price since (above the lowest for a buy)
    trail_percent: Decimal | None = None  # 1.5 is 1.5 %
    extended_hours: bool = False
    order_class: Class = Class.SIMPLE
    take_profit: Decimal | None = None  # limit of the exit with a gain
    stop_loss: Decimal | None = None  # stop of the exit with a loss
    stop_loss_limit: Decimal | None = None  # its limit, where it has one

    @property
    def exit_side(self) -> Side:
        """Which way the exits go."""
        if self.order_class is Class.OCO:
            return self.side
        return Side.SELL if self.side is Side.BUY else Side.BUY


def ticket_of(intent: OrderIntent) -> Ticket:
    """Return the ticket of an order that the bot decided on."""
    return Ticket(
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        side=intent.side,
        quantity=intent.quantity,
        type=intent.type,
        time_in_force=Times(intent.time_in_force.value),
        limit_price=intent.limit_price,
        stop_price=intent.stop_price,
    )


def on_the_tick(ticket: Ticket) -> Ticket:
    """Round prices to the tick: a limit so that it is no worse than was meant, a stop so that it is no sooner.

    A limit goes down to buy and up to sell, a stop the other way round.
    """
    selling, leaving = ticket.side is Side.SELL, ticket.exit_side is Side.SELL
    return replace(
        ticket,
        limit_price=_rounded(ticket.limit_price, up=selling),
        stop_price=_rounded(ticket.stop_price, up=not selling),
        take_profit=_rounded(ticket.take_profit, up=leaving),
        stop_loss=_rounded(ticket.stop_loss, up=not leaving),
        stop_loss_limit=_rounded(ticket.stop_loss_limit, up=leaving),
    )


def body_of(ticket: Ticket) -> dict[str, Any]:
    """Return the request that places it. Numbers are text, as the document has them: none becomes a float."""
    numbers = {
        "qty": ticket.quantity.normalize() if ticket.quantity is not None else None,
        "notional": ticket.notional,
        "limit_price": ticket.limit_price,
        "stop_price": ticket.stop_price,
        "trail_price": ticket.trail_price,
        "trail_percent": ticket.trail_percent,
    }
    body: dict[str, Any] = {
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "type": ticket.type.value,
        "time_in_force": ticket.time_in_force.value,
        "client_order_id": ticket.client_order_id,
        **_text(numbers),
    }
    if ticket.extended_hours:
        body["extended_hours"] = True
    if ticket.order_class is not Class.SIMPLE:
        body["order_class"] = ticket.order_class.value
    if ticket.take_profit is not None:
        body["take_profit"] = _text({"limit_price": ticket.take_profit})
    if ticket.stop_loss is not None:
        body["stop_loss"] = _text({"stop_price": ticket.stop_loss, "limit_price": ticket.stop_loss_limit})
    return body


def _text(numbers: dict[str, Decimal | None]) -> dict[str, str]:
    return {name: f"{number:f}" for name, number in numbers.items() if number is not None}


def _rounded(price: Decimal | None, *, up: bool) -> Decimal | None:
    return price if price is None or price <= 0 else round_against_us(price, buying=up)
