"""A broker that gets too many requests answers none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import passed, refused


@risk_rule("order_rate")
@dataclass(frozen=True, slots=True)
class OrderRate:
    """Refuse any order, exits included, beyond `max_orders_per_minute`; the next cycle may send it.

    Exits are handled first, so entries are what is refused first.
    """

    max_orders_per_minute: Annotated[int, Gt(0)] = 150
    stage: ClassVar[Stage] = Stage.ORDER_RATE
    codes: ClassVar[tuple[str, ...]] = ("RATE_WITHIN_LIMIT", "TOO_MANY_ORDERS_A_MINUTE")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        count, limit = context.record.sent.last_minute + context.approved, self.max_orders_per_minute
        if count < limit:
            return passed(order, "RATE_WITHIN_LIMIT", observed=count, limit=limit, unit="orders a minute")
        message = f"{counted(count, 'order')} within a minute, {limit} are the limit: the next cycle may send it"
        return refused(order, "TOO_MANY_ORDERS_A_MINUTE", message, observed=count, limit=limit, unit="orders a minute")
