"""A small number of positions can be watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("max_open_trades")
@dataclass(frozen=True, slots=True)
class MaxOpenTrades:
    """Refuse a new position when `max_open_trades` are open or on their way. Enlarging one passes."""

    max_open_trades: Annotated[int, Gt(0)] = 5
    stage: ClassVar[Stage] = Stage.COUNTS
    codes: ClassVar[tuple[str, ...]] = ("OPEN_TRADES_WITHIN_LIMIT", "TOO_MANY_OPEN_TRADES")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        if not order.signal.purpose.is_entry:
            return passed(order, "OPEN_TRADES_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        count, limit = len(context.portfolio.positions), self.max_open_trades
        if context.portfolio.held(order.symbol) or count < limit:
            return passed(order, "OPEN_TRADES_WITHIN_LIMIT", observed=count, limit=limit, unit="positions")
        message = f"{count} of {limit} positions are open or on their way"
        return refused(order, "TOO_MANY_OPEN_TRADES", message, observed=count, limit=limit, unit="positions")
