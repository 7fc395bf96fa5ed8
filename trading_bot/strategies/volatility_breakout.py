"""Trend following by moves that are large for the stock: channels of true ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.averages import average_true_range
from trading_bot.strategies.indicators import TIE, carried, rolling_means
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.running import held


@strategy("volatility_breakout")
@dataclass(frozen=True, slots=True)
class VolatilityBreakout:
    """Hold a stock from a close `multiple` average true ranges above its mean to one below the mean.

    With `short` the same is done upside down. On a line nothing changes. This promises no profit.

    Source: Faith (2007), Way of the Turtle, McGraw-Hill, chapter 10, "ATR Channel Breakout" (there 350 sessions and
    7 ranges, for futures over decades); the true range is that of Wilder (1978), New Concepts in Technical Trading
    Systems, section III.
    """

    window: Annotated[int, Gt(0)] = 50  # sessions of the mean
    period: Annotated[int, Gt(0)] = 20  # sessions of the average true range
    multiple: Annotated[float, Gt(0), Le(100)] = 2.0  # average true ranges
    short: bool = False

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 until mean and range are known."""
        close = carried(history.close)
        (mean,) = rolling_means(close, self.window)
        atr = average_true_range(carried(history.high), carried(history.low), close, self.period)
        tie = mean * TIE
        reach = atr * self.multiple
        reach += tie
        # An unknown line ends the holding.
        exposure = held(close > mean + reach, ~(close >= mean - tie))
        if self.short:
            exposure -= held(close < mean - reach, ~(close <= mean + tie))
        return Opinion(exposure, evidence={"close": close, "mean": mean, "atr": atr})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Say how far the close is from the mean, in true ranges where that counts."""
        close, mean, atr = evidence["close"], evidence["mean"], evidence["atr"]
        if not (math.isfinite(mean) and math.isfinite(atr) and math.isfinite(close)):
            return f"fewer than {max(self.window, self.period + 1)} sessions are known, or none of late"
        channel = f"{self.multiple:g} average true ranges (of {atr:.2f} now)"
        if exposure > 0:
            return f"it rose {channel} above its mean, and the close {close:.2f} is not below the mean {mean:.2f} yet"
        if exposure < 0:
            return f"it fell {channel} below its mean, and the close {close:.2f} is not above the mean {mean:.2f} yet"
        return f"the close {close:.2f} has not moved {channel} away from its mean {mean:.2f}, or came back"
