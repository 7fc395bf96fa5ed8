from __future__ import annotations

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies.markets import NO_VALUE, column
from trading_bot.domain.market import FloatMatrix
from trading_bot.strategies.indicators import carried, rolling_means, wilder_rsi

# The worked example of StockCharts' ChartSchool, article "Relative Strength Index (RSI)", its spreadsheet's first rows.
CLOSES = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931,
    46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122,
]  # fmt: skip
PUBLISHED_RSI = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93]


def walk(seed: int, sessions: int = 400, symbols: int = 5) -> FloatMatrix:
    return 50.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, (sessions, symbols)), axis=0))


@pytest.mark.parametrize("window", [1, 2, 14, 20, 50, 200, 400])
def test_rolling_means_are_those_of_ta_lib(window: int):
    close = walk(1)
    (means,) = rolling_means(close, window)

    for place in range(close.shape[1]):
        oracle = talib.SMA(close[:, place], window) if window > 1 else close[:, place]  # TA-Lib begins at two
        assert np.allclose(means[:, place], oracle, rtol=1e-9, atol=0, equal_nan=True)


def test_windows_asked_together_are_the_windows_asked_alone():
    close = walk(2)
    fast, slow = rolling_means(close, 20, 50)

    assert np.array_equal(fast, rolling_means(close, 20)[0], equal_nan=True)
    assert np.array_equal(slow, rolling_means(close, 50)[0], equal_nan=True)


def test_a_mean_is_unknown_until_its_window_is_full():
    (means,) = rolling_means(column(1, 2, 3, 5), 3)

    assert np.array_equal(means[:, 0], [NO_VALUE, NO_VALUE, 2.0, 10 / 3], equal_nan=True)


def test_a_mean_is_unknown_while_a_gap_is_in_its_window_and_known_after_it():
    (means,) = rolling_means(column(1, NO_VALUE, 3, 5, 7), 2)

    assert np.array_equal(means[:, 0], [NO_VALUE, NO_VALUE, NO_VALUE, 4.0, 6.0], equal_nan=True)


def test_a_window_longer_than_the_history_has_no_mean():
    (means,) = rolling_means(column(1, 2), 3)

    assert np.isnan(means).all()


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


@pytest.mark.parametrize(
    ("closes", "bridged"),
    [
        ([7, NO_VALUE, 8], [7, 7, 8]),
        ([7, NO_VALUE, NO_VALUE, NO_VALUE, 8], [7, 7, 7, NO_VALUE, 8]),  # the limit here is 2
        ([NO_VALUE, NO_VALUE, 7], [NO_VALUE, NO_VALUE, 7]),  # nothing is known before the first close
        ([7, NO_VALUE], [7, 7]),
        ([NO_VALUE], [NO_VALUE]),
        ([], []),
    ],
)
def test_gaps_are_bridged_up_to_the_limit(closes, bridged):
    assert np.array_equal(carried(column(*closes), limit=2)[:, 0], bridged, equal_nan=True)


def test_a_gap_of_five_sessions_is_bridged_and_the_sixth_is_unknown():
    closes = column(7, *[NO_VALUE] * 6)

    assert np.array_equal(carried(closes)[:, 0], [7] * 6 + [NO_VALUE], equal_nan=True)


def test_closes_without_gaps_come_back_as_they_are():
    closes = walk(4)

    assert carried(closes) is closes


def test_bridging_leaves_the_closes_as_they_were():
    closes = column(7, NO_VALUE, 8)
    carried(closes)

    assert np.array_equal(closes[:, 0], [7, NO_VALUE, 8], equal_nan=True)
