"""The weather of the market."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trading_bot.data.regime import regime, universe_mean
from trading_bot.domain.market import Trend, Volatility


def swinging(size: float, sessions: int) -> list[float]:
    """Return factors that go up by `size` and down again, day by day."""
    return [1 + size if day % 2 else 1 / (1 + size) for day in range(sessions)]


def closes(*swings: tuple[float, int]) -> np.ndarray:
    factors = [factor for size, sessions in swings for factor in swinging(size, sessions)]
    return 100 * np.cumprod([1.0, *factors])


def test_a_close_above_its_mean_of_200_sessions_is_rising():
    market = np.concatenate([np.full(199, 100.0), [110.0]])

    weather = regime(market, "The S&P 500")

    assert weather.trend is Trend.RISING
    assert weather.sentence == (
        "The S&P 500 closed 9.9% above its 200-session mean; how it moves takes 272 closes to tell, there are 200."
    )


def test_a_close_below_its_mean_is_falling():
    weather = regime(np.concatenate([np.full(199, 100.0), [90.0]]))

    assert weather.trend is Trend.FALLING
    assert "closed 10.0% below its 200-session mean" in weather.sentence


def test_only_the_last_200_closes_count_for_the_trend():
    assert regime(np.concatenate([[1e6], np.full(199, 100.0), [110.0]])).trend is Trend.RISING


def test_199_closes_tell_no_trend():
    weather = regime(np.linspace(100, 200, 199), "The market")

    assert (weather.trend, weather.volatility) == (Trend.UNKNOWN, Volatility.UNKNOWN)
    assert weather.sentence == "The market has 199 closes so far; 200 are needed to tell a trend."


@pytest.mark.parametrize(
    ("quiet", "recent", "wanted"),
    [(0.01, 0.007, Volatility.CALM), (0.01, 0.01, Volatility.NORMAL), (0.01, 0.016, Volatility.STORMY)],
)
def test_volatility_is_judged_against_the_median_of_the_last_year(quiet, recent, wanted):
    assert regime(closes((quiet, 300), (recent, 20))).volatility is wanted


def test_the_sentence_gives_the_volatility_a_year():
    # Log returns of ±ln(1.01), 20 of them: standard deviation ln(1.01)·sqrt(20/19), times sqrt(252) is 16.2 %.
    sentence = regime(closes((0.01, 300)), "The S&P 500").sentence

    assert sentence.endswith("its 200-session mean and moves as usual (16% a year).")


def test_a_market_that_never_moves_is_normal_and_raises_no_warning():
    assert regime(np.full(300, 100.0)).volatility is Volatility.NORMAL


def test_closes_that_are_no_price_are_left_out():
    market = closes((0.01, 300))
    holed = np.insert(market, [5, 100, 200, 301], [np.nan, 0.0, -1.0, np.inf])

    assert regime(holed) == regime(market)


@settings(deadline=None)
@given(arrays.arrays(np.float64, st.integers(0, 400), elements=st.floats(width=64)))
def test_any_numbers_have_a_regime_without_a_warning(market):
    assert regime(market).sentence


def test_the_universes_mean_earns_the_mean_of_all_returns():
    prices = np.array([[10.0, 100.0], [11.0, 110.0], [11.0, 132.0]])

    assert universe_mean(prices).tolist() == pytest.approx([1.0, 1.10, 1.21])


def test_the_universes_mean_leaves_out_a_symbol_on_days_it_has_no_return():
    prices = np.array([[10.0, np.nan], [11.0, 50.0], [11.0, 60.0], [11.0, np.nan]])

    assert universe_mean(prices).tolist() == pytest.approx([1.0, 1.10, 1.21, 1.21])


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 0)])
def test_the_universes_mean_of_nothing_stands_still(shape):
    assert universe_mean(np.full(shape, 10.0)).tolist() == [1.0] * shape[0]
