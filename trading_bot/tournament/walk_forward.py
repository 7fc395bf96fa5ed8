"""Choosing again and again, as the rotation does, and earning only on sessions that the choice did not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory, SessionAxis
from trading_bot.domain.ports import Strategy
from trading_bot.domain.sharing import sharing
from trading_bot.domain.tournament import Candidate, Criterion, Score
from trading_bot.domain.tournament_result import Step
from trading_bot.tournament.earnings import earnings, held, session_returns
from trading_bot.tournament.grid import Build
from trading_bot.tournament.ranking import rank
from trading_bot.tournament.scoring import BEFORE, USUAL, ScoringTerms, record, score, scores_of


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """What choosing by the past would have earned. `returns` belong to `sessions`, (R,)."""

    sessions: SessionAxis
    returns: FloatVector  # from close to close, costs of every change of mind taken off
    of_all: FloatVector  # the same sessions for an equal part in each candidate, without choosing
    steps: tuple[Step, ...]  # oldest first


def walk_forward(
    history: MarketHistory,
    candidates: Sequence[Candidate],
    build: Build,
    criterion: Criterion,
    *,
    train: int = 504,
    test: int = 21,
    terms: ScoringTerms = USUAL,
) -> WalkForward:
    """Choose the best of the last `train` sessions, follow it for `test` sessions, choose anew, up to the end.

    Each candidate's opinion is formed once on the whole history; it knows nothing of later rows. What the chosen one
    wants is stitched to one portfolio, so a change of candidate is traded, and paid for, like any other change.
    Source of the scheme: Pardo (1992), Design, Testing, and Optimization of Trading Systems, ch. on walk-forward
    analysis; rolling windows as in Bergmeir & Benítez (2012), Information Sciences 191.

    Raises:
        DataError: there are no `test` sessions after the first `train`.
        PluginError: a candidate cannot be built.
    """
    total, first = len(history.sessions), BEFORE + train  # the row of the first session that is earned on
    if total < first + test or not candidates:
        raise DataError(
            f"Walking forward by {test} sessions after {train} needs {first + test} sessions of prices and a candidate;"
            f" there are {total} sessions and {len(candidates)} candidates."
        )
    earned = earnings(history)
    strategies = {one.label: build(one.name, one.options) for one in candidates}
    with sharing():
        records = [record(history, strategies[one.label], earned, terms) for one in candidates]
    steps: list[Step] = []
    for row in range(first, total, test):
        # A record begins with the return of row `BEFORE`; what the choice knows ends with the row before `row`.
        known = [one.part(slice(row - first, row - BEFORE)) for one in records]
        best = rank(scores_of(candidates, known, train), criterion)[0]
        chosen_on = history.sessions[row - 1].astype(object)
        steps.append(Step(chosen_on, best.candidate, best, min(test, total - row)))
    wanted = _stitched(history, steps, strategies, first)
    followed = session_returns(held(wanted[:-1], earned, short=terms.short), cost_bps=terms.cost_bps)
    of_all = np.mean([one.returns[train:] for one in records], axis=0)
    return WalkForward(history.sessions[first:], followed[train:], of_all, tuple(steps))


def _stitched(
    history: MarketHistory, steps: Sequence[Step], strategies: Mapping[str, Strategy], first: int
) -> FloatMatrix:
    """Return the exposure, (T, N), of whoever was chosen at the time; 0 before the first choice.

    One opinion at a time: those of all candidates together would not fit into memory.
    """
    wanted = np.zeros(history.close.shape)
    for label in {step.candidate.label for step in steps}:
        exposure = strategies[label].opinion(history).exposure
        row = first - 1  # decided at the close before, in place from the next open on
        for step in steps:
            if step.candidate.label == label:
                wanted[row : row + step.sessions] = exposure[row : row + step.sessions]
            row += step.sessions
    return wanted


def cost_sensitivity(
    history: MarketHistory,
    candidate: Candidate,
    build: Build,
    *,
    window: int = 504,
    terms: ScoringTerms = USUAL,
    multiples: Sequence[float] = (0.0, 1.0, 2.0, 4.0),
) -> tuple[tuple[float, Score], ...]:
    """Return the candidate's score at multiples of the costs: what vanishes at twice the costs was never there."""
    dearer = [(times, replace(terms, cost_bps=terms.cost_bps * times)) for times in multiples]
    return tuple(
        (times, score(history, [candidate], build, windows=[window], terms=costs)[0]) for times, costs in dearer
    )
