"""Profit and risk, against numbers computed by hand."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.domain.portfolio import EquityPoint
from trading_bot.reporting.performance import Drawdown, Exposure, Performance, performance

MONDAY = date(2024, 1, 8)


def curve(*equity: str) -> list[EquityPoint]:
    return [EquityPoint(MONDAY + timedelta(days=day), Decimal(0), Decimal(each)) for day, each in enumerate(equity)]


def of(opening: str, *equity: str) -> Performance:
    return performance(Decimal(opening), curve(*equity))


def drawdown(opening: str, *equity: str) -> Drawdown:
    found = of(opening, *equity).drawdown
    assert found is not None
    return found


# ── profit and risk ───────────────────────────────────────────────────────────────────────────────


def test_profit_counts_from_the_opening_dollars():
    found = of("100000.00", "101000.00", "99992.30")

    assert (found.profit, found.total_return, found.sessions) == (Decimal("-7.70"), pytest.approx(-0.000077), 2)


def test_volatility_and_sharpe_are_those_of_a_year_of_252_sessions():
    found = of("100", "110", "99", "108.90")  # +10 %, -10 %, +10 %: mean 1/30, variance 0.04 / 3

    assert found.volatility == pytest.approx(1.8330302780)  # sqrt(0.04 / 3 * 252)
    assert found.sharpe == pytest.approx(4.5825756950)  # 1/30 / sqrt(0.04 / 3) * sqrt(252)


def test_one_session_has_a_return_but_no_volatility():
    found = of("100", "90")

    assert (found.total_return, found.volatility, found.sharpe) == (pytest.approx(-0.1), None, None)


@pytest.mark.parametrize("equity", [("100", "100", "100"), ("110", "121", "133.1")])
def test_what_never_varies_has_no_sharpe_ratio(equity: tuple[str, ...]):
    found = of("100", *equity)

    assert found.volatility == pytest.approx(0)
    assert found.sharpe is None


def test_before_the_first_session_nothing_is_known():
    nothing = Performance(
        sessions=0, profit=None, total_return=None, volatility=None, sharpe=None, drawdown=None, exposure=None
    )

    assert performance(Decimal(100), []) == nothing
    assert performance(None, []) == nothing


def test_without_opening_dollars_it_counts_from_the_first_session():
    found = performance(None, curve("100", "110", "99"))

    assert (found.profit, found.total_return) == (Decimal(-1), pytest.approx(-0.01))


@pytest.mark.parametrize("opening", ["0", "-5"])
def test_there_is_no_return_on_nothing(opening: str):
    found = of(opening, "10", "20")

    assert (found.total_return, found.volatility, found.sharpe, found.drawdown) == (None, None, None, None)
    assert found.profit == Decimal(20) - Decimal(opening)


def test_an_account_that_was_lost_on_the_way_has_no_sharpe_ratio():
    found = of("100", "50", "-10", "20")

    assert (found.total_return, found.volatility, found.sharpe) == (None, None, None)
    assert found.profit == -80


# ── drawdown ──────────────────────────────────────────────────────────────────────────────────────


def test_the_deepest_fall_is_a_share_of_the_high_before_it():
    # from 120 to 90 is a quarter, from 150 to 120 a fifth
    assert drawdown("100", "120", "90", "125", "150", "120", "135") == Drawdown(0.25, sessions=2, current=0.1)


def test_a_fall_lasts_until_equity_is_back_at_its_high():
    assert drawdown("100", "80", "90", "100", "110") == Drawdown(0.2, sessions=3, current=0.0)


def test_a_fall_that_is_not_over_lasts_until_now():
    assert drawdown("100", "105", "84", "84", "94.5") == Drawdown(0.2, sessions=3, current=0.1)


def test_a_fall_counts_from_the_newest_of_equal_highs():
    assert drawdown("100", "100", "75", "100") == Drawdown(0.25, sessions=2, current=0.0)


def test_what_never_fell_has_a_drawdown_of_nought():
    assert drawdown("100", "100", "101") == Drawdown(0.0, sessions=0, current=0.0)


# ── exposure ──────────────────────────────────────────────────────────────────────────────────────


def exposure(cash: str, equity: str, gross: str | None) -> Exposure | None:
    point = EquityPoint(MONDAY, Decimal(cash), Decimal(equity), None if gross is None else Decimal(gross))
    return performance(Decimal(100), [point]).exposure


def test_exposure_is_what_the_newest_session_left_invested():
    assert exposure("60", "100", "40") == Exposure(gross=0.4, net=0.4)


def test_a_short_position_adds_to_the_gross_and_takes_from_the_net():
    assert exposure("120", "100", "60") == Exposure(gross=0.6, net=-0.2)  # 20 long, 40 short


def test_a_session_of_an_older_version_has_no_gross_exposure():
    assert exposure("60", "100", None) == Exposure(gross=None, net=0.4)


def test_there_is_no_exposure_of_nothing():
    assert exposure("0", "0", "0") is None


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────

amounts = st.decimals(min_value=-1000, max_value=10**9, places=2)


@given(opening=amounts, worth=st.lists(amounts, max_size=12))
def test_no_number_is_infinite_or_not_a_number(opening: Decimal, worth: list[Decimal]):
    found = performance(opening, curve(*(str(each) for each in worth)))

    fall = found.drawdown
    numbers = [found.total_return, found.volatility, found.sharpe, *((fall.deepest, fall.current) if fall else ())]
    assert all(math.isfinite(number) for number in numbers if number is not None)


@given(worth=st.lists(st.decimals(min_value=1, max_value=10**6, places=2), min_size=2, max_size=12))
def test_drawdown_lies_between_nought_and_all(worth: list[Decimal]):
    found = drawdown("1000", *(str(each) for each in worth))

    assert 0 <= found.current <= found.deepest < 1
    assert 0 <= found.sessions <= len(worth)


def test_what_is_paid_in_is_no_profit_and_what_is_taken_out_no_loss():
    points = [
        EquityPoint(MONDAY, Decimal(0), Decimal(110)),
        EquityPoint(MONDAY + timedelta(days=1), Decimal(0), Decimal(209), paid_in=Decimal(110)),  # 220 less 5 %
        EquityPoint(MONDAY + timedelta(days=2), Decimal(0), Decimal("104.50"), paid_in=Decimal("5.50")),
    ]
    found = performance(Decimal(100), points)

    assert found.profit == Decimal("-1.00")  # 10, then -11
    assert found.total_return == pytest.approx(0.045)  # 1.1 x 0.95
    assert found.drawdown is not None
    assert found.drawdown.deepest == pytest.approx(0.05)
