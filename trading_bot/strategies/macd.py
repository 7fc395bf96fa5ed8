"""Trend following by the speed of two exponential moving averages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.averages import exponential_mean, macd_lines
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.trends import ActOn, banded_exposure, compared, trend_exposure


@strategy("macd")
@dataclass(frozen=True, slots=True)
class Macd:
    """Hold a stock while its MACD is above the signal line, the MACD's own mean.

    The MACD is the exponential mean of span `fast` minus that of span `slow`, in dollars. Lines closer than the TIE
    share of the price are equal. `act_on` and `short` are those of `sma_cross`. With a `tolerance` the lines have to
    come that far apart, as a share of the fast mean, and whatever holds stays until they have. This promises no profit.

    Source: Appel (1979), The Moving Average Convergence-Divergence Method, Signalert; seeded as in TA-Lib.
    """

    fast: Annotated[int, Gt(0)] = 12  # sessions
    slow: Annotated[int, Gt(0)] = 26  # sessions
    signal: Annotated[int, Gt(0)] = 9  # sessions
    act_on: ActOn = "levels"
    short: bool = False
    tolerance: Annotated[float, Ge(0), Lt(1)] = 0.0  # share of the fast mean

    def __post_init__(self) -> None:
        """Raise ValueError unless `fast` is the shorter span, and where crossings are to have a tolerance."""
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be below slow={self.slow}")
        if self.tolerance and self.act_on == "crossings":
            raise ValueError(f"tolerance={self.tolerance} goes with act_on: levels, not with crossings")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 until `slow` + `signal` - 1 closes are known."""
        close = carried(history.close)
        macd, signal = macd_lines(close, self.fast, self.slow, self.signal)
        apart = close * TIE
        if self.tolerance:
            apart += exponential_mean(close, self.fast) * self.tolerance
            exposure = banded_exposure(macd, signal, apart, self.short)
        else:
            upper = np.add(signal, apart, out=apart)
            exposure = trend_exposure(macd, signal, upper, self.act_on, self.short)
        return Opinion(exposure=exposure, evidence={"macd": macd, "signal": signal})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Compare the two lines in words."""
        if not math.isfinite(evidence["signal"]):
            return f"fewer than {self.slow + self.signal - 1} closes are known, or none of late"
        macd = f"the MACD {evidence['macd']:+.3f} of {self.fast} and {self.slow} sessions"
        signal = f"its {self.signal}-session signal {evidence['signal']:+.3f}"
        if not self.tolerance:
            return compared(macd, signal, exposure, self.act_on)
        apart = f"{self.tolerance * 100:g}% of the fast mean"
        if not exposure:
            return f"{macd}, {signal}: they were never {apart} apart, or the MACD was below when they last were"
        return f"{macd}, {signal}: when last {apart} apart, the MACD was {'above' if exposure > 0 else 'below'}"
