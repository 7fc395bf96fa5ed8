"""How far a good result may be believed, after so many others were looked at.

Sharpe ratios here are those of one session, not of a year, unless a name says otherwise: the formulas want it so.

Sources: [PSR] Bailey & López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2).
[DSR] Bailey & López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trading_bot.domain.market import FloatVector
from trading_bot.domain.performance import NO_CHANGE, SESSIONS_A_YEAR, expected_maximum

NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Moments:
    """What the returns of T sessions are like."""

    sessions: int
    sharpe: float  # of one session: mean over standard deviation (n - 1)
    skewness: float  # 0 for a normal distribution
    kurtosis: float  # 3 for a normal distribution


@dataclass(frozen=True, slots=True)
class Deflated:
    """A Sharpe ratio against the one that the best of so many trials has by luck alone."""

    trials: int
    expected_by_luck: float  # Sharpe ratio of one session, the expected highest of `trials` without any skill
    probability: float  # in [0, 1], that the true ratio is above that


def moments(returns: FloatVector) -> Moments | None:
    """Return the moments of session returns, (T,); None below four sessions or where they do not vary."""
    if len(returns) < 4 or float(np.std(returns, ddof=1)) < NO_CHANGE:
        return None
    apart = returns - np.mean(returns)
    variance = float(np.mean(apart**2))
    return Moments(
        sessions=len(returns),
        sharpe=float(np.mean(returns) / np.std(returns, ddof=1)),
        skewness=float(np.mean(apart**3)) / variance**1.5,
        kurtosis=float(np.mean(apart**4)) / variance**2,
    )


def probabilistic_sharpe(seen: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above `benchmark`, both of one session.

    Fat tails and losses that are larger than gains make a ratio less certain: [PSR]; the same as in
    [DSR], eq. 2.
    """
    spread = 1 - seen.skewness * seen.sharpe + (seen.kurtosis - 1) / 4 * seen.sharpe**2
    if spread <= 0:  # so skewed that the approximation ends; nothing is certain then
        return 0.5
    return NORMAL.cdf((seen.sharpe - benchmark) * math.sqrt((seen.sessions - 1) / spread))


def expected_best_by_luck(trials: int, variance: float) -> float:
    """Return the highest Sharpe ratio that `trials` independent candidates without skill are expected to show.

    `variance` is that of their Sharpe ratios. [DSR], eq. 1 with a mean of 0; one trial has no best: 0.

    Raises:
        ValueError: there is no trial, or the variance is negative.
    """
    if trials < 1 or variance < 0:
        raise ValueError(f"trials={trials}, variance={variance}: wanted 1 trial at least and no negative variance")
    return math.sqrt(variance) * expected_maximum(trials) if trials > 1 else 0.0


def deflated_sharpe(seen: Moments, *, trials: int, variance: float) -> Deflated:
    """Return how likely the ratio is better than the best of so many without skill: [DSR], eq. 2.

    Args:
        seen: the chosen candidate's returns.
        trials: how many candidates were looked at. Those that resemble each other count too much, so that the
            answer errs on the side of doubt.
        variance: of the candidates' Sharpe ratios of one session, see `variance_of`.
    """
    luck = expected_best_by_luck(trials, variance)
    return Deflated(trials, luck, probabilistic_sharpe(seen, luck))


def variance_of(yearly: list[float]) -> float:
    """Return the variance (n - 1) of Sharpe ratios of one session from those for a year; 0 for fewer than two."""
    return float(np.var(yearly, ddof=1)) / SESSIONS_A_YEAR if len(yearly) > 1 else 0.0
