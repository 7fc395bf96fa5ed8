"""What a result is compared with: the source's benchmark, or else its stocks, bought once and held."""

from __future__ import annotations

import numpy as np

from trading_bot.data.past import Past
from trading_bot.domain.market import FloatMatrix, FloatVector


def yardstick(past: Past) -> tuple[FloatVector | None, str]:
    """Return one close for each of the past's days, and its name; None where no stock has a price on the first day.

    Where the source knows no benchmark, equal dollars go into each stock at the first day's close and stay there, 100
    in all; splits count. A stock that trades no more stays at its last close, one that comes later is left out.
    """
    known = past.benchmark()
    if known is not None:
        return known, past.raw.benchmark_name
    history = past.newest().history  # in which every split is counted
    first, *rows = np.searchsorted(history.sessions, past.days).tolist()
    held = np.isfinite(history.close[first])
    if not held.any():
        return None, ""
    closes = _carried(history.close[[first, *rows]][:, held])
    symbols = [symbol for symbol, is_held in zip(history.symbols, held.tolist(), strict=True) if is_held]
    name = f"Holding {symbols[0]}" if len(symbols) == 1 else f"Holding {len(symbols)} stocks"
    return 100.0 * (closes / closes[0]).mean(axis=1), name


def _carried(closes: FloatMatrix) -> FloatMatrix:
    """Return the closes with the last known one wherever one is missing; the first row is known."""
    rows = np.where(np.isfinite(closes), np.arange(len(closes))[:, None], 0)
    return np.take_along_axis(closes, np.maximum.accumulate(rows, axis=0), axis=0)
