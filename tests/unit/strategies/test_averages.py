from __future__ import annotations

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies.markets import NO_VALUE, column, walk
from trading_bot.domain.market import FloatMatrix
from trading_bot.strategies.averages import average_true_range, exponential_mean, macd_lines, wilder_rsi

FEW, MANY, VERY_MANY = 5, 300, 1001  # columns: every way of adding up
# The worked example of StockCharts' ChartSchool, article "Relative Strength Index (RSI)", its spreadsheet's first rows.
CLOSES = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931,
    46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122,
]  # fmt: skip
PUBLISHED_RSI = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93]


def assert_same(ours: FloatMatrix, oracle: np.ndarray) -> None:
    assert np.allclose(ours, oracle, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("symbols", [FEW, MANY, VERY_MANY])
@pytest.mark.parametrize("period", [2, 12, 26, 200])
def test_exponential_means_are_those_of_ta_lib_seed_included(period: int, symbols: int):
    close = walk(5, symbols=symbols)
    means = exponential_mean(close, period)

    for place in range(FEW):
        assert_same(means[:, place], talib.EMA(close[:, place], period))


def test_an_exponential_mean_begins_with_a_plain_one():
    # span 3: weight 1/2; the mean of 1, 2, 6 is 3, then (3 + 5) / 2 and (4 + 10) / 2
    assert np.array_equal(
        exponential_mean(column(1, 2, 6, 5, 10), 3)[:, 0], [NO_VALUE, NO_VALUE, 3.0, 4.0, 7.0], equal_nan=True
    )


@pytest.mark.parametrize("symbols", [FEW, MANY, VERY_MANY])
@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (5, 35, 5), (2, 3, 2), (3, 10, 16)])
def test_macd_is_that_of_ta_lib_seed_included(fast: int, slow: int, signal: int, symbols: int):
    close = walk(6, symbols=symbols)
    macd, line = macd_lines(close, fast, slow, signal)

    for place in range(FEW):
        oracle, oracle_line, _ = talib.MACD(close[:, place], fast, slow, signal)
        known = np.isfinite(oracle)  # TA-Lib shows the MACD only where it has the signal, too
        assert np.isfinite(macd[slow - 1 :, place]).all()
        assert_same(macd[known, place], oracle[known])
        assert_same(line[:, place], oracle_line)


@pytest.mark.parametrize("symbols", [FEW, MANY, VERY_MANY])
@pytest.mark.parametrize("period", [2, 7, 14, 20])
def test_true_ranges_are_those_of_ta_lib_seed_included(period: int, symbols: int):
    close = walk(7, symbols=symbols)
    high, low = close * 1.02, close * np.where(np.arange(symbols) % 2, 0.97, 0.999)
    ranges = average_true_range(high, low, close, period)

    for place in range(FEW):
        assert_same(ranges[:, place], talib.ATR(high[:, place], low[:, place], close[:, place], period))


def test_a_true_range_reaches_to_the_close_before():
    high, low, close = column(11, 15, 12), column(9, 14, 5), column(10, 14.5, 6)

    # ranges max(15, 10) - min(14, 10) = 5 and max(12, 14.5) - min(5, 14.5) = 9.5
    assert average_true_range(high, low, close, 2)[:, 0].tolist()[2] == 7.25


def test_what_is_smoothed_goes_on_after_a_gap_as_if_it_had_not_been():
    known = walk(8, sessions=60, symbols=1)
    gaps = np.insert(known, [20, 20, 40], NO_VALUE, axis=0)
    there = np.isfinite(gaps[:, 0])

    for indicator in (
        lambda close: exponential_mean(close, 5),
        lambda close: macd_lines(close, 3, 8, 4)[1],
        lambda close: average_true_range(close, close, close, 6),
    ):
        assert np.array_equal(indicator(gaps)[there], indicator(known), equal_nan=True)
        assert np.isnan(indicator(gaps)[~there]).all()


def test_a_gap_in_one_symbol_changes_nothing_in_another():
    close = walk(9)
    holed = close.copy()
    holed[30:40, 2] = np.nan

    others = [0, 1, 3, 4]
    assert np.array_equal(exponential_mean(holed, 9)[:, others], exponential_mean(close, 9)[:, others], equal_nan=True)


@pytest.mark.parametrize("sessions", [0, 1, 8])
def test_too_few_closes_have_no_smoothed_mean(sessions: int):
    close = walk(1, sessions=sessions)

    assert np.isnan(exponential_mean(close, 9)).all()
    assert np.isnan(macd_lines(close, 4, 9, 3)[0]).all()
    assert np.isnan(average_true_range(close, close, close, 9)).all()


@pytest.mark.parametrize("period", [2, 3, 14, 30])
def test_relative_strength_is_that_of_ta_lib_seed_included(period: int):
    close = walk(3)
    strength = wilder_rsi(close, period)

    for place in range(close.shape[1]):
        oracle = talib.RSI(close[:, place], period)
        assert np.isnan(strength[:period, place]).all()
        assert np.allclose(strength[:, place], oracle, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_relative_strength_of_a_published_example():
    strength = wilder_rsi(column(*CLOSES), 14)[14:, 0]

    assert np.round(strength, 2).tolist() == PUBLISHED_RSI


@pytest.mark.parametrize(
    ("closes", "strength"),
    [
        ([1, 2, 3, 4, 5], 100.0),  # gains only
        ([5, 4, 3, 2, 1], 0.0),  # losses only
        ([3, 3, 3, 3, 3], 50.0),  # no move at all
        ([3, 4, 3, 4, 3], 37.5),  # mean gains 1/2, 3/4, 3/8 and mean losses 1/2, 1/4, 5/8
    ],
)
def test_relative_strength_at_its_edges(closes, strength):
    assert wilder_rsi(column(*closes), 2)[-1, 0] == pytest.approx(strength, abs=1e-9)


def test_relative_strength_skips_sessions_without_a_close():
    known = [44.0, 44.5, 43.9, 44.8, 45.2, 44.7, 45.9]
    gaps = [NO_VALUE, 44.0, 44.5, NO_VALUE, 43.9, 44.8, 45.2, 44.7, NO_VALUE, NO_VALUE, 45.9]
    strength = wilder_rsi(column(*gaps), 3)[:, 0]

    assert np.isnan(strength[[0, 3, 8, 9]]).all()
    assert np.array_equal(strength[np.isfinite(gaps)], wilder_rsi(column(*known), 3)[:, 0], equal_nan=True)


@given(st.lists(st.floats(0.01, 1e5), min_size=0, max_size=40))
def test_relative_strength_lies_between_0_and_100(closes):
    strength = wilder_rsi(column(*closes), 3)[3:]

    assert ((strength >= 0) & (strength <= 100)).all()
