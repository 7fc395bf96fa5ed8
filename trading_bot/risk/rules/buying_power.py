"""Nobody buys with money that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from trading_bot.domain.money import CENT
from trading_bot.domain.orders import Order, Ruling, Side
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import capped, passed


@risk_rule("buying_power")
@dataclass(frozen=True, slots=True)
class BuyingPower:
    """Trim a buy to the buying power left, open orders and this cycle's approvals already taken off.

    `reserve` is kept back on top of the price, because a market order fills at the next price, not at
    this one, and costs a commission (brokers value market buys 2.5 to 4 % above the last price).
    """

    reserve: Annotated[Decimal, Ge(0), Lt(1)] = Decimal("0.03")  # share of the order's value
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("BUYING_POWER_SUFFICES", "BUYING_POWER_EXCEEDED")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that can be paid for; sales pass."""
        if order.side is Side.SELL:
            return passed(order, "BUYING_POWER_SUFFICES", observed="sales pass")
        left, with_reserve = context.buying_power, 1 + self.reserve
        room = left / (order.price * with_reserve)
        needed = (order.notional * with_reserve).quantize(CENT)
        return capped(
            order,
            room,
            ("BUYING_POWER_SUFFICES", "BUYING_POWER_EXCEEDED"),
            lambda: f"${left:,.2f} of buying power are left, asked were ${needed:,.2f}",
            observed=needed,
            limit=left.quantize(CENT),
            unit="dollars",
        )
