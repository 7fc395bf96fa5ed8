"""The formulas of profit and risk against those of empyrical-reloaded, on random returns."""

from __future__ import annotations

from typing import Any

import empyrical
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trading_bot.domain import performance as formula
from trading_bot.domain.performance import Curves, known

# A session's return is a whole number of basis points, as much as one may gain or lose in a day.
returns = arrays(np.int64, st.integers(20, 300), elements=st.integers(-2_000, 2_000)).map(lambda bps: bps / 10_000)


def grown(changes: Curves) -> Curves:
    return np.concatenate(([1.0], np.cumprod(1 + changes)))


def varied(changes: Curves) -> bool:
    return bool(np.std(changes) > 1e-6)


def expected(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@given(returns)
def test_returns_are_theirs(changes: Curves):
    worth = grown(changes)

    assert formula.returns_of(worth) == expected(empyrical.simple_returns(worth))
    assert known(formula.total_return(worth)) == expected(empyrical.cum_returns_final(changes))
    assert known(formula.annual_return_by_sessions(worth)) == expected(empyrical.annual_return(changes))
    assert known(formula.annual_return_by_sessions(worth)) == expected(empyrical.cagr(changes))


@given(returns.filter(varied))
def test_risk_is_theirs(changes: Curves):
    assert known(formula.volatility(changes)) == expected(empyrical.annual_volatility(changes))
    assert known(formula.downside_deviation(changes)) == expected(empyrical.downside_risk(changes))
    assert known(formula.sharpe(changes)) == expected(empyrical.sharpe_ratio(changes))


@given(returns)
def test_losses_are_theirs_with_the_other_sign(changes: Curves):
    assert known(formula.value_at_risk(changes)) == expected(-empyrical.value_at_risk(changes))
    assert known(formula.expected_shortfall(changes)) == expected(-empyrical.conditional_value_at_risk(changes))
    assert known(formula.max_drawdown(grown(changes))) == expected(-empyrical.max_drawdown(changes))


@given(returns.filter(lambda changes: bool((changes < 0).any())))
def test_sortino_and_calmar_are_theirs_where_something_was_lost(changes: Curves):
    assert known(formula.sortino(changes)) == expected(empyrical.sortino_ratio(changes))
    assert known(formula.calmar(grown(changes))) == expected(empyrical.calmar_ratio(changes))


@given(st.data())
@settings(max_examples=50)
def test_alpha_and_beta_are_theirs(data: st.DataObject):
    # They centre the market only: where it hardly varies, their beta has the rounding of its mean in it.
    market = data.draw(returns.filter(lambda changes: bool(np.std(changes) > 0.01)))
    noise = data.draw(arrays(np.int64, len(market), elements=st.integers(-500, 500))) / 10_000
    ours = 0.7 * market + noise

    alpha, beta = empyrical.alpha_beta_aligned(ours, market)

    assert formula.beta(ours, market) == expected(beta)
    assert formula.alpha(ours, market) == expected(alpha)


def test_where_nothing_was_lost_they_are_infinite_and_we_say_nothing():
    rising = np.full(30, 0.01)
    rising[::2] = 0.02

    assert np.isinf(empyrical.sortino_ratio(rising))
    assert known(formula.sortino(rising)) is None
