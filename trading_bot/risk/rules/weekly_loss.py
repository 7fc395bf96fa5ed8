"""Stop buying after a bad week."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.losses import loss_within
from trading_bot.risk.registry import risk_rule

SESSIONS = 5


@risk_rule("weekly_loss")
@dataclass(frozen=True, slots=True)
class WeeklyLoss:
    """Refuse entries while equity is `weekly_loss_pct` or more below what it was 5 sessions before.

    Loss = 1 - equity now / equity at the end of that session, or of the oldest one on record since the last resume.
    """

    weekly_loss_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.05")
    stage: ClassVar[Stage] = Stage.LOSS_GUARDS
    codes: ClassVar[tuple[str, ...]] = ("WEEKLY_LOSS_WITHIN_LIMIT", "WEEKLY_LOSS_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        return loss_within(order, context, sessions=SESSIONS, limit=self.weekly_loss_pct, codes=self.codes)
