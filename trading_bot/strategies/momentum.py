"""Buying what rose over the last year, the last month left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.domain.sharing import shared
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy


@strategy("momentum")
@dataclass(frozen=True, slots=True)
class Momentum:
    """Hold the `top` share of stocks by 12-1 return, as long as that return is positive.

    The 12-1 return runs from `lookback` sessions ago to `skip` sessions ago: the last month is left
    out because it tends to revert. Stocks tied with the last one that qualifies are held, too. This
    promises no profit.

    Source: Jegadeesh & Titman (1993), Journal of Finance 48(1), section I; the month left out as in
    Asness, Moskowitz & Pedersen (2013), Journal of Finance 68(3), section I.
    """

    lookback: Annotated[int, Gt(0)] = 252  # sessions
    skip: Annotated[int, Ge(0)] = 21  # sessions
    top: Annotated[float, Gt(0), Le(1)] = 0.3  # share of the stocks whose return is known

    def __post_init__(self) -> None:
        """Raise ValueError unless the month left out is shorter than the lookback."""
        if self.skip >= self.lookback:
            raise ValueError(f"skip={self.skip} must be below lookback={self.lookback}")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1 or 0 for each session and symbol; 0 until `lookback` + 1 closes are known."""
        close = carried(history.close)
        change, best_first = _returns(close, self.lookback, self.skip)
        cutoff = np.full((len(close), 1), np.nan)
        exposure = np.zeros(close.shape)
        if best_first.size:
            known = change[self.lookback :]
            cutoff[self.lookback :, 0] = self._cutoff(best_first)
            exposure[self.lookback :] = (known >= cutoff[self.lookback :] - TIE) & (known > TIE)
        return Opinion(exposure, evidence={"return": change, "cutoff": np.broadcast_to(cutoff, close.shape)})

    def _cutoff(self, best_first: FloatMatrix) -> FloatVector:
        """Return (T,): the lowest return that still belongs to the top share; NaN where none is known."""
        known = np.isfinite(best_first).sum(axis=1)
        places = np.ceil(known * self.top).astype(np.intp)
        last = np.take_along_axis(best_first, np.maximum(places - 1, 0)[:, None], axis=1)[:, 0]
        return np.where(known > 0, -last, np.nan)

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the return and the return that the top share begins at."""
        change, cutoff = evidence["return"], evidence["cutoff"]
        if not math.isfinite(change):
            return f"the 12-1 return needs {self.lookback + 1} closes"
        if exposure > 0:
            return f"its 12-1 return {change:+.1%} is among the top {self.top:.0%} (from {cutoff:+.1%})"
        if change >= cutoff - TIE:
            return f"its 12-1 return {change:+.1%} is not positive"
        return f"its 12-1 return {change:+.1%} is below the top {self.top:.0%} (from {cutoff:+.1%})"


@shared
def _returns(close: FloatMatrix, lookback: int, skip: int) -> tuple[FloatMatrix, FloatMatrix]:
    """Return the returns, (T, N), and those from row `lookback` on as losses, each row with the best first."""
    change = np.full(close.shape, np.nan)
    known = change[lookback:]
    if len(known):
        np.divide(close[lookback - skip : len(close) - skip], close[:-lookback], out=known)
        known -= 1.0
    return change, np.sort(-known, axis=1)  # NaN sorts last
