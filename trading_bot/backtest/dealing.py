"""What a price, a commission and a purse make of an order: the arithmetic of `Terms`, values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from trading_bot.domain.backtest import Terms
from trading_bot.domain.money import ZERO, cents, round_against_us
from trading_bot.domain.orders import Side

BASIS_POINT = Decimal("0.0001")
WHOLE, FRACTION = Decimal(1), Decimal("0.000001")  # shares: the smallest lot


@dataclass(frozen=True, slots=True)
class Dealing:
    """Explicit terms, ready to be asked about one order."""

    terms: Terms

    @property
    def lot(self) -> Decimal:
        """The smallest part of a share that is traded."""
        return FRACTION if self.terms.fractional_shares else WHOLE

    def lots(self, quantity: Decimal) -> Decimal:
        """Drop what is less than a lot."""
        return quantity.quantize(self.lot, rounding=ROUND_DOWN)

    def price(self, traded: Decimal, side: Side) -> Decimal:
        """Return what is paid or got for a share when the market trades at `traded`: the slippage is against us."""
        slipped = traded * (1 + side.sign * self.terms.slippage_bps * BASIS_POINT)
        return round_against_us(slipped, buying=side is Side.BUY)

    def fee(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return an order's commission in dollars, to the cent; nothing for no shares."""
        if not quantity:
            return ZERO
        by_size = quantity * self.terms.commission_per_share + quantity * price * self.terms.commission_pct
        return max(cents(by_size), cents(self.terms.commission_minimum))

    def affordable(self, quantity: Decimal, price: Decimal, cash: Decimal) -> Decimal:
        """Return the shares, at most `quantity`, whose price and commission `cash` pays for."""
        if cents(quantity * price) + self.fee(quantity, price) <= cash:
            return quantity
        return min(self.most(cash, price), quantity)

    def most(self, dollars: Decimal, price: Decimal, held: Decimal = ZERO) -> Decimal:
        """Return how many shares to have, so that their worth and the commission on the way there are `dollars`.

        `held` shares are there already. At most as many: what rounding to the cent adds is taken off again.
        """
        terms = self.terms
        each = price * (1 + terms.commission_pct) + terms.commission_per_share
        spared = held * (each - price)
        by_size, by_minimum = (dollars + spared) / each, (dollars - terms.commission_minimum) / price
        shares = self.lots(max(min(by_size, by_minimum), ZERO))
        while shares > 0 and (over := self._cost(shares, held, price) - dollars) > 0:
            shares = max(shares - max((over / price).quantize(self.lot, rounding=ROUND_UP), self.lot), ZERO)
        return shares

    def _cost(self, shares: Decimal, held: Decimal, price: Decimal) -> Decimal:
        return cents(shares * price) + self.fee(abs(shares - held), price)
