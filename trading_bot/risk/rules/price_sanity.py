"""No order without a price that makes sense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import passed, refused


@risk_rule("price_sanity")
@dataclass(frozen=True, slots=True)
class PriceSanity:
    """Refuse an order whose symbol is quarantined, has no price, or whose size is not a positive number."""

    stage: ClassVar[Stage] = Stage.INPUT
    codes: ClassVar[tuple[str, ...]] = ("PRICE_KNOWN", "SYMBOL_QUARANTINED", "NO_PRICE", "NO_QUANTITY")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        symbol, price = order.symbol, context.prices.get(order.symbol)
        if symbol in context.market.quarantined:
            why = context.market.quarantined[symbol]
            return refused(
                order, "SYMBOL_QUARANTINED", f"{symbol} is quarantined: {why}", observed=why, limit="clean bars"
            )
        if price is None or not price.is_finite() or price <= ZERO:
            return refused(
                order, "NO_PRICE", f"{symbol} has no price", observed=price, limit="> 0", unit="dollars a share"
            )
        if not order.quantity.is_finite() or order.quantity <= ZERO:
            message = f"{order.quantity} shares of {symbol} is no order"
            return refused(order, "NO_QUANTITY", message, observed=order.quantity, limit="> 0", unit="shares")
        return passed(order, "PRICE_KNOWN", observed=price, limit="> 0", unit="dollars a share")
