"""The numbers of a backtest, against those of a small one worked out by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reporting.backtest_results import fill, many_years, result, small, weekdays
from trading_bot.domain.figures import DrawdownFigures, figures
from trading_bot.domain.trade_figures import Attribution


def test_money_is_counted_from_the_opening_dollars():
    found = figures(small())

    assert (found.opening, found.closing, found.profit) == (Decimal(100_000), Decimal(101_497), Decimal(1_497))
    assert found.returns.total == pytest.approx(0.01497)
    assert (found.first, found.last, found.sessions) == (date(2022, 1, 3), date(2022, 1, 7), 5)
    assert (found.executions, found.fees) == (3, Decimal(3))


def test_the_two_years_of_the_annual_return_are_of_sessions_and_of_days():
    found = figures(small())  # five sessions, four days from the first to the last

    assert found.returns.annual_sessions == pytest.approx(1.01497 ** (252 / 5) - 1)
    assert found.returns.annual_calendar == pytest.approx(1.01497 ** (365.25 / 4) - 1)


def test_the_best_and_the_worst_session_are_returns():
    found = figures(small())

    assert found.returns.best == pytest.approx(101_999 / 99_999 - 1)
    assert found.returns.worst == pytest.approx(101_497 / 101_998 - 1)


def test_the_deepest_drawdown_has_dates():
    found = figures(result(100_000, 104_000, 91_520, 93_600, 110_000))

    assert found.drawdown == DrawdownFigures(
        depth=0.12,
        sessions=3,
        began=date(2022, 1, 4),
        bottom=date(2022, 1, 5),
        recovered=date(2022, 1, 7),
        current=0.0,
    )


def test_a_drawdown_from_the_opening_on_has_no_session_it_began():
    fall = figures(result(90_000, 95_000)).drawdown

    assert fall is not None
    assert (fall.began, fall.bottom, fall.recovered) == (None, date(2022, 1, 3), None)


def test_equity_that_never_fell_has_a_drawdown_without_dates():
    assert figures(result(100_000, 100_001)).drawdown == DrawdownFigures(0.0, 0, None, None, None, 0.0)


def test_exposure_counts_sessions_and_shares_of_equity():
    found = figures(small()).exposure

    assert found.mean == pytest.approx((10_000 / 99_999 + 10_000 / 101_998 + 9_500 / 101_497) / 5)
    assert found.invested == pytest.approx(0.6)


def test_turnover_counts_half_of_what_was_bought_and_sold():
    found = figures(small()).exposure

    mean_equity = (100_000 + 99_999 + 101_999 + 101_998 + 101_497) / 5
    assert found.turnover == pytest.approx((10_000 + 12_000 + 10_000) / 2 / mean_equity * 252 / 5)


def test_the_benchmark_begins_with_the_opening_dollars_at_its_first_close():
    index = figures(small()).benchmark

    assert index is not None
    assert index.worth == pytest.approx([100_000, 101_000, 100_000, 99_000, 102_000])
    assert index.total_return == pytest.approx(0.02)
    assert index.ahead == pytest.approx(0.01497 - 0.02)
    assert index.max_drawdown == pytest.approx(2 / 101)


def test_beta_compares_the_sessions_after_the_first():
    closes = np.array([100.0, 101.0, 99.0, 102.0])
    followed = figures(
        result(100_000, 101_000, 99_000, 102_000, benchmark=closes, benchmark_name="The market")
    ).benchmark

    assert followed is not None
    assert followed.beta == pytest.approx(1.0)
    assert followed.alpha == pytest.approx(0.0)


def test_a_benchmark_that_is_not_known_on_a_session_is_passed_over():
    closes = np.array([math.nan, 100.0, math.nan, 110.0, 99.0])
    index = figures(result(*[100_000.0] * 5, benchmark=closes, benchmark_name="The market")).benchmark

    assert index is not None
    assert index.total_return == pytest.approx(-0.01)
    assert index.worth[1] == 100_000
    assert np.isnan(index.worth[[0, 2]]).all()


def test_a_benchmark_of_nothing_but_gaps_has_no_numbers():
    index = figures(result(1.0, 2.0, benchmark=np.array([math.nan, math.nan]), benchmark_name="The market")).benchmark

    assert index is not None
    assert (index.total_return, index.ahead, index.alpha, index.beta, index.sharpe) == (None,) * 5


def test_without_a_benchmark_nothing_is_compared():
    assert figures(result(100_000, 100_000)).benchmark is None


def test_trades_are_counted_when_they_are_closed():
    trades = figures(small()).trades

    assert (trades.closed, trades.wins, trades.losses, trades.hit_rate) == (1, 1, 0, 1.0)
    assert (trades.expectancy, trades.profit, trades.sessions) == (Decimal("1998.00"), Decimal(1_998), 1.0)
    assert (trades.open, trades.open_profit, trades.profit_factor) == (1, Decimal("-501.00"), None)


def test_expectancy_is_the_mean_of_wins_and_losses():
    days: list[date] = weekdays(4).tolist()
    made = [
        *(fill(days[0], "buy", "10", name, "100", fee="0") for name in ("A", "B", "C", "D")),
        fill(days[1], "sell", "10", "A", "130", fee="0"),
        fill(days[2], "sell", "10", "B", "90", fee="0"),
        fill(days[3], "sell", "10", "C", "95", fee="0"),
        fill(days[3], "sell", "10", "D", "100", fee="0"),
    ]
    trades = figures(result(*[100_000.0] * 4, executions=tuple(made))).trades

    assert (trades.closed, trades.wins, trades.losses, trades.hit_rate) == (4, 1, 2, 0.25)
    assert (trades.average_win, trades.average_loss) == (Decimal(300), Decimal(-75))
    assert (trades.profit_factor, trades.expectancy, trades.mean_gain) == (2.0, Decimal("37.50"), pytest.approx(0.0375))
    assert (trades.best, trades.worst, trades.sessions) == (Decimal(300), Decimal(-100), 2.25)


def test_profit_belongs_to_who_wanted_the_beginning_of_a_trade():
    assert figures(small()).attribution == (
        Attribution("sma_cross", 1, 1.0, Decimal(1_998), 0, Decimal(0), Decimal(2)),
        Attribution("momentum+sma_cross", 0, None, Decimal(0), 1, Decimal(-501), Decimal(1)),
    )


def test_profit_of_all_trades_is_the_profit_of_the_account():
    assert figures(small()).unattributed == 0
    assert figures(many_years()).unattributed == 0


def test_without_the_last_prices_open_trades_have_no_profit():
    found = figures(dataclasses.replace(small(), prices={}))

    assert (found.trades.open_profit, found.unattributed, found.attribution[1].total) == (None, None, None)


def test_months_are_those_of_the_equity():
    (month,) = figures(small()).months

    assert (month.year, month.month, month.value) == (2022, 1, pytest.approx(0.01497))


def test_no_session_has_no_numbers():
    found = figures(result())

    assert (found.sessions, found.first, found.last, found.profit) == (0, None, None, Decimal(0))
    assert [value for value in numbers(found) if value] == []


def numbers(record: object) -> Iterator[float]:
    """Return every number in a record and in those inside it, arrays left out."""
    if dataclasses.is_dataclass(record):
        for each in dataclasses.fields(record):
            yield from numbers(getattr(record, each.name))
    elif isinstance(record, tuple):
        for part in record:
            yield from numbers(part)
    elif isinstance(record, float):
        yield record


@given(st.lists(st.floats(-1e6, 1e7).map(lambda worth: round(worth, 2)), max_size=30), st.data())
def test_no_number_is_infinite_or_not_a_number(worth: list[float], data: st.DataObject):
    size = len(worth)
    closes = st.lists(
        st.one_of(st.integers(0, 10**8).map(lambda mills: mills / 1_000), st.just(math.nan)),
        min_size=size,
        max_size=size,
    )
    gross = data.draw(st.lists(st.floats(0, 1e6), min_size=size, max_size=size))

    found = figures(
        result(*worth, gross=np.array(gross, dtype=np.float64), benchmark=np.array(data.draw(closes), dtype=np.float64))
    )

    assert all(math.isfinite(number) for number in numbers(found))
