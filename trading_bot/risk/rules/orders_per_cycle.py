"""One look at the market is no reason to turn everything over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("orders_per_cycle")
@dataclass(frozen=True, slots=True)
class OrdersPerCycle:
    """Refuse entries once this cycle has approved `max_orders_per_cycle` orders, exits included."""

    max_orders_per_cycle: Annotated[int, Gt(0)] = 20
    stage: ClassVar[Stage] = Stage.COUNTS
    codes: ClassVar[tuple[str, ...]] = ("ORDERS_IN_CYCLE_WITHIN_LIMIT", "TOO_MANY_ORDERS_IN_CYCLE")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "ORDERS_IN_CYCLE_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        count, limit = context.approved, self.max_orders_per_cycle
        if count < limit:
            return passed(order, "ORDERS_IN_CYCLE_WITHIN_LIMIT", observed=count, limit=limit, unit="orders a cycle")
        message = f"{counted(count, 'order')} of this cycle were decided before, {limit} are the limit"
        return refused(order, "TOO_MANY_ORDERS_IN_CYCLE", message, observed=count, limit=limit, unit="orders a cycle")
