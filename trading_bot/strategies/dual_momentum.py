"""Buying the few that rose most, and only if they beat holding cash."""

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
from trading_bot.strategies.months import first_of_months, standing
from trading_bot.strategies.registry import strategy


@strategy("dual_momentum")
@dataclass(frozen=True, slots=True)
class DualMomentum:
    """Hold the `hold` stocks with the highest return over `lookback` sessions whose return beats `hurdle`, too.

    The first test is relative momentum, the second absolute: what beats the others and still loses against cash is not
    held, and nothing takes its place. Decided on the first session of each month, for the whole month. Stocks tied with
    the last one that qualifies are held, too. This promises no profit.

    Source: Antonacci (2017), Risk Premia Harvesting Through Dual Momentum, Journal of Management & Entrepreneurship
    2(1). There cash is the Treasury bill; here its yearly yield is the option `hurdle`.
    """

    lookback: Annotated[int, Gt(0)] = 252  # sessions
    hold: Annotated[int, Gt(0)] = 5  # stocks
    hurdle: Annotated[float, Ge(0), Le(1)] = 0.0  # yearly return of cash; 0.05 is 5 %

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1 or 0 for each session and symbol; 0 until the month after `lookback` closes."""
        close = carried(history.close)
        days = first_of_months(history.sessions)
        days = days[days >= self.lookback]
        change = close[days] / close[days - self.lookback]
        change -= 1.0
        least = self._least(change)
        chosen = ((change >= least - TIE) & (change > self._cash + TIE)).astype(np.float64)
        exposure = standing(chosen, days, len(close), 0.0)
        exposure[np.isnan(close)] = 0.0
        known = standing(change, days, len(close), np.nan)
        cutoff = standing(np.broadcast_to(least, change.shape), days, len(close), np.nan)
        return Opinion(exposure, evidence={"return": known, "cutoff": cutoff})

    @property
    def _cash(self) -> float:
        """What cash earns over the lookback."""
        return (1.0 + self.hurdle) ** (self.lookback / 252) - 1.0

    def _least(self, change: FloatMatrix) -> FloatMatrix:
        """Return (rows, 1): the return of the last that is among the best `hold`; NaN where none is known."""
        if not change.shape[1]:
            return np.full((len(change), 1), np.nan)
        best_first = np.sort(-change, axis=1)  # NaN sorts last
        places = np.minimum(np.isfinite(change).sum(axis=1), self.hold) - 1
        return -np.take_along_axis(best_first, np.maximum(places, 0)[:, None], axis=1)

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the return and the test that it passed or failed."""
        change, cutoff = evidence["return"], evidence["cutoff"]
        if not math.isfinite(change):
            return f"its return needs {self.lookback + 1} closes at the beginning of a month"
        head = f"its {self.lookback}-session return {change:+.1%} at the beginning of the month"
        if exposure > 0:
            return f"{head} is among the best {self.hold} (from {cutoff:+.1%}) and above cash ({self._cash:+.1%})"
        if change < cutoff - TIE:
            return f"{head} is not among the best {self.hold} (from {cutoff:+.1%})"
        if change > self._cash + TIE:
            return f"{head} was good enough, but it has not traded of late"
        return f"{head} is not above cash ({self._cash:+.1%})"
