"""An order that was sized with a price far from the market is a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling, Side
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import FOUR_PLACES, passed, refused


@risk_rule("price_collar")
@dataclass(frozen=True, slots=True)
class PriceCollar:
    """Refuse an order, exits included, when the quote is more than `price_collar_pct` off the price it was sized with.

    Distance = |ask / price - 1| for a buy, |bid / price - 1| for a sale (as in SEC rule 15c3-5). It passes without a
    quote.
    """

    price_collar_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.10")
    stage: ClassVar[Stage] = Stage.PRICE_COLLAR
    codes: ClassVar[tuple[str, ...]] = ("PRICE_NEAR_QUOTE", "PRICE_OFF_QUOTE")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        quote = context.quotes.get(order.symbol) if context.quotes else None
        if quote is None:
            return passed(order, "PRICE_NEAR_QUOTE", observed="no quote")
        there = quote.ask if order.side is Side.BUY else quote.bid
        off, limit, unit = abs(there / order.price - 1), self.price_collar_pct, "share of the price"
        seen = off.quantize(FOUR_PLACES)
        if off <= limit:
            return passed(order, "PRICE_NEAR_QUOTE", observed=seen, limit=limit, unit=unit)
        message = (
            f"${there} at the market is {off:.1%} off the ${order.price} that the order was sized with, "
            f"{limit:.0%} is the limit"
        )
        return refused(order, "PRICE_OFF_QUOTE", message, observed=seen, limit=limit, unit=unit)
