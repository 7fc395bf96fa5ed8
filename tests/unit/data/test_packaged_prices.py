"""Numbers of the packaged prices, written out from their source files."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import UTC, date, datetime
from importlib.resources import files

import numpy as np
import pytest

from trading_bot.data.manager import DataManager
from trading_bot.data.sources.sample import Sample
from trading_bot.data.sources.sample_ohlcv import SampleOhlcv
from trading_bot.domain.market import Symbol

PACKAGED = files("trading_bot.data.packaged")
LATE = date(2030, 1, 1)
AT = datetime(2030, 1, 1, tzinfo=UTC)


def sample_close(symbol: str, day: str) -> float:
    raw = Sample().bars(date.fromisoformat(day))
    assert str(raw.sessions[-1]) == day
    return raw.close[-1, raw.symbols.index(Symbol(symbol))].item()


def ohlcv_bar(symbol: str, day: str) -> list[float]:
    raw = SampleOhlcv().bars(date.fromisoformat(day))
    assert str(raw.sessions[-1]) == day
    column = raw.symbols.index(Symbol(symbol))
    return [array[-1, column].item() for array in (raw.open, raw.high, raw.low, raw.close, raw.volume)]


def test_the_sample_has_20_stocks_over_8313_sessions_from_1990_to_2022():
    raw = Sample().bars(LATE)

    assert " ".join(raw.symbols) == "AAPL AMD BAC BBY CVX GE HD JNJ JPM KO LLY MRK MSFT PEP PFE PG RRC UNH WMT XOM"
    assert raw.close.shape == (8313, 20)
    assert (str(raw.sessions[0]), str(raw.sessions[-1])) == ("1990-01-02", "2022-12-28")


@pytest.mark.parametrize(
    ("symbol", "day", "close"),
    [
        ("AAPL", "1990-01-02", 0.264),
        ("XOM", "1990-01-03", 4.027),
        ("AAPL", "2022-01-03", 180.434),
        ("GE", "2022-01-04", 77.111),
        ("UNH", "2022-12-28", 524.422),
    ],
)
def test_closes_of_the_sample_are_those_of_its_source(symbol, day, close):
    assert sample_close(symbol, day) == close


def test_the_sample_knows_closes_only():
    raw = Sample().bars(LATE)

    assert np.array_equal(raw.open, raw.close)
    assert np.array_equal(raw.high, raw.close)
    assert np.array_equal(raw.low, raw.close)
    assert np.isnan(raw.volume).all()
    assert raw.splits == ()


def test_the_sample_carries_the_index_as_its_benchmark():
    raw = Sample().bars(LATE)

    assert raw.benchmark is not None
    assert raw.benchmark_name == "The S&P 500"
    assert raw.benchmark[[0, 1, -1]].tolist() == [359.69, 358.76, 3783.22]


def test_the_sample_spans_seven_sectors():
    assert Counter(Sample().bars(LATE).sectors.values()) == {
        "Consumer Discretionary": 2,
        "Consumer Staples": 4,
        "Energy": 3,
        "Financials": 2,
        "Health Care": 5,
        "Industrials": 1,
        "Information Technology": 3,
    }


def test_the_ohlcv_sample_has_five_stocks_over_3270_sessions_from_2000_to_2013():
    raw = SampleOhlcv().bars(LATE)

    assert raw.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert raw.close.shape == (3270, 5)
    assert (str(raw.sessions[0]), str(raw.sessions[-1])) == ("2000-03-01", "2013-03-01")
    assert np.isfinite(raw.close).sum(axis=0).tolist() == [3270, 196, 2148, 3270, 3270]


@pytest.mark.parametrize(
    ("symbol", "day", "bar"),
    [
        ("AAPL", "2000-03-01", [118.56, 132.06, 118.5, 130.31, 9616100]),
        ("AAPL", "2005-02-25", [89.62, 89.91, 88.19, 88.99, 16348400]),
        ("AAPL", "2005-02-28", [44.68, 45.14, 43.96, 44.86, 11635900]),
        ("MSFT", "2003-02-18", [24.62, 24.99, 24.40, 24.96, 28707750]),
        ("AAPL", "2013-03-01", [438.0, 438.1799, 429.98, 430.47, 19730300]),
        ("FB", "2013-03-01", [27.05, 28.1164, 26.81, 27.78, 54064800]),
    ],
)
def test_bars_of_the_ohlcv_sample_are_those_of_its_source(symbol, day, bar):
    assert ohlcv_bar(symbol, day) == bar


def test_facebook_has_no_bar_before_its_listing():
    assert np.isnan(ohlcv_bar("FB", "2012-05-17")).all()


@pytest.mark.parametrize(
    ("as_of", "known"),
    [
        ("2000-06-20", []),
        ("2000-06-21", ["AAPL 2000-06-21 2"]),
        ("2013-03-01", ["AAPL 2000-06-21 2", "MSFT 2003-02-18 2", "AAPL 2005-02-28 2"]),
    ],
)
def test_a_split_is_known_from_its_first_session_on(as_of, known):
    splits = SampleOhlcv().bars(date.fromisoformat(as_of)).splits

    assert [f"{split.symbol} {split.session} {split.ratio}" for split in splits] == known


def test_apples_closes_run_on_across_the_split_of_2005(weekdays):
    # The source's own adjusted closes of the two days are 5.718228 and 5.765135: +0.82 %.
    manager = DataManager(SampleOhlcv(), symbols=("AAPL",), min_coverage=0, start=date(2000, 3, 1), calendar=weekdays)

    before = manager.get_market_state(AT, date(2005, 2, 25)).history
    after = manager.get_market_state(AT, date(2005, 2, 28)).history

    assert before.close[-1, 0] == 88.99
    assert after.close[-2:, 0].tolist() == [44.495, 44.86]
    assert after.volume[-2:, 0].tolist() == [32696800, 11635900]


def test_apples_crash_of_2000_is_no_split(weekdays):
    manager = DataManager(SampleOhlcv(), symbols=("AAPL",), min_coverage=0, start=date(2000, 3, 1), calendar=weekdays)

    assert manager.get_market_state(AT, date(2000, 9, 29)).history.close[-2:, 0].tolist() == [53.5, 25.75]


@pytest.mark.parametrize("name", ["sample.npz", "sample_ohlcv.npz"])
def test_the_provenance_names_the_packaged_file_by_its_hash(name):
    found = hashlib.sha256((PACKAGED / name).read_bytes()).hexdigest()
    text = (PACKAGED / "PROVENANCE.md").read_text(encoding="utf-8")
    section = text.partition(f"## `{name}`")[2].partition("\n## ")[0]

    assert re.findall(r"this file \| SHA-256 `([0-9a-f]{64})`", section) == [found]
