"""Cut raw bars by rows or columns, carrying along everything that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import SessionAxis, Symbol
from trading_bot.domain.ports import RawBars

Rows = slice | NDArray[np.bool_] | NDArray[np.intp]


def take_rows(raw: RawBars, rows: Rows) -> RawBars:
    """Return some of the sessions: views for a slice, copies for a mask or an index."""
    return replace(
        raw,
        sessions=raw.sessions[rows],
        open=raw.open[rows],
        high=raw.high[rows],
        low=raw.low[rows],
        close=raw.close[rows],
        volume=raw.volume[rows],
        benchmark=None if raw.benchmark is None else raw.benchmark[rows],
    )


def take_symbols(raw: RawBars, symbols: Sequence[Symbol]) -> RawBars:
    """Return the columns of `symbols`, in that order. Raises KeyError on one the bars do not have."""
    if tuple(symbols) == raw.symbols:
        return raw
    place = {symbol: column for column, symbol in enumerate(raw.symbols)}
    columns = np.array([place[symbol] for symbol in symbols], dtype=np.intp)
    kept = frozenset(symbols)
    return replace(
        raw,
        symbols=tuple(symbols),
        open=raw.open[:, columns],
        high=raw.high[:, columns],
        low=raw.low[:, columns],
        close=raw.close[:, columns],
        volume=raw.volume[:, columns],
        splits=tuple(split for split in raw.splits if split.symbol in kept),
        sectors={symbol: sector for symbol, sector in raw.sectors.items() if symbol in kept},
    )


def known_by(raw: RawBars, as_of: date) -> RawBars:
    """Return the bars and splits of sessions up to `as_of`, as views. The sessions must be ascending."""
    end = int(np.searchsorted(raw.sessions, np.datetime64(as_of), side="right"))
    known = take_rows(raw, slice(0, end))
    return replace(known, splits=tuple(split for split in raw.splits if split.session <= as_of))


def as_days(sessions: Sequence[date] | SessionAxis) -> SessionAxis:
    """Return dates as datetime64[D]."""
    return np.asarray(sessions, dtype="datetime64[D]")


def read_only(raw: RawBars) -> RawBars:
    """Lock every array, so that bars kept for the next call cannot be changed by this one's user."""
    arrays = (raw.sessions, raw.open, raw.high, raw.low, raw.close, raw.volume, raw.benchmark)
    for array in arrays:
        if array is not None:
            array.flags.writeable = False
    return raw
