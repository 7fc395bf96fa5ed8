"""One wish for a stock at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("duplicate_order")
@dataclass(frozen=True, slots=True)
class DuplicateOrder:
    """Refuse an entry while an order of an earlier cycle for the same stock may still fill, whichever way it goes.

    A stop order that would rest at the broker waits for buys of this cycle, too: brokers refuse both at once.
    """

    stage: ClassVar[Stage] = Stage.DUPLICATES
    codes: ClassVar[tuple[str, ...]] = ("NO_OTHER_ORDER", "ORDER_ON_ITS_WAY")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass, for `holdings` counts what is being sold already."""
        if not order.signal.purpose.is_entry and order.signal.stop_price is None:
            return passed(order, "NO_OTHER_ORDER", observed=NOT_FOR_EXITS)
        if order.symbol not in context.on_their_way:
            return passed(order, "NO_OTHER_ORDER", observed=0, limit=0, unit="open orders")
        message = f"an order for {order.symbol} is still open: it has to fill or end first"
        return refused(order, "ORDER_ON_ITS_WAY", message, observed=1, limit=0, unit="open orders")
