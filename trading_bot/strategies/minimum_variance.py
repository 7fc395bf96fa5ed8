"""Holding what, taken together, moves least."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.covariance import least_variance, shrunk_covariance
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.months import first_of_months, standing
from trading_bot.strategies.registry import strategy


@strategy("minimum_variance")
@dataclass(frozen=True, slots=True)
class MinimumVariance:
    """Hold the stocks that make up the long-only portfolio of least variance, each in proportion to its weight in it.

    The largest weight has exposure 1. Other than `inverse_volatility` it minds how stocks move together, and leaves out
    most of them. Decided on the first session of each month from `window` daily log returns, for the whole month. A
    price that stands still is not held. This promises no profit.

    Source: Jagannathan & Ma (2003), Risk Reduction in Large Portfolios, Journal of Finance 58(4), for weights that are
    not negative; Ledoit & Wolf (2004), Journal of Multivariate Analysis 88(2), for the covariance.
    """

    window: Annotated[int, Ge(20)] = 120  # sessions

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return an exposure in [0, 1] for each session and symbol; 0 until the month after `window` + 1 closes."""
        close = carried(history.close)
        logs = np.log(close)
        days = first_of_months(history.sessions)
        days = days[days >= self.window]
        decisions = np.empty((len(days), close.shape[1]))
        for place, day in enumerate(days.tolist()):
            decisions[place] = self._weights(logs[day - self.window : day + 1])
        weight = standing(decisions, days, len(close), np.nan)
        largest = standing(decisions.max(axis=1, keepdims=True, initial=TIE), days, len(close), 1.0)
        exposure = np.where(np.isnan(close) | np.isnan(weight), 0.0, np.nan_to_num(weight) / largest)
        return Opinion(exposure, evidence={"weight": weight})

    def _weights(self, logs: FloatMatrix) -> FloatVector:
        """Return (N,) weights, to nine digits; 0 for a stock with a gap or without a move."""
        weights = np.zeros(logs.shape[1])
        usable = np.flatnonzero(np.isfinite(logs).all(axis=0))
        usable = usable[np.ptp(logs[:, usable], axis=0) > TIE]
        if usable.size:
            covariance, _ = shrunk_covariance(np.diff(logs[:, usable], axis=0))
            weights[usable] = np.round(least_variance(covariance), 9)
        return weights

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the weight in the portfolio."""
        weight = evidence["weight"]
        if not math.isfinite(weight):
            return f"its weight needs {self.window + 1} closes at the beginning of a month"
        if weight <= 0:
            return "it is not in the portfolio of least variance"
        if exposure <= 0:
            return "it has not traded of late"
        return f"its weight in the portfolio of least variance is {weight:.1%}: {exposure:.0%} of the largest"
