"""A day of many orders is a day on which something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("orders_per_day")
@dataclass(frozen=True, slots=True)
class OrdersPerDay:
    """Refuse entries once the cycles of this session have decided on `max_orders_per_day` orders, exits included."""

    max_orders_per_day: Annotated[int, Gt(0)] = 50
    stage: ClassVar[Stage] = Stage.COUNTS
    codes: ClassVar[tuple[str, ...]] = ("ORDERS_TODAY_WITHIN_LIMIT", "TOO_MANY_ORDERS_TODAY")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "ORDERS_TODAY_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        count, limit = context.record.sent.this_session + context.approved, self.max_orders_per_day
        if count < limit:
            return passed(order, "ORDERS_TODAY_WITHIN_LIMIT", observed=count, limit=limit, unit="orders a session")
        message = f"{counted(count, 'order')} of this session were decided before, {limit} are the limit"
        return refused(order, "TOO_MANY_ORDERS_TODAY", message, observed=count, limit=limit, unit="orders a session")
