"""What a candidate is worth: one number for all windows, and that number in words.

The score is the mean of the criterion over all windows, each weighted with the square root of its length. The standard
error of a mean or of a Sharpe ratio falls with that root (Lo, 2002, The Statistics of Sharpe Ratios, Financial Analysts
Journal 58(4)), so that chance counts alike in short windows and long ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from trading_bot.domain.records import dataclass
from trading_bot.domain.tournament import Candidate, Criterion, Score, Seat, Team

SESSIONS_A_YEAR = 252
CLOSE_CALL = 1e-9  # scores that differ by rounding alone are equal

_WHAT = {
    Criterion.SHARPE: "Sharpe ratio",
    Criterion.SORTINO: "Sortino ratio",
    Criterion.RETURN: "return a year",
    Criterion.DRAWDOWN: "loss from the high",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate and its score over all windows; None: it cannot be told."""

    candidate: Candidate
    score: float | None
    volatility: float | None  # for a year, mean over the windows in which it is known

    @property
    def label(self) -> str:
        """The candidate in words."""
        return self.candidate.label

    def reaches(self, least: float) -> bool:
        """Say whether the score is known and `least` or more."""
        return self.score is not None and self.score >= least - CLOSE_CALL

    def beats(self, other: Standing, margin: float) -> bool:
        """Say whether the score exceeds the other's by more than `margin`."""
        return self.score is not None and self.score > (other.score or 0.0) + margin + CLOSE_CALL


def ranked(scores: Iterable[Score], criterion: Criterion) -> tuple[Standing, ...]:
    """Return every candidate once, best first; who has no score comes last, ties in the order of their labels."""
    by_label: dict[str, list[Score]] = {}
    for score in scores:
        by_label.setdefault(score.candidate.label, []).append(score)
    standings = [_standing(found, criterion) for found in by_label.values()]
    return tuple(sorted(standings, key=best_first))


def worth(score: Score, criterion: Criterion) -> float | None:
    """Return one window's number, more is better: a year's ratio or return, or the loss from the high, negative.

    A candidate that held nothing has 0. None: it cannot be computed.
    """
    if score.exposure == 0:
        return 0.0
    match criterion:
        case Criterion.SHARPE:
            return score.sharpe
        case Criterion.SORTINO:
            return score.sortino
        case Criterion.RETURN:
            return max(1 + score.total_return, 0.0) ** (SESSIONS_A_YEAR / score.window) - 1
        case Criterion.DRAWDOWN:
            return -score.drawdown


def _standing(scores: Sequence[Score], criterion: Criterion) -> Standing:
    in_order = sorted(scores, key=lambda score: score.window)  # floats are added in one order, whatever comes first
    known = [(math.sqrt(score.window), value) for score in in_order if (value := worth(score, criterion)) is not None]
    idle = all(score.exposure == 0 for score in scores)
    wild = [score.volatility for score in in_order if score.volatility]
    return Standing(
        candidate=scores[0].candidate,
        score=None
        if idle or not known
        else sum(root * value for root, value in known) / sum(root for root, _ in known),
        volatility=sum(wild) / len(wild) if wild else None,
    )


def best_first(standing: Standing) -> tuple[float, str]:
    """Return the key to sort by: the best score first, equal ones by label, unknown ones last."""
    return (math.inf if standing.score is None else -standing.score, standing.label)


def score_text(score: float | None, criterion: Criterion) -> str:
    """Return a score as people read it: `1.32` for a ratio, `+8.1%` for a return, `-12.5%` for a drawdown."""
    if score is None:
        return "unknown"
    if criterion in (Criterion.SHARPE, Criterion.SORTINO):
        return f"{score + 0.0:.2f}"
    return f"{score + 0.0:{'+' if criterion is Criterion.RETURN else ''}.1%}"


def what(criterion: Criterion) -> str:
    """Return what the score is: `Sharpe ratio`."""
    return _WHAT[criterion]


def chosen_by(team: Team) -> str:
    """Return who says so: `chosen by the rotation after 2022-01-03`."""
    return f"chosen by the rotation after {team.since}" if team.since else "from the settings (strategy.team)"


def team_text(team: Sequence[Seat]) -> str:
    """Return the team in a line: `momentum(…) 50%, sma_cross(…) 50%`, or `cash`."""
    return ", ".join(f"{seat.candidate.label} {seat.weight:.0%}" for seat in team) or "cash"
