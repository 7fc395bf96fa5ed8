"""Averages that weigh newer prices more, and what is measured with them. Rules for gaps: `running.over_known`."""

from __future__ import annotations

import numpy as np

from trading_bot.domain.market import FloatMatrix
from trading_bot.domain.sharing import shared
from trading_bot.strategies.running import decay, over_known


@shared
def exponential_mean(close: FloatMatrix, period: int) -> FloatMatrix:
    """Return the exponential moving average with weight 2 / (period + 1); NaN for the first period - 1 closes.

    Hunter (1986), Journal of Quality Technology 18(4). It begins with the plain mean of `period` closes, as in TA-Lib.
    """

    def mean(known: FloatMatrix) -> tuple[FloatMatrix]:
        return (_exponential(known, period, period - 1),)

    return over_known(mean, close)[0]


@shared
def macd_lines(close: FloatMatrix, fast: int, slow: int, signal: int) -> tuple[FloatMatrix, FloatMatrix]:
    """Return fast minus slow exponential mean, and the exponential mean of that over `signal` sessions.

    Appel (1979), The Moving Average Convergence-Divergence Method. As in TA-Lib both means begin at close number
    `slow`, the fast one with the plain mean of the `fast` closes up to there; the signal `signal` - 1 closes later.
    """

    def lines(known: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
        macd = _exponential(known, fast, slow - 1) - _exponential(known, slow, slow - 1)
        line = np.full_like(macd, np.nan)
        line[slow - 1 :] = _exponential(macd[slow - 1 :], signal, signal - 1)
        return macd, line

    macd, line = over_known(lines, close)
    return macd, line


def _exponential(values: FloatMatrix, period: int, seed: int) -> FloatMatrix:
    """Return the exponential mean from row `seed` on, which is the plain mean of the `period` rows up to it."""
    out = np.full_like(values, np.nan)
    if len(values) > seed:
        weight = 2.0 / (period + 1)
        later = np.multiply(values[seed:], weight, out=out[seed:])
        later[0] = _sum(values[seed + 1 - period : seed + 1]) / period
        decay(later, 1.0 - weight)
    return out


@shared
def average_true_range(high: FloatMatrix, low: FloatMatrix, close: FloatMatrix, period: int) -> FloatMatrix:
    """Return Wilder's average true range in dollars; NaN for the first `period` bars of a symbol.

    Wilder (1978), New Concepts in Technical Trading Systems, section III: the first is the plain mean of `period` true
    ranges, later ones are smoothed by 1 / period. Where only closes are known it is the mean move of the close.
    """

    def ranges(high: FloatMatrix, low: FloatMatrix, close: FloatMatrix) -> tuple[FloatMatrix]:
        out = np.full_like(close, np.nan)
        if len(close) > period:
            before = close[:-1]
            true = np.maximum(high[1:], before)
            true -= np.minimum(low[1:], before)
            out[period:] = wilder_sums(true, period) / period
        return (out,)

    return over_known(ranges, high, low, close)[0]


@shared
def wilder_rsi(close: FloatMatrix, period: int) -> FloatMatrix:
    """Return the relative strength index in [0, 100]; NaN for the first `period` rows of a symbol.

    Wilder (1978), New Concepts in Technical Trading Systems, section VI: the first averages are plain
    means of `period` changes, later ones are smoothed by 1/period. A price that never moved has
    strength 50, for there is none either way (TA-Lib says 0 there).
    """

    def strength(known: FloatMatrix) -> tuple[FloatMatrix]:
        return (_rsi_of_known(known, period),)

    return over_known(strength, close)[0]


def _rsi_of_known(close: FloatMatrix, period: int) -> FloatMatrix:
    if len(close) <= period:
        return np.full(close.shape, np.nan)
    out = np.empty(close.shape)
    change = np.subtract(close[1:], close[:-1], out=out[1:])
    gain = wilder_sums(np.maximum(change, 0.0), period)
    both = wilder_sums(np.abs(change, out=change), period)  # gain + loss; these are the last rows of `out`
    quiet = both <= 0.0
    if quiet.any():
        gain[quiet], both[quiet] = 1.0, 2.0
    np.divide(gain, both, out=both)
    both *= 100.0
    out[:period] = np.nan
    return out


def wilder_sums(values: FloatMatrix, period: int) -> FloatMatrix:
    """Turn `values` into `period` times their smoothed means, in place; return rows period - 1 and later.

    s[t] = (1 - 1 / period) s[t-1] + values[t], the first s a plain sum. The factor drops out of a ratio.
    """
    sums = values[period - 1 :]
    sums[0] = _sum(values[:period])
    return decay(sums, 1.0 - 1.0 / period)


def _sum(values: FloatMatrix) -> FloatMatrix:
    """Return the column sums. `sum` adds a single column up in another order than the columns of a matrix."""
    return np.cumsum(values, axis=0)[-1]
