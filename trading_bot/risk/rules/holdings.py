"""Nobody sells what is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling, Side
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import capped, passed


@risk_rule("holdings")
@dataclass(frozen=True, slots=True)
class Holdings:
    """Trim a sale to the shares held, those that open sell orders will take already left out."""

    stage: ClassVar[Stage] = Stage.ASSET
    codes: ClassVar[tuple[str, ...]] = ("SALE_WITHIN_HOLDING", "SALE_EXCEEDS_HOLDING")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return at most what is held; buys pass."""
        if order.side is Side.BUY:
            return passed(order, "SALE_WITHIN_HOLDING", observed="buys pass")
        held = max(context.sellable(order.symbol), ZERO)
        return capped(
            order,
            held,
            ("SALE_WITHIN_HOLDING", "SALE_EXCEEDS_HOLDING"),
            lambda: f"{held} shares of {order.symbol} are left to sell",
            observed=order.quantity,
            limit=held,
            unit="shares",
        )
