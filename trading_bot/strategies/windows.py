"""What the last `window` rows have been like. A row is NaN until its window is full and free of gaps."""

from __future__ import annotations

import numpy as np

from trading_bot.domain.market import FloatMatrix
from trading_bot.strategies.running import MANY_COLUMNS


def highest(values: FloatMatrix, window: int) -> FloatMatrix:
    """Return the greatest of the last `window` rows, this one included."""
    return _combined(np.maximum, values, window)


def lowest(values: FloatMatrix, window: int) -> FloatMatrix:
    """Return the least of the last `window` rows, this one included."""
    return _combined(np.minimum, values, window)


def _combined(ufunc: np.ufunc, values: FloatMatrix, window: int) -> FloatMatrix:
    """Combine windows of 1, 2, 4, … rows, and two that overlap for the rest. NaN wins against every number."""
    out = np.full_like(values, np.nan)
    if len(values) < window:
        return out
    best, width = values, 1
    while 2 * width <= window:
        best, width = ufunc(best[width:], best[:-width]), 2 * width
    rest = window - width
    out[window - 1 :] = ufunc(best[rest:], best[:-rest]) if rest else best
    return out


def means_and_deviations(values: FloatMatrix, window: int) -> tuple[FloatMatrix, FloatMatrix]:
    """Return mean and population standard deviation (divided by `window`, as in TA-Lib) of the last `window` rows.

    A window lies across the border of two blocks of `window` rows: the end of one and the beginning of the next are
    summed towards and from the border, relative to the last value before it. So no sum is longer than a window, nothing
    far back takes digits away, and prices that stand still have deviation 0 to the last bit.
    """
    sessions, columns = values.shape
    means, deviations = np.full_like(values, np.nan), np.full_like(values, np.nan)
    if sessions < window or not columns:
        return means, deviations
    blocks = -(-sessions // window) + 1  # the last one empty, to follow every other
    padded = np.empty((blocks * window, columns))
    padded[:sessions], padded[sessions:] = values, np.nan
    block = padded.reshape(blocks, window, columns)
    anchor = block[:-1, -1:]
    before, after = block[:-1] - anchor, block[1:] - anchor
    sums = _across(before, after)
    squares = _across(np.square(before, out=before), np.square(after, out=after))
    sums /= window
    squares /= window
    squares -= sums * sums
    np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)
    sums += anchor
    rows = sessions - window + 1
    means[window - 1 :] = sums.reshape(-1, columns)[:rows]
    deviations[window - 1 :] = squares.reshape(-1, columns)[:rows]
    return means, deviations


def _across(before: FloatMatrix, after: FloatMatrix) -> FloatMatrix:
    """Return the sums over windows that begin in row m of `before` and end in row m - 1 of `after`."""
    sums = _cumulated(before[:, ::-1])[:, ::-1].copy()
    sums[:, 1:] += _cumulated(after[:, :-1])
    return sums


def _cumulated(blocks: FloatMatrix) -> FloatMatrix:
    """Return the running sums along axis 1."""
    if blocks.shape[2] <= MANY_COLUMNS // 4:
        return np.cumsum(blocks, axis=1)
    out = np.empty(blocks.shape)
    out[:, :1] = blocks[:, :1]
    for row in range(1, blocks.shape[1]):
        np.add(out[:, row - 1], blocks[:, row], out=out[:, row])
    return out
