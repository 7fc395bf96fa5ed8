"""The formulas of profit and risk, each in one place, for one equity curve or for many at once.

`worth` holds dollars with the opening first, (T + 1,) or (T + 1, K): T sessions, K candidates side by side.
`returns` holds a session's change as a share, (T,) or (T, K), as `returns_of` makes it. Answers have one number a
candidate: shape () or (K,). NaN stands for what cannot be computed, nothing is ever infinite; `known` turns NaN into
None where a number leaves for a record.

A year has 252 sessions, the riskless rate is 0. docs/backtest-report.md says where other libraries differ.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatVector

Curves = NDArray[np.float64]  # (T,) or (T, K)
Figure = NDArray[np.float64]  # () or (K,)

SESSIONS_A_YEAR = 252
DAYS_A_YEAR = 365.25
TAIL = 0.05  # share of the sessions that count as the worst, for value at risk
EULER = 0.5772156649015329  # the Euler–Mascheroni constant
NO_CHANGE = 1e-12  # a standard deviation or a fall below this is what rounding leaves


def known(figure: Figure | float) -> float | None:
    """Return one number, None where it could not be computed."""
    number = float(figure)
    return number if math.isfinite(number) else None


# ── return ────────────────────────────────────────────────────────────────────────────────────────


def returns_of(worth: Curves) -> Curves:
    """Return the change of each session as a share, one row less; NaN where a share of nothing would be taken."""
    return _divided(worth[1:] - worth[:-1], worth[:-1], above=0.0)


def total_return(worth: Curves) -> Figure:
    """Return what was gained over all, as a share of the opening: 0.1 is 10 %.

    NaN without a session, or once the account was lost on the way: what came after was not earned with it.
    """
    if len(worth) < 2:
        return _unknown(worth)
    lost = (worth[:-1] <= 0).any(axis=0)
    return np.where(lost, np.nan, _divided(worth[-1] - worth[0], worth[0], above=0.0))


def annual_return_by_sessions(worth: Curves) -> Figure:
    """Return the rate that, compounded over T / 252 years, gives the total return.

    Source: CFA Institute (2020), Global Investment Performance Standards, geometrically linked returns; as
    `annual_return` of empyrical. Over short spans it multiplies luck: read it from a year on.
    """
    return _compounded(1 + total_return(worth), SESSIONS_A_YEAR / max(len(worth) - 1, 1))


def annual_return_by_calendar(worth: Curves, days: int) -> Figure:
    """Return the rate that, compounded over days / 365.25 years, gives the total return (CAGR of the calendar).

    Args:
        worth: dollars, the opening first.
        days: calendar days from the first session to the last one; with 0 the answer is NaN.
    """
    return _compounded(1 + total_return(worth), DAYS_A_YEAR / days) if days > 0 else _unknown(worth)


# ── risk ──────────────────────────────────────────────────────────────────────────────────────────


def volatility(returns: Curves) -> Figure:
    """Return the standard deviation of a session's return (n - 1), for a year: times the root of 252."""
    if len(returns) < 2:
        return _unknown(returns)
    return np.std(returns, axis=0, ddof=1) * math.sqrt(SESSIONS_A_YEAR)


def downside_deviation(returns: Curves) -> Figure:
    """Return the root of the mean squared loss of all sessions, gains counted as 0, for a year.

    Source: Sortino & Price (1994), Performance Measurement in a Downside Risk Framework, J. of Investing 3(3), with a
    target of 0.
    """
    if len(returns) < 2:
        return _unknown(returns)
    losses = np.minimum(returns, 0.0)
    return np.sqrt(np.mean(losses * losses, axis=0)) * math.sqrt(SESSIONS_A_YEAR)


def sharpe(returns: Curves) -> Figure:
    """Return the mean return over its standard deviation, for a year; NaN where returns do not vary.

    Source: Sharpe (1994), The Sharpe Ratio, J. of Portfolio Management 21(1), riskless rate 0.
    """
    return _divided(_mean(returns) * SESSIONS_A_YEAR, volatility(returns), above=NO_CHANGE)


def sortino(returns: Curves) -> Figure:
    """Return the mean return over the downside deviation, for a year; NaN where nothing was ever lost.

    Source: Sortino & Price (1994), as above.
    """
    return _divided(_mean(returns) * SESSIONS_A_YEAR, downside_deviation(returns), above=NO_CHANGE)


def calmar(worth: Curves) -> Figure:
    """Return the annual return (by sessions) over the deepest drawdown; NaN where equity never fell.

    Source: Young (1991), Calmar Ratio: A Smoother Tool, Futures 20(1), over all sessions instead of three years.
    """
    return _divided(annual_return_by_sessions(worth), max_drawdown(worth), above=NO_CHANGE)


def value_at_risk(returns: Curves, tail: float = TAIL) -> Figure:
    """Return the loss of a session that `tail` of the sessions exceed, as a positive share of equity.

    The historical quantile, interpolated between two sessions: Jorion (2006), Value at Risk, 3rd ed., ch. 5. NaN while
    `tail` of the sessions is less than one session. Negative where even the worst ones gained.
    """
    if len(returns) * tail < 1:
        return _unknown(returns)
    return -np.quantile(returns, tail, axis=0)


def expected_shortfall(returns: Curves, tail: float = TAIL) -> Figure:
    """Return the mean loss of the worst sessions (CVaR): the worst one, and `tail` of the others, rounded down.

    Source: Rockafellar & Uryasev (2000), Optimization of Conditional Value-at-Risk, J. of Risk 2(3). NaN as above.
    """
    if len(returns) * tail < 1:
        return _unknown(returns)
    last = int((len(returns) - 1) * tail)
    return -np.mean(np.partition(returns, last, axis=0)[: last + 1], axis=0)


def drawdowns(worth: Curves) -> Curves:
    """Return how far each row is below the highest one so far, as a share of it, (T + 1,) or (T + 1, K).

    Source: Magdon-Ismail & Atiya (2004), Maximum Drawdown, Risk 17(10), eq. 1, relative to the high. NaN until worth
    has been above 0.
    """
    highest = np.maximum.accumulate(worth, axis=0)
    return _divided(highest - worth, highest, above=0.0)


def max_drawdown(worth: Curves) -> Figure:
    """Return the deepest fall below an earlier high, as a positive share of it; 0 where equity never fell.

    NaN without a session, or when the opening is not above 0.
    """
    return np.max(drawdowns(worth), axis=0) if len(worth) > 1 else _unknown(worth)


def sharpe_error(ratio: float, sessions: int) -> float | None:
    """Return the standard error of a Sharpe ratio for a year that `sessions` returns came to.

    Source: Lo (2002), The Statistics of Sharpe Ratios, Financial Analysts J. 58(4), for independent returns of one
    distribution; where gains follow gains, the error is larger.
    """
    if sessions < 2:
        return None
    a_session = ratio / math.sqrt(SESSIONS_A_YEAR)
    return math.sqrt((1 + a_session**2 / 2) / sessions * SESSIONS_A_YEAR)


def luckiest_sharpe(trials: int, sessions: int) -> float | None:
    """Return the Sharpe ratio for a year that the best of `trials` variants without any skill is expected to show.

    The expected maximum of independent trials, each with the standard error of a Sharpe ratio of 0. Variants that
    resemble each other count for fewer. None for fewer than two trials or sessions.
    """
    error = sharpe_error(0.0, sessions)
    return None if trials < 2 or error is None else error * expected_maximum(trials)


def expected_maximum(trials: int) -> float:
    """Return the expected highest of so many independent standard normal numbers, two at least.

    Source: Bailey & López de Prado (2014), The Deflated Sharpe Ratio, J. of Portfolio Management 40(5), eq. 1.
    """
    quantile = NormalDist().inv_cdf
    return (1 - EULER) * quantile(1 - 1 / trials) + EULER * quantile(1 - 1 / (trials * math.e))


# ── against the benchmark ─────────────────────────────────────────────────────────────────────────


def beta(returns: FloatVector, benchmark: FloatVector) -> float | None:
    """Return how much the returns move with the benchmark's: their covariance over its variance.

    Source: Sharpe (1964), Capital Asset Prices, J. of Finance 19(3). Sessions where either is unknown do not count.
    None where fewer than two are left or the benchmark does not vary.
    """
    both = np.isfinite(returns) & np.isfinite(benchmark)
    ours, theirs = returns[both], benchmark[both]
    if len(ours) < 2 or np.std(theirs) < NO_CHANGE:
        return None
    apart = theirs - np.mean(theirs)
    return known(float(apart @ (ours - np.mean(ours))) / float(apart @ apart))


def alpha(returns: FloatVector, benchmark: FloatVector) -> float | None:
    """Return the mean return that beta does not explain, compounded for a year; None where beta is.

    Source: Jensen (1968), The Performance of Mutual Funds, J. of Finance 23(2), riskless rate 0;
    compounded instead of multiplied by 252, as empyrical does.
    """
    moved = beta(returns, benchmark)
    if moved is None:
        return None
    unexplained = returns - moved * benchmark
    own = np.mean(unexplained[np.isfinite(unexplained)], keepdims=True)
    return known(_compounded(1 + own, SESSIONS_A_YEAR)[0])


# ── what was invested ─────────────────────────────────────────────────────────────────────────────


def exposure(gross: Curves, equity: Curves) -> Figure:
    """Return the mean of what was invested as a share of equity, long and short added up; NaN without equity."""
    return _mean(_divided(gross, equity, above=0.0))


def turnover(traded: Curves, equity: Curves) -> Figure:
    """Return how often equity was traded in a year: dollars bought and sold, halved, over the mean equity.

    Half of both, so that selling one stock to buy another counts once. The SEC's Form N-1A, item 13, takes the smaller
    of the two instead, which is 0 for whoever only buys.

    Args:
        traded: dollars bought plus dollars sold in each session, (T,) or (T, K).
        equity: dollars after each session, of the same shape.
    """
    if not len(equity):
        return _unknown(equity)
    years = len(equity) / SESSIONS_A_YEAR
    return _divided(np.sum(traded, axis=0) / 2 / years, _mean(equity), above=0.0)


# ── over time ─────────────────────────────────────────────────────────────────────────────────────


def rolling_sharpe(returns: FloatVector, window: int) -> FloatVector:
    """Return the Sharpe ratio of the last `window` sessions at each session, (T,); NaN before there are as many."""
    found = np.full(len(returns), np.nan)
    if 2 <= window <= len(returns):
        found[window - 1 :] = sharpe(np.lib.stride_tricks.sliding_window_view(returns, window).T)
    return found


# ── arithmetic that never warns ───────────────────────────────────────────────────────────────────


def _divided(numerator: Curves, denominator: Curves, *, above: float) -> Curves:
    """Divide where the denominator is above a limit and the quotient is finite, NaN elsewhere."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = np.where(denominator > above, numerator / denominator, np.nan)
    return np.where(np.isfinite(quotient), quotient, np.nan)


def _compounded(growth: Figure, years: float) -> Figure:
    """Return growth to a power, less 1; NaN below 0 and where the result is beyond numbers."""
    with np.errstate(invalid="ignore", over="ignore"):
        rate = np.power(np.where(growth >= 0, growth, np.nan), years) - 1
    return np.where(np.isfinite(rate), rate, np.nan)


def _mean(values: Curves) -> Figure:
    return np.mean(values, axis=0) if len(values) else _unknown(values)


def _unknown(values: Curves) -> Figure:
    return np.full(values.shape[1:], np.nan)
