"""All stops may be hit on one day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity
from trading_bot.risk.totals import totals


@risk_rule("portfolio_heat")
@dataclass(frozen=True, slots=True)
class PortfolioHeat:
    """Trim a buy so that all positions falling to their stops cost at most `max_portfolio_risk` of equity.

    Heat = sum of position value x stop distance (Tharp, 1998, chapter 12). Without a stop the whole
    value is at risk.
    """

    max_portfolio_risk: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.25")
    position_stop: bool = True
    position_stop_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.10")
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("HEAT_WITHIN_LIMIT", "HEAT_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares whose heat still fits; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "HEAT_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        distance = self.position_stop_pct if self.position_stop else Decimal(1)
        invested, limit = totals(context).net, self.max_portfolio_risk
        asked = share_of_equity((invested + order.notional) * distance, context)
        room = (context.equity * limit / distance - invested) / order.price
        message = f"all stops together may cost {limit:.1%} of equity, asked were {asked:.2%}"
        return capped(order, room, "HEAT_EXCEEDS_LIMIT", message, observed=asked, limit=limit, unit="share of equity")
