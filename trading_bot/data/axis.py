"""Put the rows of raw bars in order: one a trading day, ascending, none after the instant of the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_bot.data.bars import as_days, take_rows
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatMatrix, SessionAxis
from trading_bot.domain.ports import RawBars


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Raw bars whose last row is the session of the decision."""

    raw: RawBars
    contradicted: NDArray[np.bool_]  # (T, N): two rows of one day gave this bar differently
    notes: tuple[str, ...]


def first_day(raw: RawBars, as_of: date) -> date:
    """Return the earliest day that has a row. Raises DataError when no row is as old as `as_of`."""
    days = as_days(raw.sessions)
    known = days[days <= np.datetime64(as_of)]  # NaT compares as False
    if not known.size:
        later = days[~np.isnat(days)]
        begin = f"; the first one is of {later.min()}" if later.size else ""
        raise DataError(f"The price source has no bar of {as_of} or earlier{begin}.")
    return known.min().astype(object)


def in_order(raw: RawBars, *, as_of: date, trading_days: SessionAxis) -> Ordered:
    """Drop rows that may not be there, sort, merge rows of the same day, and end on the last trading day.

    `trading_days` are the sessions of the exchange, ascending, from the first row to `as_of` at least.
    When the source has no row for the last of them, a row of NaN is put there: an older bar must
    never pass for today's.

    Raises:
        DataError: nothing is left.
    """
    raw = replace(raw, sessions=as_days(raw.sessions))
    trading_days = trading_days[trading_days <= np.datetime64(as_of)]
    kept, notes = _only_trading_days(raw, as_of, trading_days)
    if not len(kept.sessions):
        raise DataError(f"The price source has no bar of {as_of} or earlier on a day the exchange was open.")
    if not (np.diff(kept.sessions) > np.timedelta64(0, "D")).all():
        kept, contradicted, found = _sorted_and_merged(kept)
        notes = [*notes, *found]
    else:
        contradicted = np.zeros(kept.close.shape, dtype=np.bool_)
    notes += _holes(kept.sessions, trading_days)
    if kept.sessions[-1] < trading_days[-1]:
        kept = _with_blank_row(kept, trading_days[-1])
        contradicted = np.vstack([contradicted, np.zeros((1, len(kept.symbols)), dtype=np.bool_)])
    return Ordered(kept, contradicted, (*raw.notes, *notes))


def _only_trading_days(raw: RawBars, as_of: date, trading_days: SessionAxis) -> tuple[RawBars, list[str]]:
    days = raw.sessions
    undated = np.isnat(days)
    later = days > np.datetime64(as_of)
    closed = ~undated & ~later & ~np.isin(days, trading_days)
    notes = [
        f"{_count(mask, 'row')} dropped, {why}{_named(days[mask])}."
        for mask, why in (
            (undated, "without a date"),
            (later, f"later than {as_of}"),
            (closed, "on a day the exchange was closed"),
        )
        if mask.any()
    ]
    keep = ~(undated | later | closed)
    return (raw if keep.all() else take_rows(raw, keep)), notes


def _sorted_and_merged(raw: RawBars) -> tuple[RawBars, NDArray[np.bool_], list[str]]:
    notes: list[str] = []
    if (np.diff(raw.sessions) < np.timedelta64(0, "D")).any():
        notes.append("The rows were not in the order of their dates and have been sorted.")
    raw = take_rows(raw, np.argsort(raw.sessions, kind="stable"))
    days, firsts, counts = np.unique(raw.sessions, return_index=True, return_counts=True)
    contradicted = np.zeros((len(days), len(raw.symbols)), dtype=np.bool_)
    if len(days) == len(raw.sessions):
        return raw, contradicted, notes
    bars = np.stack([raw.open, raw.high, raw.low, raw.close, raw.volume])
    merged = bars[:, firsts]
    for row in np.flatnonzero(counts > 1):
        merged[:, row], contradicted[row] = _one_bar(bars[:, firsts[row] : firsts[row] + counts[row]])
    doubled = days[counts > 1]
    notes.append(f"{len(doubled)} day{'s' * (len(doubled) > 1)} had several rows, merged{_named(doubled)}.")
    tidy = take_rows(raw, firsts)
    opens, highs, lows, closes, volumes = merged
    tidy = replace(tidy, open=opens, high=highs, low=lows, close=closes, volume=volumes)
    return tidy, contradicted, notes


def _one_bar(bars: FloatMatrix) -> tuple[FloatMatrix, NDArray[np.bool_]]:
    """Merge k bars of one day, (5, k, N), to (5, N): empty ones yield, equal ones are one, others contradict."""
    given = ~np.isnan(bars).all(axis=0)  # (k, N)
    first = np.take_along_axis(bars, given.argmax(axis=0)[None, None, :], axis=1)  # (5, 1, N)
    same = ((bars == first) | (np.isnan(bars) & np.isnan(first))).all(axis=0)  # (k, N)
    contradicted = (given & ~same).any(axis=0)
    return np.where(contradicted, np.nan, first[:, 0]), contradicted


def _holes(days: SessionAxis, trading_days: SessionAxis) -> list[str]:
    inside = trading_days[(trading_days >= days[0]) & (trading_days <= days[-1])]
    if len(inside) == len(days):
        return []
    missing = np.setdiff1d(inside, days)
    return [f"The source has no row at all for {len(missing)} trading day{'s' * (len(missing) > 1)}{_named(missing)}."]


def _with_blank_row(raw: RawBars, day: np.datetime64) -> RawBars:
    blank = np.full((1, len(raw.symbols)), np.nan)
    return replace(
        raw,
        sessions=np.append(raw.sessions, day),
        open=np.vstack([raw.open, blank]),
        high=np.vstack([raw.high, blank]),
        low=np.vstack([raw.low, blank]),
        close=np.vstack([raw.close, blank]),
        volume=np.vstack([raw.volume, blank]),
        benchmark=None if raw.benchmark is None else np.append(raw.benchmark, np.nan),
    )


def _count(mask: NDArray[np.bool_], noun: str) -> str:
    number = int(mask.sum())
    return f"{number} {noun}{'s' * (number > 1)}"


def _named(days: NDArray[Any]) -> str:
    named = [str(day) for day in days[:3] if not np.isnat(day)]
    more = f" and {len(days) - len(named)} more" if len(days) > len(named) else ""
    return f": {', '.join(named)}{more}" if named else ""
