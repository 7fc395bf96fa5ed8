from __future__ import annotations

from dataclasses import replace

import pytest

from trading_bot.domain.tournament import Candidate, Criterion, Score
from trading_bot.tournament.ranking import rank


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
