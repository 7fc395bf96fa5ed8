from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.tournament.deflated import (
    Moments,
    deflated_sharpe,
    expected_best_by_luck,
    moments,
    probabilistic_sharpe,
    variance_of,
)

# Bailey & López de Prado (2014), section "A numerical example": a yearly ratio of 2.5 over 1,250 sessions, 250 a year,
# skewness -3, kurtosis 10, and a variance of 1/2 among the yearly ratios of the trials.
OF_THE_PAPER = Moments(sessions=1250, sharpe=2.5 / math.sqrt(250), skewness=-3, kurtosis=10)
VARIANCE = 0.5 / 250


@pytest.mark.parametrize(("trials", "probability"), [(100, 0.9004), (46, 0.9505)])
def test_the_numbers_of_the_paper_come_out(trials, probability):
    assert deflated_sharpe(OF_THE_PAPER, trials=trials, variance=VARIANCE).probability == pytest.approx(
        probability, abs=5e-5
    )


def test_the_ratio_that_luck_alone_shows_is_the_papers():
    assert expected_best_by_luck(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)


def test_normal_returns_bear_more_trials_as_in_the_paper():
    normal = Moments(sessions=1250, sharpe=2.5 / math.sqrt(250), skewness=0, kurtosis=3)

    assert deflated_sharpe(normal, trials=88, variance=VARIANCE).probability == pytest.approx(0.9505, abs=5e-5)


def test_one_trial_is_not_deflated():
    found = deflated_sharpe(OF_THE_PAPER, trials=1, variance=VARIANCE)

    assert found.expected_by_luck == 0.0
    assert found.probability == probabilistic_sharpe(OF_THE_PAPER)


def test_the_best_of_many_without_skill_shows_about_what_is_expected():
    rng = np.random.default_rng(3)
    best = np.mean(rng.normal(0, 0.1, (4000, 50)).max(axis=1))

    assert expected_best_by_luck(50, 0.01) == pytest.approx(float(best), rel=0.02)


def test_moments_are_those_of_the_returns():
    found = moments(np.array([0.01, -0.01, 0.02, 0.0, -0.02, 0.03]))

    assert found is not None
    assert found.sessions == 6
    assert found.sharpe == pytest.approx(0.005 / math.sqrt(0.00175 / 5))
    assert found.skewness == pytest.approx(0.0)  # as far up as down around the mean of half a per cent
    assert found.kurtosis == pytest.approx(
        (2 * (2.5**4 + 1.5**4 + 0.5**4) / 6) / ((2 * (2.5**2 + 1.5**2 + 0.5**2) / 6) ** 2)
    )


@pytest.mark.parametrize("returns", [[0.1, 0.2, 0.1], [0.01] * 10, []])
def test_too_few_returns_or_returns_that_do_not_vary_have_no_moments(returns):
    assert moments(np.array(returns)) is None


def test_the_variance_of_yearly_ratios_is_that_of_one_session():
    assert variance_of([1.0, 2.0, 3.0]) == pytest.approx(1 / 252)
    assert variance_of([1.0]) == 0.0


@pytest.mark.parametrize(("trials", "variance"), [(0, 1.0), (5, -1.0)])
def test_no_trial_and_negative_variance_are_refused(trials, variance):
    with pytest.raises(ValueError, match="wanted 1 trial at least"):
        expected_best_by_luck(trials, variance)


@given(
    sharpe=st.floats(-0.3, 0.3),
    skewness=st.floats(-3, 3),
    kurtosis=st.floats(1, 20),
    sessions=st.integers(30, 5000),
    trials=st.integers(1, 10_000),
)
def test_more_trials_never_make_a_result_more_credible(sharpe, skewness, kurtosis, sessions, trials):
    seen = Moments(sessions, sharpe, skewness, kurtosis)
    few, many = (deflated_sharpe(seen, trials=n, variance=0.001) for n in (trials, trials + 100))

    assert 0 <= many.probability <= few.probability <= 1
    assert many.expected_by_luck > few.expected_by_luck
