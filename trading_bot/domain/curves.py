"""Where an equity curve fell, and what each month brought."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

import numpy as np

from trading_bot.domain.market import FloatVector, SessionAxis
from trading_bot.domain.performance import drawdowns
from trading_bot.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest fall of a curve below an earlier high. Rows count from the opening, which is row 0."""

    depth: float  # share of the high that was lost; 0 when the curve never fell
    high: int  # the row of the newest high before the fall
    bottom: int  # the lowest row
    recovered: int | None  # the first row back at the high; None while it is not
    sessions: int  # from the high until it was reached again; until the last row while it is not
    current: float  # share of the highest row that is missing in the last one


@dataclass(frozen=True, slots=True)
class MonthReturn:
    """The return of a calendar month, or of the part of it that was traded."""

    year: int
    month: int  # 1 to 12
    value: float  # 0.1 is 10 %


@dataclass(frozen=True, slots=True)
class YearReturn:
    """The months of one calendar year, and what they came to together."""

    year: int
    months: tuple[MonthReturn, ...]
    value: float


def deepest_fall(worth: FloatVector) -> Fall | None:
    """Return the deepest drawdown of dollars with the opening first, (T + 1,).

    The first of equally deep ones; it begins at the newest of equal highs. None without a session or when the opening
    is not above 0.
    """
    if len(worth) < 2 or worth[0] <= 0:
        return None
    falls = drawdowns(worth)
    bottom = int(np.argmax(falls))
    depth, current = float(falls[bottom]), float(falls[-1])
    if depth == 0:
        return Fall(0.0, len(worth) - 1, len(worth) - 1, len(worth) - 1, 0, 0.0)
    before = worth[: bottom + 1]
    high = int(np.flatnonzero(before == before.max())[-1])
    back = np.flatnonzero(worth[bottom:] >= worth[high])
    recovered = bottom + int(back[0]) if back.size else None
    until = len(worth) - 1 if recovered is None else recovered
    return Fall(depth, high, bottom, recovered, until - high, current)


def monthly_returns(sessions: SessionAxis, worth: FloatVector) -> tuple[MonthReturn, ...]:
    """Return what each month brought, oldest first, from the last worth of the month before.

    Args:
        sessions: the T sessions, ascending.
        worth: dollars with the opening first, (T + 1,).

    A month that begins with nothing is left out.
    """
    months = sessions.astype("datetime64[M]")
    ends = np.flatnonzero(np.append(months[1:] != months[:-1], True)) + 1 if len(months) else np.empty(0, np.int64)
    begins = np.concatenate(([0], ends[:-1])) if len(ends) else ends
    found: list[MonthReturn] = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if worth[begin] > 0:
            day: date = sessions[end - 1].astype(object)
            found.append(MonthReturn(day.year, day.month, float(worth[end] / worth[begin]) - 1))
    return tuple(found)


def years_of(months: Iterable[MonthReturn]) -> tuple[YearReturn, ...]:
    """Return months by their year, oldest first, compounded."""
    years: dict[int, list[MonthReturn]] = {}
    for month in months:
        years.setdefault(month.year, []).append(month)
    return tuple(
        YearReturn(year, tuple(each), math.prod(1 + month.value for month in each) - 1) for year, each in years.items()
    )
