"""Decisions that are made once a month and stand until the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, SessionAxis


def first_of_months(sessions: SessionAxis) -> NDArray[np.intp]:
    """Return the rows whose session is the first of its month. Row 0 is none: nobody knows what was before it.

    The first and not the last, for whether a session is the last of its month is known from later ones only.
    """
    months = sessions.astype("datetime64[M]")
    return np.flatnonzero(months[1:] != months[:-1]) + 1


def standing(decisions: FloatMatrix, rows: NDArray[np.intp], sessions: int, before: float) -> FloatMatrix:
    """Return (sessions, N): each row of `decisions` from its place in `rows` on until the next, `before` before all."""
    first = np.full((1, decisions.shape[1]), before)
    newest = np.searchsorted(rows, np.arange(sessions), side="right")
    return np.concatenate([first, decisions])[newest]
