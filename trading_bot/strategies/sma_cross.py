"""Trend following by two moving averages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.indicators import TIE, carried, rolling_means
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.trends import ActOn, compared, trend_exposure


@strategy("sma_cross")
@dataclass(frozen=True, slots=True)
class SmaCross:
    """Hold a stock while the mean of its last `fast` closes is above that of `slow`.

    Equal means are no trend: not held. With `short` a stock is sold short while its fast mean is below. On "crossings"
    nothing is held until the means cross for the first time, as most published backtests have it; the default asks for
    their order only, so that what is wanted today does not depend on the day the history begins. This promises no
    profit.

    Source: Brock, Lakonishok & LeBaron (1992), Journal of Finance 47(5), section II.
    """

    fast: Annotated[int, Gt(0)] = 20  # sessions
    slow: Annotated[int, Gt(0)] = 50  # sessions
    act_on: ActOn = "levels"
    short: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError unless `fast` is the shorter window."""
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be below slow={self.slow}")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 until `slow` closes are known."""
        fast, slow = rolling_means(carried(history.close), self.fast, self.slow)
        exposure = trend_exposure(fast, slow, slow * (1 + TIE), self.act_on, self.short)
        return Opinion(exposure=exposure, evidence={"fast": fast, "slow": slow})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Compare the two means in words."""
        if not math.isfinite(evidence["slow"]):
            return f"fewer than {self.slow} closes are known"
        fast = f"the {self.fast}-session mean {evidence['fast']:.2f}"
        return compared(fast, f"the {self.slow}-session mean {evidence['slow']:.2f}", exposure, self.act_on)
