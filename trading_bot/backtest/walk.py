"""Walking forward through a contest, beside what those earned over the same sessions who did not choose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from trading_bot.core.rotation.steps import Contest
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatVector, SessionAxis
from trading_bot.domain.performance import (
    annual_return_by_sessions,
    known,
    max_drawdown,
    returns_of,
    sharpe,
    total_return,
)
from trading_bot.domain.ports import RawBars
from trading_bot.domain.tournament import Criterion
from trading_bot.domain.tournament_result import Earned, Walk
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.earnings import earnings, held, session_returns
from trading_bot.tournament.scoring import BEFORE
from trading_bot.tournament.walk_forward import walk_forward

TEST = 21  # sessions until the next choice: a month


def walk(contest: Contest, criterion: Criterion, raw: RawBars) -> Walk:
    """Choose by the longest window that leaves a month of prices, again and again, and say what came of it.

    Raises:
        DataError: no window leaves a month.
    """
    train = _train(contest)
    found = walk_forward(
        contest.history, contest.candidates, STRATEGIES.build, criterion, train=train, test=TEST, terms=contest.terms
    )
    first, last = found.sessions[[0, -1]].tolist()
    return Walk(
        train=train,
        test=TEST,
        first=first,
        last=last,
        steps=found.steps,
        chosen=earned_by("the chosen one", found.returns),
        of_all=earned_by("an equal part in each candidate", found.of_all),
        others=tuple(_others(contest, raw, found.sessions)),
    )


def earned_by(name: str, returns: FloatVector) -> Earned:
    """Return what session returns, (R,), come to."""
    worth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    return Earned(
        name=name,
        total_return=known(total_return(worth)),
        annual_return=known(annual_return_by_sessions(worth)),
        sharpe=known(sharpe(returns)),
        drawdown=known(max_drawdown(worth)),
    )


def _train(contest: Contest) -> int:
    sessions = len(contest.history.sessions)
    enough = [window for window in contest.windows if BEFORE + window + TEST <= sessions]
    if not enough:
        first: date = contest.history.sessions[0].item()
        raise DataError(
            f"--walk-forward chooses by {contest.windows[0]} sessions and follows for {TEST}, which needs "
            f"{BEFORE + contest.windows[0] + TEST} sessions of prices; from {first} on there are {sessions}. "
            "Begin earlier with --from, or name a shorter one with --set rotation.windows=[…]."
        )
    return enough[-1]


def _others(contest: Contest, raw: RawBars, sessions: SessionAxis) -> Iterator[Earned]:
    earned = earnings(contest.history)
    everything = held(np.ones((len(earned.parts), len(contest.history.symbols))), earned, short=False)
    returns = session_returns(everything, cost_bps=contest.terms.cost_bps)[-len(sessions) :]
    yield earned_by("an equal part in each stock", returns)
    if raw.benchmark is not None:
        closes = raw.benchmark[np.isin(raw.sessions, contest.history.sessions[-len(sessions) - 1 :])]
        yield earned_by(raw.benchmark_name or "the benchmark", returns_of(closes[np.isfinite(closes)]))
