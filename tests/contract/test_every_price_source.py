"""What every price source promises, asked of every one that is registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.brokers.exchanges import evening
from tests.unit.brokers.sandboxes import KEYS, flat_bars, sandbox_of
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.data.store.manifest import Origin
from trading_bot.data.store.writing import import_bars
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.ports import PriceSource, RawBars
from trading_bot.sandbox.market import SandboxClock

FIELDS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Give the options of the sources that have none by default."""
    files, store = some_files(tmp_path_factory.mktemp("prices")), tmp_path_factory.mktemp("store")
    everything = PRICE_SOURCES.build("files", {"folder": files}).bars(date(2100, 1, 1))
    import_bars(store, everything, origin=Origin("files", {}), at=datetime(2022, 3, 9, tzinfo=UTC))
    days = [date(2022, 3, day) for day in (1, 2, 3, 4, 7, 8, 9)]
    clock = SandboxClock(evening(days[-1]))
    splits = (Split(Symbol("AAA"), days[3], Decimal(2)),)
    with sandbox_of(replace(flat_bars("AAA", "BBB", days=days), splits=splits), clock) as sandbox:
        alpaca = {"symbols": ("AAA", "BBB"), "since": days[0], "data_url": sandbox.url, **KEYS}
        yield {"alpaca": alpaca, "files": {"folder": str(files)}, "store": {"folder": str(store)}}


def some_files(folder: Path) -> Path:
    lines = [f"2022-03-{day:02d},{day + 10},{day + 12},{day + 9},{day + 11},1000" for day in (1, 2, 3, 4, 7, 8, 9)]
    for symbol, rows in (("AAA", lines), ("BBB", lines[3:])):
        (folder / f"{symbol}.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]), encoding="utf-8")
    (folder / "splits.csv").write_text("symbol,date,ratio\nAAA,2022-03-04,2\n", encoding="utf-8")
    return folder


@pytest.fixture(params=PRICE_SOURCES.names())
def source(request, options) -> PriceSource:
    return PRICE_SOURCES.build(request.param, options.get(request.param, {}))


@pytest.fixture
def middle(source) -> date:
    days = source.sessions()
    return days[len(days) // 2].astype(object)


def arrays_of(raw: RawBars) -> dict[str, np.ndarray]:
    return {name: getattr(raw, name) for name in FIELDS}


def test_the_source_says_whether_it_lives_in_the_past(source):
    assert isinstance(source.historical, bool)


def test_sessions_are_days_ascending_and_unique(source):
    days = source.sessions()

    assert days.dtype == np.dtype("datetime64[D]")
    assert len(days) > 1
    assert (np.diff(days) > np.timedelta64(0, "D")).all()


def test_bars_are_float_matrices_of_sessions_by_symbols(source, middle):
    raw = source.bars(middle)

    assert len(set(raw.symbols)) == len(raw.symbols) > 0
    for array in arrays_of(raw).values():
        assert array.dtype == np.float64
        assert array.shape == (len(raw.sessions), len(raw.symbols))


def test_a_benchmark_has_one_close_a_session_and_a_name(source, middle):
    raw = source.bars(middle)

    if raw.benchmark is not None:
        assert raw.benchmark.shape == raw.sessions.shape
        assert raw.benchmark_name


def test_bars_hold_every_session_up_to_as_of_and_nothing_later(source, middle):
    raw = source.bars(middle)

    assert np.array_equal(raw.sessions, source.sessions()[: len(raw.sessions)])
    assert raw.sessions[-1] == np.datetime64(middle)


def test_no_split_is_known_before_it_happens(source):
    for split in source.bars(date(2100, 1, 1)).splits:
        before = source.bars(split.session - timedelta(days=1))
        assert split not in before.splits
        assert split in source.bars(split.session).splits


def test_what_was_known_then_is_not_rewritten_later(source, middle):
    then, later = source.bars(middle), source.bars(date(2100, 1, 1))

    assert then.symbols == later.symbols
    for name, array in arrays_of(then).items():
        assert np.array_equal(array, arrays_of(later)[name][: len(array)], equal_nan=True), name


def test_before_the_first_session_there_is_no_bar(source):
    raw = source.bars(source.sessions()[0].astype(object) - timedelta(days=1))

    assert len(raw.sessions) == 0
    assert raw.close.shape == (0, len(raw.symbols))


def test_asking_twice_gives_the_same_bars(source, middle):
    one, other = source.bars(middle), source.bars(middle)

    assert (one.symbols, one.splits, one.sectors, one.notes) == (
        other.symbols,
        other.splits,
        other.sectors,
        other.notes,
    )
    for name, array in arrays_of(one).items():
        assert array.tobytes() == arrays_of(other)[name].tobytes(), name


def test_bars_and_sessions_cannot_be_written_to(source, middle):
    raw = source.bars(middle)
    benchmark = [] if raw.benchmark is None else [raw.benchmark]

    for array in (*arrays_of(raw).values(), raw.sessions, source.sessions(), *benchmark):
        assert not array.flags.writeable


def test_sectors_and_splits_are_of_symbols_the_source_has(source):
    raw = source.bars(date(2100, 1, 1))

    assert set(raw.sectors) | {split.symbol for split in raw.splits} <= set(raw.symbols)
