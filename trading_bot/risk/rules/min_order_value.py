"""A broker takes no order over next to nothing, and it would cost more than it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Ge

from trading_bot.domain.money import CENT
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import passed, refused


@risk_rule("min_order_value")
@dataclass(frozen=True, slots=True)
class MinOrderValue:
    """Refuse an order over less than `min_order_value`. Selling all that is left passes, however little it is."""

    min_order_value: Annotated[Decimal, Ge(0)] = Decimal(1)  # dollars
    stage: ClassVar[Stage] = Stage.BROKER  # what is left after rounding
    codes: ClassVar[tuple[str, ...]] = ("ORDER_WORTH_SENDING", "ORDER_TOO_SMALL")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        seen, limit = order.notional.quantize(CENT), self.min_order_value
        leaves_nothing = not order.signal.purpose.is_entry and order.quantity == context.sellable(order.symbol)
        if order.notional >= limit or leaves_nothing:
            return passed(order, "ORDER_WORTH_SENDING", observed=seen, limit=limit, unit="dollars")
        message = f"${seen:,.2f} is less than the least order of ${limit:,.2f}"
        return refused(order, "ORDER_TOO_SMALL", message, observed=seen, limit=limit, unit="dollars")
