"""Holding everything, and the more of it the calmer it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt

from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.windows import means_and_deviations


@strategy("inverse_volatility")
@dataclass(frozen=True, slots=True)
class InverseVolatility:
    """Hold every stock in inverse proportion to its volatility: the calmest has exposure 1.

    With equal correlations it is the portfolio in which every stock bears the same risk. The volatility is the standard
    deviation of `window` daily log returns. A price that stands still has no volatility, and is not held. This promises
    no profit.

    Source: Maillard, Roncalli & Teïletche (2010), The Properties of Equally Weighted Risk Contribution Portfolios,
    Journal of Portfolio Management 36(4).
    """

    window: Annotated[int, Gt(1)] = 60  # sessions

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return an exposure in [0, 1] for each session and symbol; 0 until `window` + 1 closes are known."""
        close = carried(history.close)
        volatility = np.full(close.shape, np.nan)
        if len(close):
            logs = np.log(close)
            volatility[1:] = means_and_deviations(logs[1:] - logs[:-1], self.window)[1]
        volatility[volatility <= TIE] = np.nan
        calmest = _least(volatility)
        exposure = np.divide(calmest, volatility)
        exposure[np.isnan(exposure)] = 0.0
        yearly = np.multiply(volatility, np.sqrt(252.0), out=volatility)
        return Opinion(exposure, evidence={"volatility": yearly})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the volatility and what it is worth."""
        volatility = evidence["volatility"]
        if not math.isfinite(volatility):
            return f"no volatility: fewer than {self.window + 1} closes are known, or they do not differ"
        return f"its volatility is {volatility:.1%} a year: {exposure:.0%} of what the calmest stock gets"


def _least(volatility: FloatMatrix) -> FloatMatrix:
    """Return (T, 1): the least of each row's known numbers, or infinity."""
    return np.fmin.reduce(volatility, axis=1, initial=np.inf, keepdims=True)
