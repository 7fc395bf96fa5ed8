"""A price that jumps is a mistake, a split that nobody told of, or news that nobody has read yet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused


@risk_rule("jump")
@dataclass(frozen=True, slots=True)
class Jump:
    """Refuse to buy a stock whose close moved by `max_jump_pct` or more in one of its last `jump_sessions` sessions.

    Move = |close / the known close before - 1|, adjusted for every split that is known.
    """

    max_jump_pct: Annotated[Decimal, Gt(0), Le(100)] = Decimal("0.5")
    jump_sessions: Annotated[int, Gt(0), Le(60)] = 3
    stage: ClassVar[Stage] = Stage.ASSET
    codes: ClassVar[tuple[str, ...]] = ("NO_JUMP", "PRICE_JUMPED")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "NO_JUMP", observed=NOT_FOR_EXITS)
        history, limit, unit = context.market.history, self.max_jump_pct, "share of the close before"
        column = history.find(order.symbol)
        closes: list[float] = [] if column is None else history.close[-self.jump_sessions - 1 :, column].tolist()
        largest = _largest_move(closes)
        if math.isnan(largest):
            return passed(order, "NO_JUMP", observed="no close before")
        if largest < float(limit):
            return passed(order, "NO_JUMP", observed=f"{largest:.4f}", limit=limit, unit=unit)
        message = (
            f"{order.symbol} moved by {largest:.1%} in one of its last {counted(self.jump_sessions, 'session')}, "
            f"and no split explains it; the limit is {limit:.0%}"
        )
        return refused(order, "PRICE_JUMPED", message, observed=f"{largest:.4f}", limit=limit, unit=unit)


def _largest_move(closes: list[float]) -> float:
    """Return the largest move between known closes, oldest first; NaN where no two are known."""
    known = [close for close in closes if not math.isnan(close)]
    return max((abs(close / before - 1) for before, close in pairwise(known)), default=math.nan)
