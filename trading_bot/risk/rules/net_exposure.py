"""A falling market takes everything along that is long."""

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


@risk_rule("net_exposure")
@dataclass(frozen=True, slots=True)
class NetExposure:
    """Trim a buy so that long positions less short ones stay within `max_net_exposure` of equity."""

    max_net_exposure: Annotated[Decimal, Gt(0), Le(1)] = Decimal(1)
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("NET_EXPOSURE_WITHIN_LIMIT", "NET_EXPOSURE_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        invested = totals(context).net
        return exposure_within(order, context, "net", invested=invested, limit=self.max_net_exposure, codes=self.codes)
