"""All stops may be hit on one day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.symbols import Symbol
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity, value_of
from trading_bot.risk.stop_distance import WHOLE, StopBy, StopDistance
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
    position_stop_by: StopBy = "percent"
    position_stop_atr: Annotated[Decimal, Gt(0)] = Decimal(3)
    atr_sessions: Annotated[int, Gt(1)] = 14
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("HEAT_WITHIN_LIMIT", "HEAT_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares whose heat still fits; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "HEAT_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        distance, hot = self._distance(order.symbol, order.price, context), self._heat(context)
        limit = self.max_portfolio_risk
        asked = share_of_equity(hot + order.notional * distance, context)
        room = (context.equity * limit - hot) / (distance * order.price)
        return capped(
            order,
            room,
            ("HEAT_WITHIN_LIMIT", "HEAT_EXCEEDS_LIMIT"),
            lambda: f"all stops together may cost {limit:.1%} of equity, asked were {asked:.2%}",
            observed=asked,
            limit=limit,
            unit="share of equity",
        )

    def _heat(self, context: RiskContext) -> Decimal:
        """Return the dollars that all stops together would cost."""
        if not self.position_stop:
            return totals(context).net
        if self.position_stop_by == "percent":
            return totals(context).net * self.position_stop_pct
        held = ((symbol, context.prices[symbol]) for symbol in context.portfolio.positions)
        return sum((value_of(s, context) * self._distance(s, price, context) for s, price in held), ZERO)

    def _distance(self, symbol: Symbol, price: Decimal, context: RiskContext) -> Decimal:
        if not self.position_stop:
            return WHOLE
        if self.position_stop_by == "percent":
            return self.position_stop_pct
        stop = StopDistance(self.position_stop_by, self.position_stop_pct, self.position_stop_atr, self.atr_sessions)
        return stop.share(context.market.history, symbol, price)
