"""Who did best over one window, by one criterion. `domain/merit.py` has the number for several windows."""

from __future__ import annotations

from collections.abc import Iterable

from trading_bot.domain.tournament import Criterion, Score


def value(score: Score, criterion: Criterion) -> float | None:
    """Return what a score is worth by the criterion, more is better; None: it cannot be computed."""
    match criterion:
        case Criterion.SHARPE:
            return score.sharpe
        case Criterion.SORTINO:
            return score.sortino
        case Criterion.RETURN:
            return score.total_return
        case Criterion.DRAWDOWN:
            return -score.drawdown


def rank(scores: Iterable[Score], criterion: Criterion) -> tuple[Score, ...]:
    """Return scores of one window, best first. What cannot be computed comes last; ties go by label."""
    return tuple(sorted(scores, key=lambda score: (_worse_is_more(value(score, criterion)), score.candidate.label)))


def _worse_is_more(worth: float | None) -> float:
    return float("inf") if worth is None else -worth
