"""Stop buying after the whole portfolio has lost too much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import FOUR_PLACES, NOT_FOR_EXITS, passed, refused


@risk_rule("portfolio_stop")
@dataclass(frozen=True, slots=True)
class PortfolioStop:
    """Refuse entries while equity is `portfolio_stop_loss_pct` or more below its high-water mark.

    The mark is the highest equity since the last resume by the owner, so `bensbot resume`
    opens a new chapter. Drawdown = 1 - equity / high-water mark (Magdon-Ismail & Atiya, 2004, Risk 17(10)).
    """

    portfolio_stop_loss_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.05")
    stage: ClassVar[Stage] = Stage.LOSS_GUARDS
    codes: ClassVar[tuple[str, ...]] = ("DRAWDOWN_WITHIN_LIMIT", "DRAWDOWN_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        if not order.signal.purpose.is_entry:
            return passed(order, "DRAWDOWN_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        drawdown = _fall(context.equity, context.high_water)
        seen, limit = drawdown.quantize(FOUR_PLACES), self.portfolio_stop_loss_pct
        unit = "share of the high-water mark"
        if drawdown < limit:
            return passed(order, "DRAWDOWN_WITHIN_LIMIT", observed=seen, limit=limit, unit=unit)
        why = self.reached(context.equity, context.high_water)
        message = f"{why}: no entries until it recovers or the owner resumes with `bensbot resume`"
        return refused(order, "DRAWDOWN_EXCEEDS_LIMIT", message, observed=seen, limit=limit, unit=unit)

    def reached(self, equity: Decimal, high_water: Decimal) -> str:
        """Return in words that equity has fallen too far, "" while it has not."""
        drawdown, limit = _fall(equity, high_water), self.portfolio_stop_loss_pct
        if drawdown < limit:
            return ""
        return f"equity is {drawdown:.1%} below its high of ${high_water:,.2f}, the limit is {limit:.1%}"


def _fall(equity: Decimal, high_water: Decimal) -> Decimal:
    return 1 - equity / high_water if high_water > 0 else ZERO
