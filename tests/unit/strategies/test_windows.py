from __future__ import annotations

import numpy as np
import pytest
import talib

from tests.unit.strategies.markets import NO_VALUE, column, walk
from trading_bot.strategies.windows import highest, lowest, means_and_deviations

FEW, MANY = 5, 300  # columns: either way of adding up


@pytest.mark.parametrize("window", [2, 3, 10, 20, 55, 400])
def test_channels_are_those_of_ta_lib(window: int):
    close = walk(1)

    for place in range(close.shape[1]):
        assert np.array_equal(highest(close, window)[:, place], talib.MAX(close[:, place], window), equal_nan=True)
        assert np.array_equal(lowest(close, window)[:, place], talib.MIN(close[:, place], window), equal_nan=True)


def test_a_channel_of_one_session_is_its_price():
    close = walk(2)

    assert np.array_equal(highest(close, 1), close)


def test_a_channel_is_unknown_until_its_window_is_full_and_free_of_gaps():
    assert np.array_equal(
        highest(column(3, 1, 2, NO_VALUE, 5, 4, 6), 3)[:, 0],
        [NO_VALUE, NO_VALUE, 3, NO_VALUE, NO_VALUE, NO_VALUE, 6],
        equal_nan=True,
    )


@pytest.mark.parametrize("symbols", [FEW, MANY])
@pytest.mark.parametrize("window", [2, 5, 20, 60, 399, 400])
def test_bands_are_those_of_ta_lib(window: int, symbols: int):
    close = walk(3, symbols=symbols)
    means, deviations = means_and_deviations(close, window)

    for place in range(FEW):
        upper, middle, lower = talib.BBANDS(close[:, place], window, 2.0, 2.0)
        assert np.allclose(means[:, place], middle, rtol=1e-9, atol=0, equal_nan=True)
        assert np.allclose((means + 2 * deviations)[:, place], upper, rtol=1e-9, atol=0, equal_nan=True)
        assert np.allclose((means - 2 * deviations)[:, place], lower, rtol=1e-9, atol=1e-9, equal_nan=True)
        assert np.allclose(deviations[:, place], talib.STDDEV(close[:, place], window, 1.0), rtol=1e-9, equal_nan=True)


def test_deviations_are_those_of_the_window_alone_however_the_price_was_before():
    close = np.concatenate([np.geomspace(1e6, 1.0, 300), 1.0 + 1e-4 * np.sin(np.arange(100))])[:, None]
    (_, deviations) = means_and_deviations(close, 20)

    exact = [close[row - 19 : row + 1, 0].std() for row in range(330, 400)]
    assert np.allclose(deviations[330:, 0], exact, rtol=1e-9, atol=0)


def test_a_price_that_stands_still_has_no_deviation_at_all():
    close = np.concatenate([walk(4, sessions=50, symbols=1), np.full((60, 1), 1 / 3)])
    means, deviations = means_and_deviations(close, 20)

    assert (deviations[69:] <= 1e-16).all()
    assert np.allclose(means[69:], 1 / 3, rtol=1e-15, atol=0)


def test_means_and_deviations_are_unknown_while_a_gap_is_in_the_window():
    means, deviations = means_and_deviations(column(1, 3, NO_VALUE, 5, 7, 11), 2)

    assert np.array_equal(means[:, 0], [NO_VALUE, 2, NO_VALUE, NO_VALUE, 6, 9], equal_nan=True)
    assert np.array_equal(deviations[:, 0], [NO_VALUE, 1, NO_VALUE, NO_VALUE, 1, 2], equal_nan=True)


@pytest.mark.parametrize("sessions", [0, 1, 4])
def test_a_window_longer_than_the_history_is_unknown(sessions: int):
    close = walk(5, sessions=sessions)

    for out in (highest(close, 5), lowest(close, 5), *means_and_deviations(close, 5)):
        assert out.shape == close.shape
        assert np.isnan(out).all()
