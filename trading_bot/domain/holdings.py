"""What fills and splits make of a position: average cost, as pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from trading_bot.domain.money import ZERO, whole_shares
from trading_bot.domain.orders import Side
from trading_bot.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares (negative: short) and the average price paid, dollars per share."""

    quantity: Decimal = ZERO
    average_price: Decimal = ZERO


NOTHING = Holding()


@dataclass(frozen=True, slots=True)
class Traded:
    """One fill, as far as it moves the position."""

    session: date
    number: int  # order of booking
    side: Side
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class SplitBooked:
    """One split as it was booked: `remainder` new shares were paid out in cash."""

    session: date
    number: int
    ratio: Decimal
    remainder: Decimal


Event = Traded | SplitBooked


def after_fill(held: Holding, side: Side, quantity: Decimal, price: Decimal) -> Holding:
    """Add a fill. What enlarges averages in, what shrinks keeps the average, what crosses zero starts anew."""
    signed = side.sign * quantity
    total = held.quantity + signed
    if total == 0:
        return NOTHING
    if held.quantity == 0 or held.quantity * total < 0:
        return Holding(total, price)
    if held.quantity * signed > 0:
        paid = abs(held.quantity) * held.average_price + quantity * price
        return Holding(total, paid / abs(total))
    return Holding(total, held.average_price)


def after_split(held: Holding, ratio: Decimal, remainder: Decimal) -> Holding:
    """Turn old shares into new ones, less the remainder that is paid in cash."""
    quantity = held.quantity * ratio - remainder
    return Holding(quantity, held.average_price / ratio) if quantity else NOTHING


def remainder_of(quantity: Decimal, ratio: Decimal) -> Decimal:
    """Return the fraction of a new share that a split leaves, with the sign of the position."""
    exact = quantity * ratio
    return exact - whole_shares(exact)


def replay(events: Iterable[Event]) -> Holding:
    """Return the position after all events of one symbol, in the order they took effect.

    A split takes effect before the first trade of its session, however late it was booked.
    """
    held = NOTHING
    for event in sorted(events, key=_effect):
        match event:
            case Traded():
                held = after_fill(held, event.side, event.quantity, event.price)
            case SplitBooked():
                held = after_split(held, event.ratio, event.remainder)
    return held


def _effect(event: Event) -> tuple[date, bool, int]:
    return (event.session, isinstance(event, Traded), event.number)
