"""What the broker would refuse, said before anything is sent: one rule, one message.

The rules are those of docs.alpaca.markets/docs/orders-at-alpaca and of Regulation NMS, rule 612 (ticks).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading_bot.domain.listing import AssetStatus
from trading_bot.domain.money import round_against_us, tick, whole_shares
from trading_bot.domain.orders import OrderIntent, OrderType, Side, TimeInForce
from trading_bot.domain.ports import TradingCalendar

LONGEST_ID = 128  # characters
SMALLEST_PART = 9  # decimals of a share


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


def on_the_tick(intent: OrderIntent) -> OrderIntent:
    """Round prices to the tick: a limit so that it is no worse than was meant, a stop so that it is no sooner.

    Both go down to buy and up to sell, a stop the other way round.
    """
    selling = intent.side is Side.SELL
    return replace(
        intent,
        limit_price=_on_the_tick(intent.limit_price, up=selling),
        stop_price=_on_the_tick(intent.stop_price, up=not selling),
    )


def _on_the_tick(price: Decimal | None, *, up: bool) -> Decimal | None:
    return price if price is None or price <= 0 else round_against_us(price, buying=up)


def wrong_form(intent: OrderIntent) -> str:
    """Return what is wrong with the order itself, "" when nothing is."""
    return next(_wrong_form(intent), "")


def _wrong_form(intent: OrderIntent) -> Iterator[str]:
    if intent.quantity <= 0:
        yield f"{intent.quantity:f} shares is no order"
    for kind, price in ((OrderType.LIMIT, intent.limit_price), (OrderType.STOP, intent.stop_price)):
        if (intent.type is kind) != (price is not None):
            yield f"a {kind} order needs a {kind} price, and no other order has one"
        if price is not None and price <= 0:
            yield f"a {kind} of ${price} is no price"
        if price is not None and price % tick(price):
            yield f"a {kind} of ${price} lies between two ticks"
    if len(intent.client_order_id) > LONGEST_ID:
        yield f"its name has {len(intent.client_order_id)} characters, at most {LONGEST_ID} are taken"
    if is_fractional(intent) and intent.time_in_force is not TimeInForce.DAY:
        yield "parts of a share can be ordered for the day only, not good till cancelled"
    decimals = -int(intent.quantity.normalize().as_tuple().exponent)
    if decimals > SMALLEST_PART:
        yield f"{intent.quantity:f} shares has more than {SMALLEST_PART} decimals"


def wrong_asset(intent: OrderIntent, asset: Asset | None) -> str:
    """Return why the asset cannot be traded so, "" when it can."""
    if asset is None:
        return f"{intent.symbol} is not known to the broker"
    if not asset.tradable:
        return f"{intent.symbol} is not tradable at the broker"
    if is_fractional(intent) and not asset.fractionable:
        return f"{intent.symbol} is traded in whole shares only, not {intent.quantity:f}"
    return ""


def wrong_time(intent: OrderIntent, at: datetime, calendar: TradingCalendar) -> str:
    """Return why a market order must not be sent at `at`: closed markets keep it, and fill it at tomorrow's open."""
    if intent.type is not OrderType.MARKET or is_open(at, calendar):
        return ""
    return (
        f"the market is closed at {at:%Y-%m-%d %H:%M} UTC, and a market order would wait for the next open. "
        "If that is what you want: broker.queue_for_open: true"
    )


def is_open(at: datetime, calendar: TradingCalendar) -> bool:
    """Say whether the regular session runs at `at`; its close belongs to it no more."""
    day = calendar.newest_session(at)
    return calendar.open_of(day) <= at < calendar.close_of(day)


def is_fractional(intent: OrderIntent) -> bool:
    """Say whether the order holds a part of a share."""
    return intent.quantity != whole_shares(intent.quantity)
