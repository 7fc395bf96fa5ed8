from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.domain.tournament import Candidate, Criterion, Score
from trading_bot.tournament.ranking import combine, rank


def scored(name: str, window: int = 504, **values: float | None) -> Score:
    empty = Score(Candidate(name), window, None, None, 0.0, 0.0, None, 0.0, 0.0)
    return replace(empty, **values)


def names(ranked) -> list[str]:
    return [one.candidate.name for one in ranked]


@pytest.mark.parametrize(
    ("criterion", "best_first"),
    [
        (Criterion.SHARPE, ["b", "a", "c"]),
        (Criterion.SORTINO, ["a", "c", "b"]),
        (Criterion.RETURN, ["c", "b", "a"]),
        (Criterion.DRAWDOWN, ["a", "b", "c"]),
    ],
)
def test_the_best_by_the_criterion_comes_first(criterion, best_first):
    scores = [
        scored("a", sharpe=1.0, sortino=3.0, total_return=0.1, drawdown=0.05),
        scored("b", sharpe=2.0, sortino=None, total_return=0.2, drawdown=0.10),
        scored("c", sharpe=None, sortino=-1.0, total_return=0.3, drawdown=0.40),
    ]

    assert names(rank(scores, criterion)) == best_first
    assert names(rank(reversed(scores), criterion)) == best_first


def test_ties_go_by_label():
    assert names(rank([scored("b", sharpe=1.0), scored("a", sharpe=1.0)], Criterion.SHARPE)) == ["a", "b"]


def test_the_mean_place_over_the_windows_decides_not_the_size_of_the_values():
    scores = [
        scored("a", 504, sharpe=1.0), scored("a", 90, sharpe=0.5),
        scored("b", 504, sharpe=0.9), scored("b", 90, sharpe=0.6),
        scored("c", 504, sharpe=0.1), scored("c", 90, sharpe=9.0),
        scored("d", 504, sharpe=0.8), scored("d", 90, sharpe=0.4),
    ]  # fmt: skip

    order = combine(scores, Criterion.SHARPE)

    # places 1 and 3, 2 and 2, 4 and 1, 3 and 4: a and b are level, and a is better in the longer window
    assert [(one.candidate.name, one.place) for one in order] == [("a", 2.0), ("b", 2.0), ("c", 2.5), ("d", 3.5)]
    assert [score.window for score in order[0].scores] == [504, 90]
    assert order[0].score.sharpe == 1.0


def test_equal_values_share_their_places():
    order = combine([scored("a", sharpe=2.0), scored("b", sharpe=1.0), scored("c", sharpe=1.0)], Criterion.SHARPE)

    assert [one.place for one in order] == [1.0, 2.5, 2.5]


def test_a_missing_window_is_refused():
    with pytest.raises(ValueError, match="b has scores over \\[90\\] sessions, wanted \\[90, 504\\]"):
        combine([scored("a", 504), scored("a", 90), scored("b", 90)], Criterion.SHARPE)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-2, 2), st.integers(-2, 2)), unique_by=lambda x: x[0]))
def test_one_order_whatever_order_the_scores_come_in_and_who_is_better_everywhere_comes_before(drawn):
    scores = [scored(n, w, sharpe=float(v)) for n, *values in drawn for w, v in zip((504, 90), values, strict=True)]

    order = combine(scores, Criterion.SHARPE)

    assert combine(scores[::-1], Criterion.SHARPE) == order
    values = {name: both for name, *both in drawn}
    place = {one.candidate.name: number for number, one in enumerate(order)}
    for one, (long, short) in values.items():
        for other, (longer, shorter) in values.items():
            if long > longer and short > shorter:
                assert place[one] < place[other]
