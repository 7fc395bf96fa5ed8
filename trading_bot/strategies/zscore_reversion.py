"""Leaning against a price the more, the further it is from its mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.windows import means_and_deviations


@strategy("zscore_reversion")
@dataclass(frozen=True, slots=True)
class ZscoreReversion:
    """Hold the more of a stock, the more standard deviations its close lies below its mean.

    Nothing is held at `begin` deviations or fewer, a full position at `full` or more, a part in proportion between.
    With `short` a close above the mean is sold short in the same way. A price whose deviation is a tie with zero has no
    z-score. This promises no profit.

    Source: Chan (2013), Algorithmic Trading, Wiley, chapter 2, "a linear mean-reverting trading strategy": holdings in
    proportion to the negative z-score; the two thresholds bound it.
    """

    window: Annotated[int, Gt(1)] = 20  # sessions
    begin: Annotated[float, Ge(0), Le(10)] = 1.0  # standard deviations
    full: Annotated[float, Gt(0), Le(10)] = 2.0  # standard deviations
    short: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError unless `begin` lies below `full`."""
        if self.begin >= self.full:
            raise ValueError(f"begin={self.begin} must be below full={self.full}")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return an exposure in [-1, 1] for each session and symbol; 0 until `window` closes are known."""
        close = carried(history.close)
        mean, deviation = means_and_deviations(close, self.window)
        z = np.where(deviation <= mean * TIE, np.nan, close - mean)
        z /= deviation
        exposure = self._beyond(-z)
        if self.short:
            exposure -= self._beyond(z)
        return Opinion(exposure, evidence={"z": z, "mean": mean})

    def _beyond(self, distance: FloatMatrix) -> FloatMatrix:
        """Return 0 up to `begin`, 1 from `full` on, a line between; 0 for an unknown distance."""
        share = (distance - self.begin) / (self.full - self.begin)
        np.minimum(share, 1.0, out=share)
        share[~(share > TIE)] = 0.0
        return share

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the distance and what part of a position it is worth."""
        z = evidence["z"]
        if not math.isfinite(z):
            return f"no z-score: fewer than {self.window} closes are known, or they do not differ"
        where = f"the close lies {abs(z):.2f} standard deviations {'below' if z < 0 else 'above'} its mean"
        if exposure:
            return f"{where} {evidence['mean']:.2f}: {abs(exposure):.0%} of a full position"
        return f"{where} {evidence['mean']:.2f}, not more than {self.begin:g} {'away' if self.short else 'below'}"
