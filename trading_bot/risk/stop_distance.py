"""How far below its price a stock is given up: by per cent, or by how much it usually moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from trading_bot.domain.market import MarketHistory, Symbol
from trading_bot.domain.money import price_of

StopBy = Literal["percent", "atr"]
WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class StopDistance:
    """Where a stop lies, as a share of the price it is counted from."""

    by: StopBy = "percent"
    pct: Decimal = Decimal("0.10")
    atr_multiple: Decimal = Decimal(3)
    atr_sessions: int = 14

    def share(self, history: MarketHistory, symbol: Symbol, price: Decimal) -> Decimal:
        """Return the distance as a share of `price`, at most all of it. Where the ATR is not known: all of it."""
        if self.by == "percent":
            return self.pct
        range_ = true_range(history, symbol, self.atr_sessions)
        return WHOLE if range_ is None or price <= 0 else min(self.atr_multiple * range_ / price, WHOLE)


def true_range(history: MarketHistory, symbol: Symbol, sessions: int, rows: int | None = None) -> Decimal | None:
    """Return the average true range in dollars over the last `sessions` sessions, of the first `rows` where given.

    True range = max(high - low, |high - close before|, |low - close before|); the average is the plain mean (Wilder,
    1978, New Concepts in Technical Trading Systems, section III, smooths it). None where a price is missing or there
    are too few sessions. Prices that are closes only give the mean move of the close.
    """
    column, end = history.find(symbol), len(history.sessions) if rows is None else rows
    if column is None or end < sessions + 1:
        return None
    window = slice(end - sessions, end)
    high, low = history.high[window, column], history.low[window, column]
    before = history.close[end - sessions - 1 : end - 1, column]
    ranges = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
    mean = float(ranges.mean())
    return price_of(mean) if math.isfinite(mean) and mean > 0 else None
