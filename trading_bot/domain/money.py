"""Rounding of money, prices and quantities, each in one place.

Money is US dollars to the cent. A price has the tick of US equities: a cent from one dollar up, a
hundredth of a cent below (SEC Regulation NMS, rule 612). Quantities are shares.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

CENT = Decimal("0.01")
SUB_DOLLAR_TICK = Decimal("0.0001")
ZERO = Decimal(0)
MOST_IN_CENTS = 1e7  # dollars: up to here floats of cents are exact to a hundred-millionth
NO_TIE = 0.4999  # of a cent


def cents(amount: Decimal) -> Decimal:
    """Round an amount of dollars to the cent, halves to even."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def tick(price: Decimal) -> Decimal:
    """Return the smallest step of a price, in dollars."""
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def price_of(value: float) -> Decimal:
    """Turn a float from the price arrays into dollars per share, rounded to its tick.

    Away from a tie the nearest number of cents is the same for the float and for its digits, and is found sooner.
    """
    if 1 <= value < MOST_IN_CENTS:
        hundredths = value * 100
        nearest = round(hundredths)
        if abs(hundredths - nearest) < NO_TIE:
            return nearest * CENT
    return Decimal(repr(value)).quantize(CENT if value >= 1 else SUB_DOLLAR_TICK, ROUND_HALF_EVEN)


def round_against_us(price: Decimal, *, buying: bool) -> Decimal:
    """Round to the tick in the direction that costs us: up when we buy, down when we sell."""
    return price.quantize(tick(price), rounding=ROUND_UP if buying else ROUND_DOWN)


def whole_shares(quantity: Decimal) -> Decimal:
    """Drop the fraction of a share."""
    return quantity.to_integral_value(rounding=ROUND_DOWN)
