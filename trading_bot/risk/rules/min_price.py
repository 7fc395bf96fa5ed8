"""Shares that cost next to nothing jump by a tenth when somebody sneezes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Ge

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("min_price")
@dataclass(frozen=True, slots=True)
class MinPrice:
    """Refuse to buy a stock that costs less than `min_price`."""

    min_price: Annotated[Decimal, Ge(0)] = Decimal(1)  # dollars a share
    stage: ClassVar[Stage] = Stage.ASSET
    codes: ClassVar[tuple[str, ...]] = ("PRICE_HIGH_ENOUGH", "PRICE_TOO_LOW")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        del context  # the order knows its price
        if not order.signal.purpose.is_entry:
            return passed(order, "PRICE_HIGH_ENOUGH", observed=NOT_FOR_EXITS)
        seen, limit, unit = order.price, self.min_price, "dollars a share"
        if seen >= limit:
            return passed(order, "PRICE_HIGH_ENOUGH", observed=seen, limit=limit, unit=unit)
        message = f"${seen} a share is below the least price of ${limit}"
        return refused(order, "PRICE_TOO_LOW", message, observed=seen, limit=limit, unit=unit)
