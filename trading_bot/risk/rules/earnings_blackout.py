"""Nobody knows what a company will say of its quarter, and everybody will react to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, ClassVar

from annotated_types import Ge

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("earnings_blackout")
@dataclass(frozen=True, slots=True)
class EarningsBlackout:
    """Refuse to buy a stock from `days_before` days before a known day of earnings to `days_after` days after it.

    The days are those of `dates`, which the owner writes down: `risk.options.earnings_blackout.dates`. Stocks without
    dates pass.
    """

    dates: Mapping[str, tuple[date, ...]] = field(default_factory=dict[str, tuple[date, ...]])  # by symbol
    days_before: Annotated[int, Ge(0)] = 2  # calendar days
    days_after: Annotated[int, Ge(0)] = 0
    stage: ClassVar[Stage] = Stage.ASSET
    codes: ClassVar[tuple[str, ...]] = ("NO_EARNINGS_NEAR", "EARNINGS_NEAR")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "NO_EARNINGS_NEAR", observed=NOT_FOR_EXITS)
        known = self.dates.get(order.symbol, ())
        if not known:
            return passed(order, "NO_EARNINGS_NEAR", observed="no day is known")
        today = context.market.session
        near = [day for day in known if -self.days_after <= (day - today).days <= self.days_before]
        if not near:
            return passed(order, "NO_EARNINGS_NEAR", observed="none near", limit=self.days_before, unit="days")
        message = (
            f"{order.symbol} reports on {near[0]}: no entries from {self.days_before} days before "
            f"to {self.days_after} after"
        )
        away = (near[0] - today).days
        return refused(order, "EARNINGS_NEAR", message, observed=away, limit=self.days_before, unit="days")
