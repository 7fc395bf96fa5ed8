from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.strategies.markets import NO_VALUE, history
from trading_bot.strategies.covariance import least_variance, shrunk_covariance
from trading_bot.strategies.minimum_variance import MinimumVariance


def returns(seed: int, sessions: int = 60, stocks: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = rng.normal(0, np.resize([0.01, 0.02, 0.03, 0.015], stocks), (sessions, stocks))
    found[:, 1] += found[:, 0]
    return found


# scikit-learn 1.7, covariance.ledoit_wolf of `returns(7)`, times 10,000
LEDOIT_WOLF = [
    [0.992668140142, 0.678022772373, 0.00556064378404, 0.0667725734734],
    [0.678022772373, 3.18514101129, -0.688840110945, -0.25936663871],
    [0.00556064378404, -0.688840110945, 8.52160916414, 0.122184120165],
    [0.0667725734734, -0.25936663871, 0.122184120165, 2.39864755831],
]


def test_the_covariance_is_that_of_scikit_learn():
    covariance, pull = shrunk_covariance(returns(7))

    assert np.allclose(covariance * 1e4, LEDOIT_WOLF, rtol=1e-10)
    assert pull == pytest.approx(0.10992028775511474)


def test_a_covariance_of_more_stocks_than_returns_can_be_inverted():
    covariance, pull = shrunk_covariance(returns(8, sessions=20, stocks=50))

    assert np.linalg.eigvalsh(covariance).min() > 0
    assert 0 < pull <= 1


@pytest.mark.parametrize(
    ("covariance", "weights"),
    [
        ([[1, 0], [0, 3]], [0.75, 0.25]),  # in inverse proportion to the variances
        ([[1, 0.5], [0.5, 1]], [0.5, 0.5]),
        ([[1, 1.5], [1.5, 4]], [1.0, 0.0]),  # the wild one only adds to the calm one's moves
        ([[4, 1, 0], [1, 4, 0], [0, 0, 2.5]], [0.25, 0.25, 0.5]),  # the first two vary like one of 2.5 together
        ([[7]], [1.0]),
    ],
)
def test_weights_that_can_be_reckoned_by_hand(covariance, weights):
    assert least_variance(np.array(covariance, dtype=float)) == pytest.approx(weights, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_no_small_change_of_the_weights_lowers_the_variance(seed, stocks):
    covariance, _ = shrunk_covariance(np.random.default_rng(seed).normal(0, 0.02, (25, stocks)) @ mixing(seed, stocks))
    weights = least_variance(covariance)
    slope = covariance @ weights  # of half the variance; equal for all that are held, not lower for the others

    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    assert (slope >= (weights @ slope) * (1 - 1e-7)).all()


def mixing(seed: int, stocks: int) -> np.ndarray:
    return np.eye(stocks) + np.random.default_rng(seed + 1).normal(0, 0.5, (stocks, stocks))


# Sessions are weekdays from Monday, 2020-01-06: row 20 is the first of February.
def prices(sessions: int = 60) -> np.ndarray:
    """Return one stock that zigzags by 1 % and one that does so by 2 %, every other time against it."""
    steps = np.arange(sessions)
    return 100 * np.exp(np.stack([0.01 * (steps % 2), 0.02 * (steps // 2 % 2)], axis=1))


def test_weights_are_decided_once_a_month_and_the_largest_has_exposure_one():
    opinion = MinimumVariance(window=20).opinion(history(prices()))

    assert not opinion.exposure[:20].any()
    assert opinion.exposure[20:].max() == 1.0
    assert np.array_equal(opinion.exposure[20:40], np.tile(opinion.exposure[20], (20, 1)))
    assert opinion.evidence["weight"][20].sum() == pytest.approx(1.0)


def test_what_stands_still_or_has_a_gap_is_left_out():
    close = np.concatenate([prices(), np.full((60, 1), 10.0), prices()[:, :1] * 2], axis=1)
    close[5:15, 3] = NO_VALUE

    exposure = MinimumVariance(window=20).opinion(history(close)).exposure
    assert exposure[20, :2].any()
    assert not exposure[20, 2:].any()


def test_two_stocks_that_are_the_same_share_a_weight():
    close = np.repeat(prices()[:, :1], 2, axis=1)

    assert MinimumVariance(window=20).opinion(history(close)).exposure[20] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("weight", "exposure", "words"),
    [
        (0.2, 0.5, "its weight in the portfolio of least variance is 20.0%: 50% of the largest"),
        (0.0, 0.0, "it is not in the portfolio of least variance"),
        (0.2, 0.0, "it has not traded of late"),
        (NO_VALUE, 0.0, "its weight needs 121 closes at the beginning of a month"),
    ],
)
def test_the_reason_names_the_weight(weight, exposure, words):
    assert MinimumVariance().reason({"weight": weight}, exposure) == words
