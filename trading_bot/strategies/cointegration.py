"""Which prices keep together: the two-step test of Engle & Granger, for all pairs at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, FloatVector

Significance = Literal["1%", "5%", "10%"]

# MacKinnon (2010), Critical Values for Cointegration Tests, Queen's Economics Department Working Paper 1227, table 2,
# two variables, a constant, no trend: b0 + b1 / T + b2 / T².
_SURFACES: dict[Significance, tuple[float, float, float]] = {
    "1%": (-3.89644, -10.9519, -33.527),
    "5%": (-3.33613, -6.1101, -6.823),
    "10%": (-3.04445, -4.2412, -2.720),
}


def critical_value(significance: Significance, sessions: int) -> float:
    """Return the t statistic that unrelated random walks of so many sessions fall below with this probability."""
    level, first, second = _SURFACES[significance]
    changes = sessions - 1
    return level + first / changes + second / changes**2


def t_statistics(logs: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """Return two (N, N) matrices for log prices (W, N): in [i, j] the slope of i on j, and the t statistic of its rest.

    Engle & Granger (1987), Econometrica 55(2): least squares with a constant, then the augmented Dickey-Fuller
    regression of the residual's change on its level and its change before. The sums over residuals are quadratic forms
    of sums over prices, so six products of matrices serve all pairs. NaN where a price is regressed on itself.
    """
    centred = logs - logs.mean(axis=0)
    covariance = centred.T @ centred
    slope = covariance / np.diag(covariance)
    np.fill_diagonal(slope, np.nan)
    change = centred[1:] - centred[:-1]
    level, before, now = centred[1:-1], change[:-1], change[1:]

    def of_rest(left: FloatMatrix, right: FloatMatrix) -> FloatMatrix:
        products = left.T @ right
        own = np.diag(products)
        return own[:, None] - slope * (products + products.T - slope * own)

    ll, bb, lb = of_rest(level, level), of_rest(before, before), of_rest(level, before)
    ln, bn, nn = of_rest(level, now), of_rest(before, now), of_rest(now, now)
    with np.errstate(divide="ignore", invalid="ignore"):  # two prices that move as one leave no rest: NaN
        determinant = ll * bb - lb * lb
        pull = (ln * bb - bn * lb) / determinant
        drift = (bn * ll - ln * lb) / determinant
        variance = (nn - pull * ln - drift * bn) / (len(level) - 2)
        return slope, pull / np.sqrt(variance * bb / determinant)


@dataclass(frozen=True, slots=True, eq=False)
class Spreads:
    """What P regressions of one log price on another came to; each array is (P,)."""

    constant: FloatVector
    slope: FloatVector
    deviation: FloatVector  # of the residual; its mean is 0

    def distances(self, first: FloatMatrix, second: FloatMatrix) -> FloatMatrix:
        """Return (rows, P): how many deviations the first log prices lie above what the second ones say."""
        return (first - self.constant - self.slope * second) / self.deviation


def spreads(first: FloatMatrix, second: FloatMatrix) -> Spreads:
    """Regress each column of `first` (W, P) on that of `second`, with a constant."""
    mean, other = _mean(first), _mean(second)
    centred = second - other
    slope = _mean((first - mean) * centred) / _mean(centred * centred)
    rest = first - mean - slope * centred
    return Spreads(mean - slope * other, slope, np.sqrt(_mean(rest * rest)))


def _mean(values: FloatMatrix) -> FloatVector:
    """Return the column means, each in the same order of adding up whatever columns are beside it."""
    return np.cumsum(values, axis=0)[-1] / len(values)


Pair = tuple[int, int]


def best_pairs(
    slope: FloatMatrix, statistic: FloatMatrix, names: NDArray[np.str_], limit: float, most: int
) -> list[Pair]:
    """Return up to `most` pairs (regressed, regressor), lowest statistic first, no column twice.

    Only statistics up to `limit` count, and slopes above 0: else both legs would be on the same side. Ties go by name.
    """
    rounded = np.round(statistic, 9)
    first, second = np.nonzero((rounded <= limit) & (slope > 0))
    order = np.lexsort((names[second], names[first], rounded[first, second]))
    chosen: list[Pair] = []
    taken: set[int] = set()
    for place in order.tolist():
        pair = (int(first[place]), int(second[place]))
        if len(chosen) == most:
            break
        if taken.isdisjoint(pair):
            chosen.append(pair)
            taken.update(pair)
    return chosen
