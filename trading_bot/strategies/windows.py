"""What the last `window` rows have been like. A row is NaN until its window is full and free of gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading_bot.domain.market import FloatMatrix
from trading_bot.domain.sharing import shared


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


@shared
def means_and_deviations(values: FloatMatrix, window: int) -> tuple[FloatMatrix, FloatMatrix]:
    """Return mean and population standard deviation (divided by `window`, as in TA-Lib) of the last `window` rows.

    Stretches of 1, 2, 4, … rows are joined to the window. So no sum is longer than it, nothing far back takes digits
    away, and prices that stand still have no deviation but for the last bit.
    """
    means, deviations = np.full_like(values, np.nan), np.full_like(values, np.nan)
    if len(values) >= window:
        power = _Stretches(1, values, np.zeros_like(values))
        whole = power if window & 1 else None
        while 2 * power.size <= window:
            power = power.followed_by(power)
            if window & power.size:
                whole = power.followed_by(whole) if whole is not None else power
        assert whole is not None  # every window has a highest bit
        np.divide(whole.sums, window, out=means[window - 1 :])
        np.divide(whole.squares, window, out=deviations[window - 1 :])
        np.sqrt(deviations, out=deviations)
    return means, deviations


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """Stretches of `size` rows, one from each row on: their sums, and the squares around their own means."""

    size: int
    sums: FloatMatrix
    squares: FloatMatrix

    def followed_by(self, other: _Stretches) -> _Stretches:
        """Join each stretch with the one of `other` that begins where it ends.

        Chan, Golub & LeVeque (1983), The American Statistician 37(3), equation 1.5.
        """
        rows, size = len(self.sums) - other.size, self.size + other.size
        later = slice(self.size, self.size + rows)
        theirs = other.sums[later]
        apart = (theirs if other.size == self.size else theirs * (self.size / other.size)) - self.sums[:rows]
        np.square(apart, out=apart)
        apart *= other.size / (self.size * size)
        apart += self.squares[:rows]
        apart += other.squares[later]
        return _Stretches(size, self.sums[:rows] + theirs, apart)
