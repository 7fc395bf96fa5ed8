"""Where an equity curve fell, and what each month brought."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.domain.curves import Fall, MonthReturn, deepest_fall, monthly_returns, years_of


def fall(*worth: float) -> Fall:
    found = deepest_fall(np.array(worth, dtype=np.float64))
    assert found is not None
    return found


def test_a_fall_has_a_high_a_bottom_and_an_end():
    assert fall(100, 120, 90, 96, 125, 100) == Fall(depth=0.25, high=1, bottom=2, recovered=4, sessions=3, current=0.2)


def test_a_fall_that_is_not_over_lasts_until_now():
    assert fall(100, 80, 90) == Fall(depth=0.2, high=0, bottom=1, recovered=None, sessions=2, current=0.1)


def test_a_fall_begins_at_the_newest_of_equal_highs():
    assert (fall(100, 100, 75, 100).high, fall(100, 100, 75, 100).sessions) == (1, 2)


def test_the_first_of_equally_deep_falls_counts():
    assert fall(100, 50, 100, 50).bottom == 1


def test_what_never_fell_has_a_fall_of_nought():
    assert (fall(100, 100, 101).depth, fall(100, 100, 101).sessions) == (0.0, 0)


@pytest.mark.parametrize("worth", [[], [100.0], [0.0, 1.0], [-1.0, 1.0]])
def test_without_a_session_or_an_opening_there_is_no_fall(worth: list[float]):
    assert deepest_fall(np.array(worth)) is None


@given(st.lists(st.integers(1, 50), min_size=2, max_size=40))
def test_a_fall_is_the_worst_way_from_any_row_to_a_later_one(amounts: list[int]):
    worth = np.array(amounts, dtype=np.float64)

    found = fall(*worth)

    worst = max(1 - late / early for row, early in enumerate(worth) for late in worth[row:])
    assert found.depth == pytest.approx(worst)
    assert found.high <= found.bottom <= (len(worth) - 1 if found.recovered is None else found.recovered)
    assert found.depth == pytest.approx(1 - worth[found.bottom] / worth[found.high])


def test_a_month_counts_from_the_last_worth_of_the_month_before():
    sessions = np.array(["2021-12-30", "2021-12-31", "2022-01-03", "2022-01-31", "2022-02-01"], dtype="datetime64[D]")
    worth = np.array([100.0, 100.0, 110.0, 99.0, 121.0, 60.5])

    found = monthly_returns(sessions, worth)

    assert [(month.year, month.month) for month in found] == [(2021, 12), (2022, 1), (2022, 2)]
    assert [month.value for month in found] == pytest.approx([0.1, 0.1, -0.5])


def test_no_session_has_no_month():
    assert monthly_returns(np.empty(0, dtype="datetime64[D]"), np.array([100.0])) == ()


def test_a_month_that_begins_with_nothing_is_left_out():
    sessions = np.array(["2022-01-31", "2022-02-01"], dtype="datetime64[D]")

    assert monthly_returns(sessions, np.array([100.0, 0.0, 50.0])) == (MonthReturn(2022, 1, -1.0),)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=200), st.integers(0, 400))
def test_months_follow_each_other_and_compound_to_the_whole(amounts: list[int], first: int):
    sessions = np.arange(first, first + len(amounts)).astype("datetime64[D]")
    worth = np.array([100, *amounts], dtype=np.float64)

    found = monthly_returns(sessions, worth)

    assert all((a.year, a.month) < (b.year, b.month) for a, b in pairwise(found))
    assert np.prod([1 + month.value for month in found]) == pytest.approx(worth[-1] / 100)


def test_a_year_compounds_its_months():
    months = (MonthReturn(2021, 12, 0.1), MonthReturn(2022, 1, 0.5), MonthReturn(2022, 2, -0.5))

    assert [(year.year, len(year.months)) for year in years_of(months)] == [(2021, 1), (2022, 2)]
    assert [year.value for year in years_of(months)] == pytest.approx([0.1, -0.25])
