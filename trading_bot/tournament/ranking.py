"""Who did best: by one criterion, and over several windows at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trading_bot.domain.tournament import Candidate, Criterion, Score


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place among all. `scores` has one for each window, the longest first."""

    candidate: Candidate
    place: float  # mean of its places over the windows; 1 is the best in each of them
    scores: tuple[Score, ...]

    @property
    def score(self) -> Score:
        """The score over the longest window."""
        return self.scores[0]


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


def combine(scores: Iterable[Score], criterion: Criterion) -> tuple[Ranked, ...]:
    """Return the candidates by their mean place over all windows, best first.

    Places, not values: a ratio of 90 sessions scatters more than twice as wide as one of 504, and would decide alone.
    Equal values share their places. Equal means go to the better place in the longer window, then by label.
    Source: Borda (1781), Mémoire sur les élections au scrutin; as rank aggregation in Dwork, Kumar, Naor & Sivakumar
    (2001), Rank Aggregation Methods for the Web, section 2.

    Raises:
        ValueError: a candidate lacks a window that another one has.
    """
    by_window: dict[int, list[Score]] = {}
    for score in scores:
        by_window.setdefault(score.window, []).append(score)
    windows = sorted(by_window, reverse=True)
    places = {window: _places(by_window[window], criterion) for window in windows}
    of: dict[str, dict[int, Score]] = {}
    for window in windows:
        for score in by_window[window]:
            of.setdefault(score.candidate.label, {})[window] = score
    for label, found in of.items():
        if len(found) != len(windows):
            raise ValueError(f"{label} has scores over {sorted(found)} sessions, wanted {sorted(windows)}")
    ranked = {label: _ranked(tuple(found[window] for window in windows), places) for label, found in of.items()}
    order = sorted(ranked, key=lambda label: (ranked[label].place, *(places[w][label] for w in windows), label))
    return tuple(ranked[label] for label in order)


def _ranked(scores: tuple[Score, ...], places: Mapping[int, Mapping[str, float]]) -> Ranked:
    candidate = scores[0].candidate
    found = [places[score.window][candidate.label] for score in scores]
    return Ranked(candidate, sum(found) / len(found), scores)


def _places(scores: Sequence[Score], criterion: Criterion) -> dict[str, float]:
    """Return label → place from 1 on; equal values share the mean of their places."""
    worth = {score.candidate.label: _worse_is_more(value(score, criterion)) for score in scores}
    order = sorted(worth.values())
    first = {one: order.index(one) + 1 for one in set(order)}
    return {label: first[one] + (order.count(one) - 1) / 2 for label, one in worth.items()}


def _worse_is_more(worth: float | None) -> float:
    return float("inf") if worth is None else -worth
