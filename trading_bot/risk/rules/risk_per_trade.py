"""A single trade that goes wrong must not hurt."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity, value_of
from trading_bot.risk.stop_distance import WHOLE, StopBy, StopDistance


@risk_rule("risk_per_trade")
@dataclass(frozen=True, slots=True)
class RiskPerTrade:
    """Trim a buy so that falling to its stop costs at most `max_risk_pct` of equity.

    Shares = equity x max_risk_pct / (price x distance): fixed-fractional sizing by stop distance (Tharp, 1998, Trade
    Your Way to Financial Freedom, chapter 12). The distance is `position_stop_pct`, or `position_stop_atr` average true
    ranges over the price. Without a stop, or where the range is not known, the whole price is at risk.
    """

    max_risk_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.01")
    position_stop: bool = True
    position_stop_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.10")
    position_stop_by: StopBy = "percent"
    position_stop_atr: Annotated[Decimal, Gt(0)] = Decimal(3)
    atr_sessions: Annotated[int, Gt(1)] = 14
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("TRADE_RISK_WITHIN_MAX_PCT", "TRADE_RISK_EXCEEDS_MAX_PCT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares whose risk still fits; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "TRADE_RISK_WITHIN_MAX_PCT", observed=NOT_FOR_EXITS)
        distance = self._distance(order, context)
        held, limit = value_of(order.symbol, context), self.max_risk_pct
        asked = share_of_equity((held + order.notional) * distance, context)
        room = (context.equity * limit / distance - held) / order.price
        return capped(
            order,
            room,
            ("TRADE_RISK_WITHIN_MAX_PCT", "TRADE_RISK_EXCEEDS_MAX_PCT"),
            lambda: f"a fall to the stop ({distance:.0%} below) may cost {limit:.1%} of equity, asked were {asked:.2%}",
            observed=asked,
            limit=limit,
            unit="share of equity",
        )

    def _distance(self, order: Order, context: RiskContext) -> Decimal:
        if not self.position_stop:
            return WHOLE
        if self.position_stop_by == "percent":
            return self.position_stop_pct
        stop = StopDistance(self.position_stop_by, self.position_stop_pct, self.position_stop_atr, self.atr_sessions)
        return stop.share(context.market.history, order.symbol, order.price)
