"""Buying what fell fast, by Wilder's relative strength index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.averages import wilder_rsi
from trading_bot.strategies.indicators import carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.running import held


@strategy("rsi_reversion")
@dataclass(frozen=True, slots=True)
class RsiReversion:
    """Hold a stock from the session its RSI falls below `oversold` until it is back above `recovered`.

    On the thresholds themselves nothing changes. This promises no profit.

    Source: Wilder (1978), New Concepts in Technical Trading Systems, section VI.
    """

    period: Annotated[int, Gt(1)] = 14  # sessions
    oversold: Annotated[float, Ge(0), Le(100)] = 30.0  # RSI points
    recovered: Annotated[float, Ge(0), Le(100)] = 50.0  # RSI points

    def __post_init__(self) -> None:
        """Raise ValueError unless `oversold` lies below `recovered`."""
        if self.oversold >= self.recovered:
            raise ValueError(f"oversold={self.oversold} must be below recovered={self.recovered}")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1 or 0 for each session and symbol; 0 until the RSI is known."""
        rsi = wilder_rsi(carried(history.close), self.period)
        return Opinion(exposure=self._held(rsi), evidence={"rsi": rsi})

    def _held(self, rsi: FloatMatrix) -> FloatMatrix:
        return held(rsi < self.oversold, ~(rsi <= self.recovered))  # an unknown RSI ends the holding

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Name the RSI and the threshold that counts."""
        rsi = evidence["rsi"]
        if not math.isfinite(rsi):
            return f"the RSI needs {self.period + 1} closes"
        if exposure > 0 and rsi < self.oversold:
            return f"RSI {rsi:.1f} is below {self.oversold:g}: oversold"
        if exposure > 0:
            return f"RSI {rsi:.1f} is recovering from below {self.oversold:g} and not above {self.recovered:g} yet"
        return f"RSI {rsi:.1f} has not fallen below {self.oversold:g}"
