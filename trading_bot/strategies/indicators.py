"""Indicators over (T, N) price matrices: every row at once, each row from itself and rows above it."""

from __future__ import annotations

import itertools

import numpy as np

from trading_bot.domain.market import FloatMatrix

CARRY_SESSIONS = 5  # how long a missing close may be bridged before an indicator is unknown
TIE = 1e-9  # two values closer than this share are equal: rounding must not make an opinion


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
    missing = np.isnan(values)
    gaps = bool(missing.any())
    sums = _running_sums(np.where(missing, 0.0, values) if gaps else values)
    unknown = np.cumsum(missing, axis=0) if gaps else None
    means: list[FloatMatrix] = []
    for window in windows:
        mean = _windowed(sums, window)
        mean /= window
        if unknown is not None:
            mean[_windowed(unknown.astype(np.float64), window) > 0] = np.nan
        means.append(mean)
    return tuple(means)


def _running_sums(values: FloatMatrix) -> FloatMatrix:
    """Return `np.cumsum(values, axis=0)`, row by row: NumPy goes down each column, which takes three times as long."""
    sums = np.empty_like(values)
    sums[:1] = values[:1]
    for row in range(1, len(values)):
        np.add(sums[row - 1], values[row], out=sums[row])
    return sums


def _windowed(sums: FloatMatrix, window: int) -> FloatMatrix:
    """Return sums over the last `window` rows from prefix sums; NaN in the first window - 1 rows."""
    out = np.empty_like(sums)
    out[: window - 1] = np.nan
    if len(sums) >= window:
        out[window - 1] = sums[window - 1]
        np.subtract(sums[window:], sums[:-window], out=out[window:])
    return out


def wilder_rsi(close: FloatMatrix, period: int) -> FloatMatrix:
    """Return the relative strength index in [0, 100]; NaN for the first `period` rows of a symbol.

    Wilder (1978), New Concepts in Technical Trading Systems, section VI: the first averages are plain
    means of `period` changes, later ones are smoothed by 1/period. A price that never moved has
    strength 50, for there is none either way (TA-Lib says 0 there).
    """
    out = _rsi_of_known(close, period)
    for column in np.flatnonzero(np.isnan(close).any(axis=0)):
        rows = np.flatnonzero(np.isfinite(close[:, column]))
        out[:, column] = np.nan
        out[rows, column] = _rsi_of_known(close[rows, column][:, None], period)[:, 0]
    return out


def _rsi_of_known(close: FloatMatrix, period: int) -> FloatMatrix:
    if len(close) <= period:
        return np.full(close.shape, np.nan)
    out = np.empty(close.shape)
    change = np.subtract(close[1:], close[:-1], out=out[1:])
    gain = _smoothed(np.maximum(change, 0.0), period)
    both = _smoothed(np.abs(change, out=change), period)  # gain + loss; these are the last rows of `out`
    quiet = both <= 0.0
    if quiet.any():
        gain[quiet], both[quiet] = 1.0, 2.0
    np.divide(gain, both, out=both)
    both *= 100.0
    out[:period] = np.nan
    return out


def _smoothed(values: FloatMatrix, period: int) -> FloatMatrix:
    """Turn `values` into `period` times their smoothed means, in place; return rows period - 1 and later.

    s[t] = (1 - 1 / period) s[t-1] + values[t], the first s a plain sum. The factor drops out of a ratio.
    """
    sums = values[period - 1 :]
    # Not `sum`, which adds up a single column in another order than the columns of a matrix: a gap to come would
    # change the last bit of every value before it.
    sums[0] = np.cumsum(values[:period], axis=0)[-1]
    carry, keep = np.empty(values.shape[1]), 1.0 - 1.0 / period
    for earlier, later in itertools.pairwise(sums):
        np.multiply(earlier, keep, out=carry)
        np.add(later, carry, out=later)
    return sums
