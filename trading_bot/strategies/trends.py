"""What two lines say of a trend: by their order, or by their crossings."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix
from trading_bot.strategies.running import LONG, OUT, SHORT, Events, latched

ActOn = Literal["levels", "crossings"]


def trend_exposure(fast: FloatMatrix, slow: FloatMatrix, upper: FloatMatrix, act_on: ActOn, short: bool) -> FloatMatrix:
    """Return 1 where the trend is up, -1 (0 unless `short`) where it is down, 0 where it is unknown.

    `fast` is above `slow` beyond `upper`, and below it where it is as far on the other side; in between they are equal.
    On "levels" the trend is up wherever `fast` is above. On "crossings" it is unknown until `fast` crosses, that is,
    was strictly on one side on the session before and is strictly on the other now; it lasts until the next crossing,
    through ties, but not through a gap in the lines. `upper` is overwritten.
    """
    if act_on == "levels" and not short:
        return np.greater(fast, upper, out=upper)  # a comparison with NaN is False
    below = fast < slow - (upper - slow)
    if act_on == "levels":
        above = np.greater(fast, upper, out=upper)
        return np.subtract(above, below, out=above)
    return latched(_crossings(fast > upper, below, np.isnan(fast) | np.isnan(slow), short))


def banded_exposure(fast: FloatMatrix, slow: FloatMatrix, band: FloatMatrix, short: bool) -> FloatMatrix:
    """Return 1 from where `fast` is more than `band` above `slow` on, -1 (0 unless `short`) from as far below on.

    In between lasts what was before; 0 until the lines have first come so far apart, and from where one is unknown.
    """
    events = np.zeros(fast.shape, dtype=np.int8)
    events[np.isnan(fast) | np.isnan(slow)] = OUT
    events[fast > slow + band] = LONG
    events[fast < slow - band] = SHORT if short else OUT
    return latched(events)


def _crossings(above: NDArray[np.bool_], below: NDArray[np.bool_], unknown: NDArray[np.bool_], short: bool) -> Events:
    events = np.zeros(above.shape, dtype=np.int8)
    events[unknown] = OUT
    events[1:][below[:-1] & above[1:]] = LONG
    events[1:][above[:-1] & below[1:]] = SHORT if short else OUT
    return events


def compared(fast: str, slow: str, exposure: float, act_on: ActOn) -> str:
    """Say how the line called `fast` stands to the one called `slow`, as far as the exposure depends on it."""
    if act_on == "levels":
        return f"{fast} is {'above' if exposure > 0 else 'below' if exposure < 0 else 'not above'} {slow}"
    if exposure:
        return f"{fast} crossed {slow} {'upwards' if exposure > 0 else 'downwards'} last"
    return f"{fast} has not crossed {slow} upwards, or crossed it downwards since"
