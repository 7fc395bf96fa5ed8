"""The formulas of profit and risk, against numbers computed by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from trading_bot.domain import performance as formula
from trading_bot.domain.performance import Curves, Figure, known


def array(*values: float) -> Curves:
    return np.array(values)


UP_DOWN_UP = array(100, 110, 99, 108.9)  # +10 %, -10 %, +10 %

OF_WORTH: list[Callable[[Curves], Figure]] = [
    formula.total_return,
    formula.annual_return_by_sessions,
    lambda worth: formula.annual_return_by_calendar(worth, 30),
    formula.max_drawdown,
    formula.calmar,
]
OF_RETURNS: list[Callable[[Curves], Figure]] = [
    formula.volatility,
    formula.downside_deviation,
    formula.sharpe,
    formula.sortino,
    formula.value_at_risk,
    formula.expected_shortfall,
]

# ── by hand ───────────────────────────────────────────────────────────────────────────────────────


def test_returns_are_changes_as_shares():
    assert formula.returns_of(UP_DOWN_UP) == pytest.approx([0.1, -0.1, 0.1])


def test_total_return_is_the_gain_as_a_share_of_the_opening():
    assert known(formula.total_return(UP_DOWN_UP)) == pytest.approx(0.089)


def test_a_year_of_sessions_has_the_annual_return_of_its_total():
    doubled = np.linspace(100, 200, 253)  # 252 sessions

    assert known(formula.annual_return_by_sessions(doubled)) == pytest.approx(1.0)


def test_the_two_annual_returns_count_years_by_sessions_and_by_days():
    quadrupled = np.linspace(100, 400, 505)  # 504 sessions are two years

    assert known(formula.annual_return_by_sessions(quadrupled)) == pytest.approx(1.0)
    assert known(formula.annual_return_by_calendar(quadrupled, days=1461)) == pytest.approx(math.sqrt(2) - 1)  # four


def test_volatility_is_that_of_a_sample_for_a_year():
    assert known(formula.volatility(array(0.1, -0.1, 0.1))) == pytest.approx(math.sqrt(0.04 / 3 * 252))


def test_downside_deviation_counts_gains_as_nothing():
    assert known(formula.downside_deviation(array(0.3, -0.1, 0.2, -0.1))) == pytest.approx(math.sqrt(0.02 / 4 * 252))


def test_sharpe_is_mean_over_standard_deviation_for_a_year():
    assert known(formula.sharpe(array(0.1, -0.1, 0.1))) == pytest.approx(4.5825756950)  # sqrt(252 / 12)


def test_sortino_is_mean_over_downside_deviation_for_a_year():
    # mean 0.075, downside deviation sqrt(0.005)
    assert known(formula.sortino(array(0.3, -0.1, 0.2, -0.1))) == pytest.approx(0.075 / math.sqrt(0.005) * 252**0.5)


def test_max_drawdown_is_a_share_of_the_high_before():
    assert known(formula.max_drawdown(array(100, 120, 90, 125, 150, 120, 135))) == 0.25


def test_calmar_is_the_annual_return_over_the_deepest_fall():
    curve = np.concatenate([np.linspace(100, 200, 126), [150.0], np.linspace(160, 200, 126)])  # 252 sessions, +100 %

    assert known(formula.calmar(curve)) == pytest.approx(1.0 / 0.25)


def test_value_at_risk_is_the_loss_that_one_session_in_twenty_exceeds():
    losses = np.arange(-100, 1) / 1000  # -10 % to 0 in 101 steps: the 5 % quantile is the sixth

    assert known(formula.value_at_risk(losses)) == pytest.approx(0.095)
    assert known(formula.expected_shortfall(losses)) == pytest.approx((0.1 + 0.099 + 0.098 + 0.097 + 0.096 + 0.095) / 6)


def test_beta_and_alpha_of_a_leveraged_benchmark_with_a_fee():
    market = array(0.01, -0.02, 0.015, 0.0)
    ours = 2 * market - 0.001

    assert formula.beta(ours, market) == pytest.approx(2.0)
    assert formula.alpha(ours, market) == pytest.approx(0.999**252 - 1)


def test_sessions_without_a_benchmark_do_not_count_in_beta():
    market = array(math.nan, 0.01, -0.02, 0.015, math.nan)
    ours = array(5.0, 0.02, -0.04, 0.03, -5.0)

    assert formula.beta(ours, market) == pytest.approx(2.0)
    assert formula.alpha(ours, market) == pytest.approx(0.0)


def test_exposure_is_the_mean_share_of_equity():
    assert known(formula.exposure(array(0, 50, 90), array(100, 100, 90))) == pytest.approx(0.5)


def test_turnover_counts_a_purchase_and_its_sale_once_a_year():
    # Everything bought and sold within a year of 252 sessions.
    traded = np.zeros(252)
    traded[[3, 200]] = 1000.0

    assert known(formula.turnover(traded, np.full(252, 1000.0))) == pytest.approx(1.0)


def test_the_standard_error_of_a_sharpe_ratio_falls_with_the_root_of_time():
    # 1.5 a session over 24 of them: sqrt((1 + 1.5² / 2) / 24) = sqrt(2.125 / 24); for a year times the root of 252
    assert formula.sharpe_error(1.5 * math.sqrt(252), 24) == pytest.approx(math.sqrt(2.125 / 24 * 252))
    assert formula.sharpe_error(0.0, 252) == pytest.approx(1.0)
    assert formula.sharpe_error(1.0, 1) is None


def test_a_rolling_sharpe_ratio_knows_its_window_only():
    returns = array(9.0, 0.1, -0.1, 0.1, 0.2)

    rolled = formula.rolling_sharpe(returns, 3)

    assert np.isnan(rolled[:2]).all()
    assert rolled[3] == pytest.approx(4.5825756950)
    assert rolled[4] == pytest.approx(known(formula.sharpe(returns[2:])))


def test_fewer_sessions_than_the_window_have_no_rolling_ratio():
    assert np.isnan(formula.rolling_sharpe(array(0.1, 0.2), 3)).all()
    assert len(formula.rolling_sharpe(array(), 3)) == 0


# ── what cannot be computed ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", OF_WORTH)
@pytest.mark.parametrize("worth", [array(), array(100), array(0, 100), array(-5, 10)])
def test_no_session_or_no_opening_has_no_number(number: Callable[[Curves], Figure], worth: Curves):
    assert known(number(worth)) is None


@pytest.mark.parametrize("number", OF_RETURNS)
@pytest.mark.parametrize("returns", [array(), array(0.1)])
def test_one_return_says_nothing_about_risk(number: Callable[[Curves], Figure], returns: Curves):
    assert known(number(returns)) is None


def test_what_never_varies_has_no_ratio():
    assert known(formula.sharpe(array(0.1, 0.1, 0.1))) is None
    assert known(formula.sortino(array(0.1, 0.2, 0.0))) is None
    assert known(formula.calmar(array(100, 100, 110))) is None
    assert formula.beta(array(0.1, 0.2), array(0.1, 0.1)) is None
    assert formula.alpha(array(0.1, 0.2), array(0.1, 0.1)) is None


def test_an_account_that_was_lost_has_no_ratio():
    lost = array(100, 50, -10, 20)

    assert known(formula.total_return(lost)) is None
    assert known(formula.sharpe(formula.returns_of(lost))) is None


def test_a_total_loss_at_the_end_is_a_return_of_minus_one():
    lost = array(100, 50, 0)

    assert known(formula.total_return(lost)) == -1
    assert known(formula.annual_return_by_sessions(lost)) == -1


def test_a_return_beyond_numbers_is_unknown_and_warns_nobody():
    assert known(formula.annual_return_by_sessions(array(1, 1e9))) is None  # 1e9 to the 252nd
    assert known(formula.total_return(array(1e-300, 1e300))) is None


def test_less_than_one_session_in_the_tail_is_no_value_at_risk():
    assert known(formula.value_at_risk(np.linspace(-0.1, 0.1, 19))) is None
    assert known(formula.value_at_risk(np.linspace(-0.1, 0.1, 20))) is not None


def test_nothing_invested_has_no_turnover_and_no_exposure():
    assert known(formula.turnover(array(), array())) is None
    assert known(formula.turnover(array(0, 0), array(0, 0))) is None
    assert known(formula.exposure(array(), array())) is None


# ── many at once ──────────────────────────────────────────────────────────────────────────────────


def test_every_formula_gives_each_of_many_candidates_the_number_it_has_alone():
    chance = np.random.default_rng(1)
    worth = np.array(100 * np.cumprod(1 + chance.normal(0, 0.01, (60, 5)), axis=0), dtype=np.float64)
    worth[:, 4] = 100.0  # one that never trades
    returns = formula.returns_of(worth)

    for number, curves in [*((f, worth) for f in OF_WORTH), *((f, returns) for f in OF_RETURNS)]:
        together = number(curves)
        assert together.shape == (5,)
        assert [known(each) for each in together] == pytest.approx([known(number(each)) for each in curves.T])


def test_candidates_without_sessions_have_no_numbers():
    for number in (*OF_WORTH, *OF_RETURNS):
        assert np.isnan(number(np.empty((0, 3)))).tolist() == [True, True, True]
