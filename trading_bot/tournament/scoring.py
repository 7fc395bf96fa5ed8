"""How well candidates did over the last sessions, after costs: each opinion is formed once, for every window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatVector, MarketHistory
from trading_bot.domain.opinions import asked
from trading_bot.domain.performance import (
    SESSIONS_A_YEAR,
    known,
    max_drawdown,
    sharpe,
    sortino,
    total_return,
    volatility,
)
from trading_bot.domain.ports import Strategy
from trading_bot.domain.sharing import sharing
from trading_bot.domain.tournament import Candidate, Score
from trading_bot.tournament.earnings import Earnings, earnings, held, session_returns
from trading_bot.tournament.grid import Build
from trading_bot.tournament.memory import keep_freed_memory

WINDOWS = (90, 504)  # sessions
A_MONTH = 23  # sessions, at most: whoever decides on the first of one may have to wait as long for it
BEFORE = 2  # sessions before the first return: it depends on what was decided at both of their closes


@dataclass(frozen=True, slots=True)
class ScoringTerms:
    """What every candidate is scored with. `earnings` has the rules of the portfolio."""

    cost_bps: float = 5.0  # slippage and commission together, hundredths of a per cent of the dollars traded
    short: bool = False  # False: a negative exposure wants nothing, as in the live bot
    lead_in: int = 285  # sessions before the window that a strategy may look at, at least: a year, a month, some more


USUAL = ScoringTerms()


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What one candidate did on each of the last R sessions, (R,)."""

    returns: FloatVector  # from close to close, costs taken off
    traded: FloatVector  # dollars that changed hands, per dollar of equity
    gross: FloatVector  # share of equity invested, long and short added up

    def part(self, rows: slice) -> Record:
        """Return some of the sessions."""
        return Record(self.returns[rows], self.traded[rows], self.gross[rows])


def score(
    history: MarketHistory,
    candidates: Sequence[Candidate],
    build: Build,
    *,
    windows: Sequence[int] = WINDOWS,
    terms: ScoringTerms = USUAL,
) -> tuple[Score, ...]:
    """Return one score for each candidate and window, in that order: the windows end with the newest session.

    A candidate's scores depend on nothing but itself, so candidates may be scored in any portions, bit for bit.

    Raises:
        DataError: the history is too short for the longest window.
        PluginError: a candidate cannot be built.
        WrongAnswer: a strategy failed, or answered with what is no opinion.
    """
    longest = max(windows)
    if len(history.sessions) < longest + BEFORE:
        raise DataError(
            f"A window of {longest} sessions needs {longest + BEFORE} sessions of prices, "
            f"and there are {len(history.sessions)}."
        )
    keep_freed_memory()
    earned = earnings(history.rows(slice(-longest - BEFORE, None)))
    warm = {candidate.label: _lead_in(candidate, terms) for candidate in candidates}
    seen = {lead_in: history.rows(slice(-longest - BEFORE - lead_in, None)) for lead_in in warm.values()}
    with sharing():
        records = [
            record(seen[warm[candidate.label]], build(candidate.name, candidate.options), earned, terms)
            for candidate in candidates
        ]
    by_window = [scores_of(candidates, records, window) for window in windows]
    return tuple(score for of_one in zip(*by_window, strict=True) for score in of_one)


def record(history: MarketHistory, strategy: Strategy, earned: Earnings, terms: ScoringTerms) -> Record:
    """Return what `strategy` did on the sessions of `earned`, which are the newest ones of `history`."""
    exposure = asked(repr(strategy), strategy, history).exposure
    rows = held(exposure[-len(earned.parts) - 1 : -1], earned, short=terms.short)
    return Record(session_returns(rows, cost_bps=terms.cost_bps), rows.traded[1:], rows.gross[1:])


def recent(
    history: MarketHistory, candidate: Candidate, build: Build, *, window: int, terms: ScoringTerms = USUAL
) -> Record:
    """Return what a candidate did on each of the last `window` sessions: what its score over them is made of."""
    seen = history.rows(slice(-sessions_seen(candidate, window, terms), None))
    earned = earnings(history.rows(slice(-window - BEFORE, None)))
    return record(seen, build(candidate.name, candidate.options), earned, terms)


def sessions_seen(candidate: Candidate, longest: int, terms: ScoringTerms) -> int:
    """Return how many of the newest sessions scoring the candidate over `longest` of them looks at."""
    return longest + BEFORE + _lead_in(candidate, terms)


def _lead_in(candidate: Candidate, terms: ScoringTerms) -> int:
    """Return how many sessions before the window the candidate is shown, so that it is warm when the window begins.

    Whole numbers among the options count sessions: a longer one lengthens what is seen, by a month more than itself.
    """
    return max(terms.lead_in, A_MONTH + max(_whole_numbers(candidate.options), default=0))


def _whole_numbers(option: object) -> Iterator[int]:
    """Yield every whole number in an option, those of strategies within strategies too."""
    match option:
        case int():
            yield option
        case Mapping():
            for value in cast("Mapping[object, object]", option).values():
                yield from _whole_numbers(value)
        case list() | tuple():
            for value in cast("Sequence[object]", option):
                yield from _whole_numbers(value)
        case _:
            pass


def scores_of(candidates: Sequence[Candidate], records: Sequence[Record], window: int) -> list[Score]:
    """Measure all candidates at once over the last `window` sessions of their records; one score each, in order."""
    # Candidates as rows in memory: each one's numbers are added up in the same order however many there are.
    returns = np.array([one.returns[-window:] for one in records]).T
    traded = np.array([one.traded[-window:] for one in records]).T
    gross = np.array([one.gross[-window:] for one in records]).T
    worth = np.ones((len(records), returns.shape[0] + 1)).T
    np.cumprod(1.0 + returns, axis=0, out=worth[1:])
    gained = total_return(worth)
    table = zip(
        map(known, sharpe(returns)),
        map(known, sortino(returns)),
        np.where(np.isfinite(gained), gained, -1.0).tolist(),  # what was lost whole is not earned with later
        max_drawdown(worth).tolist(),
        map(known, volatility(returns)),
        np.mean(gross, axis=0).tolist(),
        (np.mean(traded, axis=0) / 2 * SESSIONS_A_YEAR).tolist(),
        strict=True,
    )
    return [Score(candidate, window, *row) for candidate, row in zip(candidates, table, strict=True)]
