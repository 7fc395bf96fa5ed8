"""What is borrowed can be lost, too."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.exposure import exposure_within
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.totals import totals


@risk_rule("gross_exposure")
@dataclass(frozen=True, slots=True)
class GrossExposure:
    """Trim a buy so that positions, long and short added up, stay within `max_gross_exposure` of equity."""

    max_gross_exposure: Annotated[Decimal, Gt(0), Le(1)] = Decimal(1)
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("GROSS_EXPOSURE_WITHIN_LIMIT", "GROSS_EXPOSURE_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        invested = totals(context).gross
        return exposure_within(
            order, context, "gross", invested=invested, limit=self.max_gross_exposure, codes=self.codes
        )
