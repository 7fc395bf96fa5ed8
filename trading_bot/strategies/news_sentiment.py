"""Following what the news says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt

from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.running import running_sums


@strategy("news_sentiment")
@dataclass(frozen=True, slots=True)
class NewsSentiment:
    """Hold a stock while the mean sentiment of its news over `sessions` sessions is above `threshold`.

    Sentiment runs from -1 to 1. Sessions without news do not count; without any news, or where nobody reads it, there
    is no opinion. With `short` a stock is sold short below the negative threshold. This promises no profit.

    Source: Tetlock, Saar-Tsechansky & Macskassy (2008), More Than Words, Journal of Finance 63(3), section III: news
    predicts returns for a few days.
    """

    sessions: Annotated[int, Gt(0)] = 3
    threshold: Annotated[float, Ge(0), Lt(1)] = 0.2  # mean sentiment
    short: bool = False

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 where there is no news."""
        if history.sentiment is None:
            nothing = np.zeros(history.close.shape)
            return Opinion(nothing, evidence={"sentiment": np.full_like(nothing, np.nan)})
        mean = self._mean(history.sentiment)
        exposure = (mean > self.threshold + TIE).astype(np.float64)  # a comparison with NaN is False
        if self.short:
            exposure -= mean < -self.threshold - TIE
        exposure[np.isnan(carried(history.close))] = 0.0
        return Opinion(exposure, evidence={"sentiment": mean})

    def _mean(self, sentiment: FloatMatrix) -> FloatMatrix:
        """Return the mean of the known scores of the last `sessions` rows, of fewer at the beginning; NaN: none."""
        known = np.isfinite(sentiment)
        total = self._newest(np.where(known, sentiment, 0.0))
        count = self._newest(known.astype(np.float64))
        count[count == 0] = np.nan
        return np.divide(total, count, out=total)

    def _newest(self, values: FloatMatrix) -> FloatMatrix:
        sums = running_sums(values)
        sums[self.sessions :] -= sums[: -self.sessions].copy()
        return sums

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the sentiment and the threshold."""
        sentiment = evidence["sentiment"]
        span = "session" if self.sessions == 1 else f"{self.sessions} sessions"
        if not math.isfinite(sentiment):
            return f"no news of the last {span}"
        head = f"the sentiment of its news over the last {span} is {sentiment:+.2f}"
        if exposure < 0:
            return f"{head}, below {-self.threshold:+.2f}"
        return f"{head}, {'above' if exposure > 0 else 'not above'} {self.threshold:+.2f}"
