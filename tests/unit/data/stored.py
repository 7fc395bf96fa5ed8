"""Bars to put into a history store, and ways to look at what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from trading_bot.data.store.manifest import FIELDS, Manifest, Origin
from trading_bot.data.store.writing import import_bars
from trading_bot.domain.market import Symbol
from trading_bot.domain.ports import RawBars

AT = datetime(2022, 3, 4, 21, tzinfo=UTC)
ORIGIN = Origin("files", {"folder": "/srv/prices"})


def some_bars(days: Sequence[str], symbols: Sequence[str] = ("AAA", "BBB"), *, seed: int = 1) -> RawBars:
    """Return bars whose numbers follow from their day and symbol: 70 % of them there, the rest NaN."""
    shape = (len(days), len(symbols))
    numbers = [
        [np.random.default_rng([seed, *day.encode(), 0, *symbol.encode()]).random(6) for symbol in symbols]
        for day in days
    ]
    cells = np.array(numbers).reshape(*shape, 6)
    cells[cells[:, :, 5] < 0.3] = np.nan
    opened, high, low, close, volume = (cells[:, :, place] * 100 for place in range(5))
    sessions = np.array(days, dtype="datetime64[D]")
    return RawBars(sessions, tuple(map(Symbol, symbols)), opened, high, low, close, volume)


def with_benchmark(raw: RawBars, name: str = "The index") -> RawBars:
    return replace(raw, benchmark=raw.sessions.astype(np.int64) / 7, benchmark_name=name)


def make(folder: Path, raw: RawBars, *, replacing: bool = False) -> Manifest:
    return import_bars(folder, raw, origin=ORIGIN, at=AT, replacing=replacing)


def days_of(raw: RawBars) -> list[str]:
    return raw.sessions.astype(str).tolist()


def same(one: RawBars, other: RawBars) -> bool:
    """Whether two bars say the same, bit for bit (but for the kind of NaN)."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in FIELDS]
    if one.benchmark is not None and other.benchmark is not None:
        pairs.append((one.benchmark, other.benchmark))
    return (
        np.array_equal(one.sessions, other.sessions)
        and (one.symbols, one.splits, dict(one.sectors), one.notes, one.benchmark_name)
        == (other.symbols, other.splits, dict(other.sectors), other.notes, other.benchmark_name)
        and (one.benchmark is None) == (other.benchmark is None)
        and all(np.array_equal(here, there, equal_nan=True) for here, there in pairs)
    )
