"""Trend following by two moving averages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.indicators import TIE, carried, rolling_means
from trading_bot.strategies.registry import strategy


@strategy("sma_cross")
@dataclass(frozen=True, slots=True)
class SmaCross:
    """Hold a stock while the mean of its last `fast` closes is above that of `slow`.

    Equal means are no trend: not held. This promises no profit.

    Source: Brock, Lakonishok & LeBaron (1992), Journal of Finance 47(5), section II.
    """

    fast: Annotated[int, Gt(0)] = 20  # sessions
    slow: Annotated[int, Gt(0)] = 50  # sessions

    def __post_init__(self) -> None:
        """Raise ValueError unless `fast` is the shorter window."""
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be below slow={self.slow}")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1 or 0 for each session and symbol; 0 until `slow` closes are known."""
        fast, slow = rolling_means(carried(history.close), self.fast, self.slow)
        exposure = slow * (1 + TIE)
        np.greater(fast, exposure, out=exposure)  # a comparison with NaN is False
        return Opinion(exposure=exposure, evidence={"fast": fast, "slow": slow})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Compare the two means in words."""
        if not np.isfinite(evidence["slow"]):
            return f"fewer than {self.slow} closes are known"
        relation = "above" if exposure > 0 else "not above"
        return (
            f"the {self.fast}-session mean {evidence['fast']:.2f} is {relation} "
            f"the {self.slow}-session mean {evidence['slow']:.2f}"
        )
