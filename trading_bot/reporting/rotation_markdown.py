"""A rotation as Markdown, for the artifact: the decision, the teams, and how every candidate did."""

from __future__ import annotations

from collections.abc import Sequence

from trading_bot.domain.merit import Standing, ranked, score_text, what
from trading_bot.domain.tournament import Criterion, Rotation, Score, Seat
from trading_bot.reporting.markdown import escaped, section

MOST_LISTED = 60  # candidates; the book has all of them

_TEAM_HEADS = ("Member", "Weight", "Before")


def rotation_markdown(rotation: Rotation, *, dry_run: bool = False) -> str:
    """Return the whole rotation. Candidates are listed best first, at most the first sixty."""
    standings = ranked(rotation.scores, rotation.criterion)
    parts = [
        f"# Rotation after {rotation.session}",
        "**Dry run: nothing was changed.**" if dry_run else "",
        escaped(rotation.reason),
        *section("Team", _TEAM_HEADS, _team(rotation)),
        *_scores(rotation, standings),
        _left_out(standings),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _team(rotation: Rotation) -> list[list[str]]:
    before = {seat.candidate.label: seat for seat in rotation.old}
    now = {seat.candidate.label: seat for seat in rotation.new}
    return [[label, _weight(now.get(label)), _weight(before.get(label))] for label in dict.fromkeys([*now, *before])]


def _weight(seat: Seat | None) -> str:
    return f"{seat.weight:.1%}" if seat else "–"


def _scores(rotation: Rotation, standings: Sequence[Standing]) -> list[str]:
    """Return a table with the score, then return, loss and turnover over each window."""
    windows = sorted({score.window for score in rotation.scores})
    found = {(score.candidate.label, score.window): score for score in rotation.scores}
    heads = ["Candidate", what(rotation.criterion).capitalize()]
    for window in windows:
        heads += [f"{window} sessions: {kind}" for kind in _kinds(rotation.criterion)]
    rows = [
        [standing.label, score_text(standing.score, rotation.criterion)]
        + [cell for window in windows for cell in _cells(found[standing.label, window], rotation.criterion)]
        for standing in standings[:MOST_LISTED]
    ]
    return section("Candidates", heads, rows)


def _kinds(criterion: Criterion) -> list[str]:
    ratio = {Criterion.SHARPE: ["Sharpe"], Criterion.SORTINO: ["Sortino"]}.get(criterion, [])
    return [*ratio, "return", "loss from the high", "turnover a year"]


def _cells(score: Score, criterion: Criterion) -> list[str]:
    ratios = {Criterion.SHARPE: [score.sharpe], Criterion.SORTINO: [score.sortino]}.get(criterion, [])
    told = [score_text(ratio, criterion) for ratio in ratios]
    return [*told, f"{score.total_return:+.1%}", f"{-score.drawdown + 0.0:.1%}", f"{score.turnover:.1f}"]


def _left_out(standings: Sequence[Standing]) -> str:
    more = len(standings) - MOST_LISTED
    return f"{more:,} more are in the view `v_rotation_scores` of the book." if more > 0 else ""
