"""No entries while most of the market cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import passed, refused


@risk_rule("coverage")
@dataclass(frozen=True, slots=True)
class CoverageRule:
    """Refuse entries while fewer symbols than `data.min_coverage` have a usable bar. Exits pass."""

    stage: ClassVar[Stage] = Stage.SESSION
    codes: ClassVar[tuple[str, ...]] = ("COVERAGE_SUFFICES", "COVERAGE_BELOW_MINIMUM")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        seen = context.market.coverage
        facts = f"{seen.usable} of {seen.wanted}"
        if context.market.below_minimum_coverage and order.signal.purpose.is_entry:
            message = f"only {facts} symbols have a usable price: no entries"
            return refused(
                order, "COVERAGE_BELOW_MINIMUM", message, observed=facts, limit="data.min_coverage", unit="symbols"
            )
        return passed(order, "COVERAGE_SUFFICES", observed=facts, limit="data.min_coverage", unit="symbols")
