"""What goes on from row to row: running sums, decaying sums, and states that last until an event.

Each function gives row t from rows up to t only, and the same bits for a row whatever rows follow. Which of two ways
is taken depends on the number of columns alone: a NumPy call for each row pays off for many columns, a pass over the
whole matrix for few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix

MANY_COLUMNS = 256
NEGLIGIBLE = 1e-18  # a share this small of an older value is below the rounding of the newer ones

Events = NDArray[np.int8]  # (T, N): nothing happened, LONG, SHORT or OUT
LONG, SHORT, OUT = np.int8(1), np.int8(2), np.int8(3)
_EXPOSURE_AFTER = np.array([0.0, 1.0, -1.0, 0.0])  # by event; 0: nothing has happened yet


def running(ufunc: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    """Return `ufunc.accumulate(values, axis=0)`. It goes down each column, which is slow for many of them."""
    if values.ndim != 2 or values.shape[1] <= MANY_COLUMNS:
        return ufunc.accumulate(values, axis=0)
    out = np.empty_like(values)
    out[:1] = values[:1]
    for row in range(1, len(values)):
        ufunc(out[row - 1], values[row], out=out[row])
    return out


def decay(values: FloatMatrix, keep: float) -> FloatMatrix:
    """Turn `values` in place into s[t] = keep · s[t-1] + values[t], and return it; 0 ≤ keep < 1.

    For few columns: each pass adds what the sums before it have of twice as many rows (Hillis & Steele, 1986,
    Communications of the ACM 29(12)), until older rows count for nothing.
    """
    if values.shape[1] > MANY_COLUMNS:
        carry = np.empty(values.shape[1])
        for row in range(1, len(values)):
            np.multiply(values[row - 1], keep, out=carry)
            np.add(values[row], carry, out=values[row])
        return values
    older, distance = np.empty_like(values), 1
    while distance < len(values) and keep > NEGLIGIBLE:
        rows = len(values) - distance
        np.multiply(values[:rows], keep, out=older[:rows])
        values[distance:] += older[:rows]
        distance, keep = 2 * distance, keep * keep
    return values


def latched(events: Events) -> FloatMatrix:
    """Return the exposure after each row: 1 since LONG, -1 since SHORT, 0 since OUT and before the first event."""
    rows = np.arange(len(events), dtype=np.int32)[:, None] * 4
    newest = running(np.maximum, np.where(events, rows + events, np.int32(0)))  # a later row outweighs every event
    return _EXPOSURE_AFTER[newest & 3]


def held(enter: NDArray[np.bool_], leave: NDArray[np.bool_]) -> FloatMatrix:
    """Return 1 from a row of `enter` until before the next row of `leave`, else 0. Both at once: 0."""
    return latched(np.where(leave, OUT, enter.view(np.int8)))


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
