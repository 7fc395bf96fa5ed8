"""Indicators over (T, N) price matrices: every row at once, each row from itself and rows above it."""

from __future__ import annotations

import numpy as np

from trading_bot.domain.market import FloatMatrix
from trading_bot.domain.sharing import shared
from trading_bot.strategies.running import running_sums

CARRY_SESSIONS = 5  # how long a missing close may be bridged before an indicator is unknown
TIE = 1e-9  # two values closer than this share are equal: rounding must not make an opinion


@shared
def carried(close: FloatMatrix, limit: int = CARRY_SESSIONS) -> FloatMatrix:
    """Return `close` with gaps of up to `limit` sessions bridged by the last known close.

    For indicators only: nothing is ever traded or valued at a bridged price. Without gaps the same
    array comes back. Longer gaps and the time before the first close stay NaN.
    """
    missing = np.isnan(close)
    if not missing.any():
        return close
    rows = np.arange(len(close))[:, None]
    last_known = np.maximum.accumulate(np.where(missing, -1, rows), axis=0)
    usable = (last_known >= 0) & (rows - last_known <= limit)
    filled = np.take_along_axis(close, np.maximum(last_known, 0), axis=0)
    return np.where(usable, filled, np.nan)


def rolling_means(values: FloatMatrix, *windows: int) -> tuple[FloatMatrix, ...]:
    """Return the simple moving average over each window; NaN until a full window is known.

    The prefix sums are shared by all windows, which is what makes a pair of means cheap.
    """
    sums, unknown = _prefix_sums(values)
    return tuple(_mean(sums, unknown, window) for window in windows)


@shared
def _prefix_sums(values: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix | None]:
    """Return the sums of the known values up to each row, and how many are unknown; None where all are known."""
    missing = np.isnan(values)
    if not missing.any():
        return running_sums(values), None
    return running_sums(np.where(missing, 0.0, values)), np.cumsum(missing, axis=0, dtype=np.float64)


@shared
def _mean(sums: FloatMatrix, unknown: FloatMatrix | None, window: int) -> FloatMatrix:
    mean = _windowed(sums, window)
    mean /= window
    if unknown is not None:
        mean[_windowed(unknown, window) > 0] = np.nan
    return mean


def _windowed(sums: FloatMatrix, window: int) -> FloatMatrix:
    """Return sums over the last `window` rows from prefix sums; NaN in the first window - 1 rows."""
    out = np.empty_like(sums)
    out[: window - 1] = np.nan
    if len(sums) >= window:
        out[window - 1] = sums[window - 1]
        np.subtract(sums[window:], sums[:-window], out=out[window:])
    return out
