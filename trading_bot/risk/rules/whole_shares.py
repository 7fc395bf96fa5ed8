"""An exchange sells shares by the piece."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import ClassVar

from trading_bot.domain.money import whole_shares
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import capped, passed

FRACTION = Decimal("0.000001")  # the smallest part of a share that brokers keep


@risk_rule("whole_shares")
@dataclass(frozen=True, slots=True)
class WholeShares:
    """Drop the fraction of a share, and the order with it when no whole share is left.

    With `fractional_shares` only what lies beyond a millionth of a share is dropped.
    """

    fractional_shares: bool = False
    stage: ClassVar[Stage] = Stage.ROUNDING
    codes: ClassVar[tuple[str, ...]] = ("QUANTITY_TRADABLE", "ROUNDED_TO_WHOLE_SHARES", "LESS_THAN_ONE_SHARE")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return whole shares; a complete exit of a fractional holding passes."""
        leaves_nothing = not order.signal.purpose.is_entry and order.quantity == context.sellable(order.symbol)
        tradable = self._rounded(order.quantity)
        if leaves_nothing or tradable == order.quantity:
            return passed(order, "QUANTITY_TRADABLE", observed=order.quantity, unit="shares")
        if tradable == 0:
            code = "LESS_THAN_ONE_SHARE"
            message = f"${order.notional:,.2f} do not buy one share at ${order.price:,.2f}"
        else:
            code = "ROUNDED_TO_WHOLE_SHARES"
            message = f"{order.quantity.normalize():f} shares were rounded down to {tradable.normalize():f}"
        return capped(
            order,
            tradable,
            ("QUANTITY_TRADABLE", code),
            lambda: message,
            observed=order.quantity.normalize(),
            limit=tradable,
            unit="shares",
        )

    def _rounded(self, quantity: Decimal) -> Decimal:
        return quantity.quantize(FRACTION, rounding=ROUND_DOWN) if self.fractional_shares else whole_shares(quantity)
