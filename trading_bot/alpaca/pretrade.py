"""What the broker would refuse, said before anything is sent: one rule, one message.

The rules are those of docs.alpaca.markets/docs/orders-at-alpaca and of Regulation NMS, rule 612 (ticks).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from trading_bot.alpaca.ticket import Class, Ticket, Times
from trading_bot.domain.listing import AssetStatus
from trading_bot.domain.money import cents, tick, whole_shares
from trading_bot.domain.orders import OrderType, Side
from trading_bot.domain.ports import TradingCalendar

LONGEST_ID = 128  # characters
SMALLEST_PART = 9  # decimals of a share
LEAST_NOTIONAL = Decimal(1)  # dollars
WORKS_ON = frozenset({Times.DAY, Times.GTC})
AUCTIONS = frozenset({Times.OPG, Times.CLS})
PLAIN = frozenset({OrderType.MARKET, OrderType.LIMIT})
LIMITS = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
OPENING_CUT_OFF = timedelta(minutes=2)  # before the open: orders for the auction are taken until 9:28
CLOSING_CUT_OFF = timedelta(minutes=10)  # before the close: until 15:50
TAKEN_AGAIN = timedelta(hours=9, minutes=30)  # after the open: from 19:00 on, for the next day


@dataclass(frozen=True, slots=True)
class Asset:
    """What the broker says may be done with a symbol."""

    symbol: str
    tradable: bool
    fractionable: bool
    shortable: bool

    @property
    def status(self) -> AssetStatus:
        """The same for the risk rules. Alpaca does not say whether trading is halted."""
        return AssetStatus(self.tradable, fractionable=self.fractionable, shortable=self.shortable)


def asset_of(document: dict[str, Any]) -> Asset:
    """Return an asset; what is not said is not allowed."""
    return Asset(
        symbol=str(document.get("symbol", "")),
        tradable=document.get("tradable") is True and document.get("status") == "active",
        fractionable=document.get("fractionable") is True,
        shortable=document.get("shortable") is True,
    )


def wrong_form(ticket: Ticket) -> str:
    """Return what is wrong with the order itself, "" when nothing is."""
    rules = (_wrong_size, _wrong_prices, _wrong_times, _wrong_legs)
    return next((reason for rule in rules for reason in rule(ticket)), "")


def _wrong_size(ticket: Ticket) -> Iterator[str]:
    quantity, notional = ticket.quantity, ticket.notional
    if len(ticket.client_order_id) > LONGEST_ID:
        yield f"its name has {len(ticket.client_order_id)} characters, at most {LONGEST_ID} are taken"
    if (quantity is None) == (notional is None):
        yield "an order is over shares or over dollars: write one of quantity and notional"
    if quantity is not None and quantity <= 0:
        yield f"{quantity:f} shares is no order"
    if notional is not None and (notional < LEAST_NOTIONAL or notional != cents(notional)):
        yield f"${notional:f} is no order: write dollars and whole cents, at least ${LEAST_NOTIONAL}"
    if notional is not None and (ticket.type, ticket.time_in_force) != (OrderType.MARKET, Times.DAY):
        yield "an order over dollars is a market order for the day; write shares instead"
    if is_fractional(ticket) and ticket.time_in_force is not Times.DAY:
        yield "parts of a share can be ordered for the day only, not good till cancelled"
    if quantity is not None and -int(quantity.normalize().as_tuple().exponent) > SMALLEST_PART:
        yield f"{quantity:f} shares has more than {SMALLEST_PART} decimals"


def _wrong_prices(ticket: Ticket) -> Iterator[str]:
    kind = ticket.type.replace("_", " ")
    limits = LIMITS if ticket.order_class is not Class.OCO else frozenset[OrderType]()
    for name, price, needed in (
        ("limit", ticket.limit_price, ticket.type in limits),
        ("stop", ticket.stop_price, ticket.type in STOPS),
    ):
        if needed and price is None:
            yield f"a {kind} order needs a {name} price"
        if not needed and price is not None:
            yield f"a {kind} order has no {name} price"
    trails = (ticket.trail_price is not None) + (ticket.trail_percent is not None)
    if trails != (ticket.type is OrderType.TRAILING_STOP):
        yield "a trailing stop order needs one of trail_price and trail_percent, and no other order has one"
    if ticket.trail_price is not None and ticket.trail_price <= 0:
        yield f"a trail of ${ticket.trail_price} is none"
    if ticket.trail_percent is not None and not 0 < ticket.trail_percent < 100:
        yield f"a trail of {ticket.trail_percent} % is none: write 1.5 for 1.5 %"
    yield from _wrong_ticks(ticket)


def _wrong_ticks(ticket: Ticket) -> Iterator[str]:
    limits, stops = (
        (ticket.limit_price, ticket.take_profit, ticket.stop_loss_limit),
        (ticket.stop_price, ticket.stop_loss),
    )
    for name, price in (*(("limit", limit) for limit in limits), *(("stop", stop) for stop in stops)):
        if price is not None and price <= 0:
            yield f"a {name} of ${price} is no price"
        if price is not None and price % tick(price):
            yield f"a {name} of ${price} lies between two ticks"


def _wrong_times(ticket: Ticket) -> Iterator[str]:
    times, kind = ticket.time_in_force, ticket.type.replace("_", " ")
    if ticket.type not in PLAIN and times not in WORKS_ON:
        yield f"a {kind} order works for the day or until it is cancelled: write day or gtc, not {times}"
    if ticket.extended_hours and (ticket.type is not OrderType.LIMIT or times not in WORKS_ON):
        yield f"outside of regular hours only limit orders trade, day or gtc; this is a {kind} order, {times}"
    if ticket.extended_hours and ticket.order_class is not Class.SIMPLE:
        yield f"{_named(ticket)} trades in regular hours only"


def _wrong_legs(ticket: Ticket) -> Iterator[str]:
    gain, loss, kind = ticket.take_profit, ticket.stop_loss, ticket.order_class
    exits = (gain is not None) + (loss is not None)
    wanted = {Class.SIMPLE: 0, Class.OTO: 1}.get(kind, 2)
    if exits != wanted:
        need = {0: "neither take_profit nor stop_loss", 1: "one of take_profit and stop_loss"}
        yield f"{_named(ticket)} has {need.get(wanted, 'take_profit and stop_loss, both')}"
    if ticket.stop_loss_limit is not None and loss is None:
        yield "stop_loss_limit is the limit of a stop_loss, and there is none"
    if kind is Class.SIMPLE:
        return
    if ticket.time_in_force not in WORKS_ON:
        times = ticket.time_in_force
        yield f"{_named(ticket)} works for the day or until it is cancelled: write day or gtc, not {times}"
    if ticket.notional is not None or is_fractional(ticket):
        yield f"{_named(ticket)} is over whole shares"
    if kind is Class.OCO and ticket.type is not OrderType.LIMIT:
        yield "the exits of an oco order are its take_profit and its stop_loss: write limit as its type"
    if kind is not Class.OCO and ticket.type not in PLAIN:
        yield f"the entry of {_named(ticket)} is a market or a limit order, not {ticket.type}"
    yield from _wrong_way_round(ticket)


def _named(ticket: Ticket) -> str:
    return f"{'an' if ticket.order_class.startswith('o') else 'a'} {ticket.order_class} order"


def _wrong_way_round(ticket: Ticket) -> Iterator[str]:
    """A gain lies on the other side of the entry than a loss."""
    along = [price for price in (ticket.stop_loss, ticket.limit_price, ticket.take_profit) if price is not None]
    if ticket.exit_side is Side.BUY:
        along.reverse()
    if any(lower >= upper for lower, upper in itertools.pairwise(along)):
        names = ["stop_loss", "limit", "take_profit"]
        order = " < ".join(names if ticket.exit_side is Side.SELL else reversed(names))
        yield f"the prices are the wrong way round: wanted {order}"


def wrong_asset(ticket: Ticket, asset: Asset | None) -> str:
    """Return why the asset cannot be traded so, "" when it can."""
    if asset is None:
        return f"{ticket.symbol} is not known to the broker"
    if not asset.tradable:
        return f"{ticket.symbol} is not tradable at the broker"
    if is_fractional(ticket) and not asset.fractionable:
        return f"{ticket.symbol} is traded in whole shares only, not {ticket.quantity:f}"
    if ticket.notional is not None and not asset.fractionable:
        return f"{ticket.symbol} is traded in whole shares only, not for ${ticket.notional:f}"
    return ""


def too_late(ticket: Ticket, at: datetime, calendar: TradingCalendar) -> str:
    """Return why an order for an auction comes too late for it, "" when it does not."""
    day = calendar.newest_session(at)
    opens = calendar.open_of(day)
    closing = calendar.close_of(day) - CLOSING_CUT_OFF
    begins = opens - OPENING_CUT_OFF if ticket.time_in_force is Times.OPG else closing
    if ticket.time_in_force not in AUCTIONS or not begins < at < opens + TAKEN_AGAIN:
        return ""
    until = f"{begins:%H:%M} UTC on {day}"
    return f"orders for that auction ({ticket.time_in_force}) are taken until {until}, and again from 19:00 in New York"


def wrong_time(ticket: Ticket, at: datetime, calendar: TradingCalendar) -> str:
    """Return why a market order must not be sent at `at`: closed markets keep it, and fill it at tomorrow's open."""
    if ticket.type is not OrderType.MARKET or ticket.time_in_force in AUCTIONS or is_open(at, calendar):
        return ""
    return (
        f"the market is closed at {at:%Y-%m-%d %H:%M} UTC, and a market order would wait for the next open. "
        "If that is what you want: broker.queue_for_open: true"
    )


def is_open(at: datetime, calendar: TradingCalendar) -> bool:
    """Say whether the regular session runs at `at`; its close belongs to it no more."""
    day = calendar.newest_session(at)
    return calendar.open_of(day) <= at < calendar.close_of(day)


def is_fractional(ticket: Ticket) -> bool:
    """Say whether the order holds a part of a share."""
    return ticket.quantity is not None and ticket.quantity != whole_shares(ticket.quantity)


def wrong_sale(ticket: Ticket, available: Decimal) -> str:
    """Return why the shares cannot be sold, "" when they can: more than are held would be a short sale."""
    if ticket.quantity is None:
        return "" if available > 0 else f"insufficient holdings: ${ticket.notional:f} to sell, no shares available"
    if ticket.quantity <= available:
        return ""
    return f"insufficient holdings: {ticket.quantity:f} shares to sell, {available:f} available"
