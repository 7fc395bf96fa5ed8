"""Stop buying after a bad month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.losses import loss_within
from trading_bot.risk.registry import risk_rule

SESSIONS = 21


@risk_rule("monthly_loss")
@dataclass(frozen=True, slots=True)
class MonthlyLoss:
    """Refuse entries while equity is `monthly_loss_pct` or more below what it was 21 sessions before.

    Loss = 1 - equity now / equity at the end of that session, or of the oldest one on record since the last resume.
    """

    monthly_loss_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.10")
    stage: ClassVar[Stage] = Stage.LOSS_GUARDS
    codes: ClassVar[tuple[str, ...]] = ("MONTHLY_LOSS_WITHIN_LIMIT", "MONTHLY_LOSS_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        return loss_within(order, context, sessions=SESSIONS, limit=self.monthly_loss_pct, codes=self.codes)
