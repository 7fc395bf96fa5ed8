"""What goes on from row to row: running sums, decaying sums, and states that last until an event.

Each function gives row t from rows up to t only, and the same bits for a row whatever rows follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix

# What has many columns is best gone through once, a call for each row; what has few, in few calls for the whole matrix.
MANY_COLUMNS, VERY_MANY_COLUMNS = 256, 1000
LARGEST_WEIGHT = 1e100

Events = NDArray[np.int8]  # (T, N): nothing happened, LONG, SHORT or OUT
LONG, SHORT, OUT = np.int8(1), np.int8(2), np.int8(3)
_EXPOSURE_AFTER = np.array([0.0, 1.0, -1.0, 0.0])  # by event; 0: nothing has happened yet


def running_sums(values: FloatMatrix, out: FloatMatrix | None = None) -> FloatMatrix:
    """Return `np.cumsum(values, axis=0, out=out)`; `out` may be `values`.

    NumPy goes down each column. For many of them a call for each row is faster, and gives the same bits.
    """
    if values.shape[1] <= MANY_COLUMNS:
        return np.cumsum(values, axis=0, out=out)
    sums = np.empty_like(values) if out is None else out
    sums[:1] = values[:1]
    for row in range(1, len(values)):
        np.add(sums[row - 1], values[row], out=sums[row])
    return sums


def decay(values: FloatMatrix, keep: float) -> FloatMatrix:
    """Turn `values` in place into s[t] = keep · s[t-1] + values[t], and return it; 0 ≤ keep < 1.

    Divided by keep^t this is a running sum. It is taken in stretches in which keep^-t does not grow out of bounds.
    """
    if values.shape[1] > VERY_MANY_COLUMNS:
        carry = np.empty(values.shape[1])
        for before, now in itertools.pairwise(values):
            np.multiply(before, keep, out=carry)
            np.add(now, carry, out=now)
        return values
    if keep <= 0:
        return values
    stretch = max(1, int(np.log(LARGEST_WEIGHT) / -np.log(keep)))
    for begin in range(0, len(values), stretch):
        part = values[begin : begin + stretch]
        if begin:
            part[0] += keep * values[begin - 1]
        # One after the other, so that they are the same for any length.
        weights = np.cumprod(np.full((len(part), 1), 1.0 / keep), axis=0)
        part *= weights
        running_sums(part, out=part)
        part /= weights
    return values


def latched(events: Events) -> FloatMatrix:
    """Return the exposure after each row: 1 since LONG, -1 since SHORT, 0 since OUT and before the first event."""
    return _EXPOSURE_AFTER[_newest(events != 0, events, values=4) & 3]


def held(enter: NDArray[np.bool_], leave: NDArray[np.bool_]) -> FloatMatrix:
    """Return 1 from a row of `enter` until before the next row of `leave`, else 0. Both at once: 0.

    A stretch of rows either ends in (`inside`) or lets through what was before it (`stays`); stretches of 1, 2, 4, …
    rows are joined, eight columns to the byte. Hillis & Steele (1986), Communications of the ACM 29(12).
    """
    stays = np.packbits(~leave, axis=1)
    inside = np.packbits(enter, axis=1) & stays
    distance = 1
    while distance < len(inside):
        inside[distance:] |= stays[distance:] & inside[:-distance]
        stays[distance:] &= stays[:-distance]
        distance *= 2
    return np.unpackbits(inside, axis=1, count=enter.shape[1]).astype(np.float64)


def _newest(happened: NDArray[np.bool_], event: NDArray[Any], values: int) -> NDArray[Any]:
    """Return `values` · row + event of the newest row in which something happened, 0 before the first one.

    A later row outweighs every event of an earlier one, so the newest is the greatest so far.
    """
    smallest = np.int16 if values * len(event) <= np.iinfo(np.int16).max else np.int32
    rows = np.arange(0, values * len(event), values, dtype=smallest)[:, None]
    newest, distance = np.where(happened, rows + event, smallest(0)), 1
    while distance < len(newest):
        np.maximum(newest[distance:], newest[:-distance], out=newest[distance:])
        distance *= 2
    return newest


def over_known(indicator: Callable[..., tuple[FloatMatrix, ...]], *fields: FloatMatrix) -> tuple[FloatMatrix, ...]:
    """Return `indicator(*fields)`, asked as if each symbol's rows with an unknown field did not exist.

    Those rows are NaN in the answer; what is known goes on after them from what was known before.
    """
    known = np.isfinite(fields[0])
    for other in fields[1:]:
        known &= np.isfinite(other)
    gaps = np.flatnonzero(~known.all(axis=0))
    if not gaps.size:
        return indicator(*fields)
    rows, places = np.nonzero(known[:, gaps])
    columns = gaps[places]
    packed_rows = (np.cumsum(known[:, gaps], axis=0) - 1)[rows, places]
    answers = indicator(*(_moved(field, gaps, (rows, columns), (packed_rows, columns)) for field in fields))
    return tuple(_moved(answer, gaps, (packed_rows, columns), (rows, columns)) for answer in answers)


Cells = tuple[NDArray[np.intp], NDArray[np.intp]]


def _moved(values: FloatMatrix, gaps: NDArray[np.intp], source: Cells, target: Cells) -> FloatMatrix:
    """Return a copy in which the columns `gaps` hold the cells `source` at `target`, and NaN elsewhere."""
    out = values.copy()
    out[:, gaps] = np.nan
    out[target] = values[source]
    return out
