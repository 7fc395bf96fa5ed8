"""How stocks move together, and the portfolio that moves least."""

from __future__ import annotations

import numpy as np

from trading_bot.domain.market import FloatMatrix, FloatVector

PATIENCE = 3  # exchanges of all, before the way by single ones that is sure to end
MOST_EXCHANGES = 10  # for each stock
ROUNDING = 1e-10
RIDGE = 1e-9  # of the mean variance


def shrunk_covariance(returns: FloatMatrix) -> tuple[FloatMatrix, float]:
    """Return the covariance (N, N) of returns (W, N), and how far it was pulled towards equal variances, in [0, 1].

    Ledoit & Wolf (2004), A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices, Journal of
    Multivariate Analysis 88(2), section 3.3: the pull towards the mean variance times the identity is the larger, the
    fewer returns there are for a stock. So the matrix can be inverted with more stocks than returns, too.
    """
    sessions, stocks = returns.shape
    centred = returns - returns.mean(axis=0)
    sample = centred.T @ centred / sessions
    mean = float(np.trace(sample)) / stocks
    size = float(np.sum(sample * sample))
    away = size / stocks - mean * mean
    noise = float(np.sum(np.sum(centred * centred, axis=1) ** 2)) / sessions - size
    pull = min(noise / sessions / stocks / away, 1.0) if away > 0 else 1.0
    sample *= 1.0 - pull
    sample[np.diag_indices(stocks)] += pull * mean
    return sample, pull


def least_variance(covariance: FloatMatrix) -> FloatVector:
    """Return the weights (N,) of the portfolio of least variance: none negative, their sum 1.

    They are in proportion to the x ≥ 0 that minimises x'Cx/2 - sum(x). Which stocks are held is found by block
    principal pivoting (Portugal, Júdice & Vicente, 1994, Mathematics of Computation 63): all that are on the wrong side
    change it, and only the last one of them while that does not help.
    """
    stocks = len(covariance)
    scaled = covariance * (stocks / np.trace(covariance))
    scaled[np.diag_indices(stocks)] += RIDGE  # stocks that move as one share a weight
    held, fewest, patience = np.ones(stocks, dtype=bool), stocks + 1, PATIENCE
    amount = np.zeros(stocks)
    for _ in range(MOST_EXCHANGES * stocks):  # a bound for what is a tie but for rounding; it takes some five
        amount[:] = 0.0
        amount[held] = np.linalg.solve(scaled[np.ix_(held, held)], np.ones(int(held.sum())))
        wanting = scaled @ amount - 1.0  # below 0: more of it would lower the variance
        wrong = np.flatnonzero(np.where(held, amount, wanting) < -ROUNDING)
        if not wrong.size:
            break
        patience, fewest = (PATIENCE, len(wrong)) if len(wrong) < fewest else (patience - 1, fewest)
        changed = wrong if patience > 0 else wrong[-1:]
        held[changed] = ~held[changed]
    np.maximum(amount, 0.0, out=amount)
    return amount / amount.sum()
