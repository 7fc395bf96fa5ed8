from __future__ import annotations

import numpy as np
import pytest
import talib

from tests.unit.strategies.markets import NO_VALUE, column, walk
from trading_bot.strategies.indicators import carried, rolling_means


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
