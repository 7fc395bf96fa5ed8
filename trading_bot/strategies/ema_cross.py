"""Trend following by two exponential moving averages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.averages import exponential_mean
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.trends import ActOn, compared, trend_exposure


@strategy("ema_cross")
@dataclass(frozen=True, slots=True)
class EmaCross:
    """Hold a stock while the exponential mean of span `fast` is above that of span `slow`.

    It turns earlier than plain means of the same spans do, for newer closes weigh more. `act_on` and `short` are those
    of `sma_cross`. This promises no profit.

    Source: Hunter (1986), Journal of Quality Technology 18(4), for the mean; Brock, Lakonishok & LeBaron (1992),
    Journal of Finance 47(5), section II, for trading two means.
    """

    fast: Annotated[int, Gt(0)] = 12  # sessions
    slow: Annotated[int, Gt(0)] = 26  # sessions
    act_on: ActOn = "levels"
    short: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError unless `fast` is the shorter span."""
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be below slow={self.slow}")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 until `slow` closes are known."""
        close = carried(history.close)
        fast, slow = exponential_mean(close, self.fast), exponential_mean(close, self.slow)
        exposure = trend_exposure(fast, slow, slow * (1 + TIE), self.act_on, self.short)
        return Opinion(exposure=exposure, evidence={"fast": fast, "slow": slow})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Compare the two means in words."""
        if not math.isfinite(evidence["slow"]):
            return f"fewer than {self.slow} closes are known, or none of late"
        fast = f"the {self.fast}-session exponential mean {evidence['fast']:.2f}"
        return compared(fast, f"the {self.slow}-session one {evidence['slow']:.2f}", exposure, self.act_on)
