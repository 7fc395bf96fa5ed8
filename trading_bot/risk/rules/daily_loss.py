"""Stop buying after a bad day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.losses import loss_within
from trading_bot.risk.registry import risk_rule

SESSIONS = 1


@risk_rule("daily_loss")
@dataclass(frozen=True, slots=True)
class DailyLoss:
    """Refuse entries while equity is `daily_loss_pct` or more below what it was the session before.

    Loss = 1 - equity now / equity at the end of that session, or of the oldest one on record since the last resume.
    """

    daily_loss_pct: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.03")
    stage: ClassVar[Stage] = Stage.LOSS_GUARDS
    codes: ClassVar[tuple[str, ...]] = ("DAILY_LOSS_WITHIN_LIMIT", "DAILY_LOSS_EXCEEDS_LIMIT")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        return loss_within(order, context, sessions=SESSIONS, limit=self.daily_loss_pct, codes=self.codes)
