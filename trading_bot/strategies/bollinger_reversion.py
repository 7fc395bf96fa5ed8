"""Buying what fell out of its Bollinger bands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.running import held
from trading_bot.strategies.windows import means_and_deviations


@strategy("bollinger_reversion")
@dataclass(frozen=True, slots=True)
class BollingerReversion:
    """Hold a stock from a close below its lower band until one above its middle band.

    The middle band is the mean of `window` closes, the others are `width` standard deviations away. With `short` a
    stock above its upper band is sold short until it closes below the middle. On a band nothing changes. This promises
    no profit.

    Source: Bollinger (2001), Bollinger on Bollinger Bands, McGraw-Hill, part II; deviations divided by `window`, as
    there and in TA-Lib.
    """

    window: Annotated[int, Gt(1)] = 20  # sessions
    width: Annotated[float, Gt(0), Le(10)] = 2.0  # standard deviations
    short: bool = False

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 until `window` closes are known."""
        close = carried(history.close)
        middle, deviation = means_and_deviations(close, self.window)
        reach, tie = deviation * self.width, middle * TIE
        upper, lower = middle + reach, np.subtract(middle, reach, out=reach)
        # An unknown band ends the holding.
        exposure = held(close < lower - tie, ~(close <= middle + tie))
        if self.short:
            exposure -= held(close > upper + tie, ~(close >= middle - tie))
        return Opinion(exposure, evidence={"close": close, "lower": lower, "middle": middle, "upper": upper})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Place the close among the bands."""
        close, lower, middle, upper = (evidence[name] for name in ("close", "lower", "middle", "upper"))
        if not math.isfinite(middle):
            return f"fewer than {self.window} closes are known"
        if exposure > 0 and close < lower:
            return f"the close {close:.2f} is below its lower band {lower:.2f}"
        if exposure < 0 and close > upper:
            return f"the close {close:.2f} is above its upper band {upper:.2f}"
        if exposure:
            side = "lower" if exposure > 0 else "upper"
            return f"the close {close:.2f} left its {side} band and has not passed the mean {middle:.2f} yet"
        if self.short:
            return (
                f"the close {close:.2f} has not left the bands from {lower:.2f} to {upper:.2f} since it passed the mean"
            )
        return (
            f"the close {close:.2f} has not been below its lower band {lower:.2f} since it passed the mean {middle:.2f}"
        )
