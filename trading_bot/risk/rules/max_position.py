"""No single stock may decide over the portfolio."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity, value_of


@risk_rule("max_position")
@dataclass(frozen=True, slots=True)
class MaxPosition:
    """Trim a buy so that the position stays within `max_position_pct` of equity."""

    max_position_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.05")
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("POSITION_WITHIN_MAX_PCT", "POSITION_EXCEEDS_MAX_PCT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "POSITION_WITHIN_MAX_PCT", observed=NOT_FOR_EXITS)
        held, limit = value_of(order.symbol, context), self.max_position_pct
        asked = share_of_equity(held + order.notional, context)
        room = (context.equity * limit - held) / order.price
        return capped(
            order,
            room,
            ("POSITION_WITHIN_MAX_PCT", "POSITION_EXCEEDS_MAX_PCT"),
            lambda: f"a position may be {limit:.1%} of equity, asked were {asked:.1%}",
            observed=asked,
            limit=limit,
            unit="share of equity",
        )
