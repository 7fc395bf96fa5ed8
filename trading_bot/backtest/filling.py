"""What becomes of one order in the session it can fill in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading_bot.backtest.dealing import Dealing
from trading_bot.backtest.deciding import Ordered, to_weight
from trading_bot.domain.backtest import Sizing
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import Side


class Cut(StrEnum):
    """Why an order got less than it asked for."""

    NOTHING = ""
    NO_PRICE = "no price"  # the symbol did not trade
    SPLIT = "split"  # the price that was counted with means something else now
    STILL_HELD = "still held"  # the position the other way could not be closed
    TOO_SMALL = "less than a lot"
    VOLUME = "volume"
    HOLDINGS = "holdings"
    CASH = "cash"


RETRIED = frozenset({Cut.NO_PRICE, Cut.SPLIT, Cut.STILL_HELD, Cut.VOLUME})  # the market's doing: the wish still stands


@dataclass(frozen=True, slots=True)
class Got:
    """What an order got, at what price and commission, and what cut it."""

    shares: Decimal
    price: Decimal  # dollars per share
    fee: Decimal  # dollars
    cut: Cut = Cut.NOTHING


@dataclass(frozen=True, slots=True)
class Offer:
    """What the market and the account can do for an order."""

    traded: Decimal | None  # dollars per share; None: the symbol does not trade
    volume: Decimal | None  # shares that may be ours at the most; None: it is not known
    held: Decimal  # shares, negative is short
    cash: Decimal  # dollars
    equity: Callable[[], Decimal]  # dollars at the prices of this very moment; only asked by who counts shares now


def fill(order: Ordered, offer: Offer, dealing: Dealing) -> Got:
    """Trade one order, with what is offered."""
    if offer.traded is None:
        return Got(ZERO, ZERO, ZERO, Cut.NO_PRICE)
    price = dealing.price(offer.traded, order.side)
    if not order.closes and offer.held * order.wanted < 0 and dealing.terms.sizing is Sizing.ALL_IN:
        return Got(ZERO, price, ZERO, Cut.STILL_HELD)
    asked = _asked(order, offer, dealing, price)
    shares, cut = _limited(order, offer, dealing, asked, price)
    if shares <= 0:
        return Got(ZERO, price, ZERO, cut or Cut.TOO_SMALL)
    fee = dealing.fee(shares, price)
    # A sale never costs more than it brings, so that cash never falls below zero by a commission.
    return Got(shares, price, min(fee, cents(shares * price)) if order.side is Side.SELL else fee, cut)


def _asked(order: Ordered, offer: Offer, dealing: Dealing, price: Decimal) -> Decimal:
    """Return the shares that the order asks for; they may have to be counted with the price of this moment."""
    if order.shares is not None:
        return order.shares
    if order.closes:
        return abs(offer.held)
    equity, terms = offer.equity(), dealing.terms
    if terms.sizing is Sizing.WEIGHTED:
        return to_weight(order.wanted, order.side, offer.held, equity, price, terms)
    has = abs(offer.held)
    more = dealing.most(abs(order.wanted) * equity, price, has) - has
    return max(more if (order.side is Side.BUY) == (order.wanted > 0) else -more, ZERO)


def _limited(order: Ordered, offer: Offer, dealing: Dealing, asked: Decimal, price: Decimal) -> tuple[Decimal, Cut]:
    """Return what volume, holdings and cash leave of the shares asked for."""
    shares, cut = asked, Cut.NOTHING
    if offer.volume is not None and offer.volume < shares:
        shares, cut = offer.volume, Cut.VOLUME
    if order.side is Side.SELL:
        if not dealing.terms.short and offer.held < shares:
            shares, cut = max(offer.held, ZERO), Cut.HOLDINGS
        return shares, cut
    covered = min(max(-offer.held, ZERO), shares)  # closing a short position never waits for cash
    paid = dealing.affordable(shares, price, offer.cash)
    return (shares, cut) if paid >= shares else (max(paid, covered), Cut.CASH)
