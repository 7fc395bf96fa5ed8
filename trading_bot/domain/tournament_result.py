"""What a comparison of candidates came to, and how far to believe it: who is best, whether by luck, at what costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from trading_bot.domain.backtest import Fingerprints
from trading_bot.domain.merit import Standing, ranked
from trading_bot.domain.records import dataclass
from trading_bot.domain.tournament import Candidate, Criterion, Score


@dataclass(frozen=True, slots=True)
class Luck:
    """The winner's Sharpe ratio against the one that the best of so many has by luck alone. Ratios are for a year."""

    trials: int  # candidates that were looked at
    window: int  # sessions
    sharpe: float
    expected_by_luck: float  # the highest ratio that as many candidates without skill are expected to show
    probability: float  # the deflated Sharpe ratio, in [0, 1]: that the true ratio is above `expected_by_luck`


@dataclass(frozen=True, slots=True)
class Step:
    """One choice: made at the close of `chosen_on`, in place for the sessions after it."""

    chosen_on: date
    candidate: Candidate
    promised: Score  # over the sessions it was chosen by
    sessions: int  # how many it was in place for


@dataclass(frozen=True, slots=True)
class Earned:
    """What something came to over the sessions that were walked. None: cannot be computed."""

    name: str
    total_return: float | None  # 0.1 is 10 %
    annual_return: float | None  # by sessions
    sharpe: float | None  # for a year
    drawdown: float | None  # share of the high that was lost at the worst, in [0, 1]


@dataclass(frozen=True, slots=True)
class Walk:
    """What choosing by the past would have earned, and what those earned who did not choose."""

    train: int  # sessions that each choice knows
    test: int  # sessions until the next choice
    first: date
    last: date
    steps: tuple[Step, ...]  # oldest first
    chosen: Earned
    of_all: Earned  # an equal part in each candidate
    others: tuple[Earned, ...]  # who needed no strategy: every stock held, the benchmark


@dataclass(frozen=True, slots=True)
class AtCosts:
    """How the winner did at a multiple of the costs."""

    times: float
    score: Score


@dataclass(frozen=True, slots=True)
class TournamentResult:
    """Candidates compared over windows that end with the newest session, after costs."""

    first: date  # the oldest session that was looked at
    last: date
    symbols: int
    source: str
    criterion: Criterion
    windows: tuple[int, ...]  # sessions, ascending
    costs_bps: float  # hundredths of a per cent of the dollars traded
    scores: tuple[Score, ...]  # one for each candidate and window
    refused: Mapping[str, str]  # label of a combination that its strategy refuses → why
    luck: Luck | None  # None: the winner's returns do not vary
    walk: Walk | None  # None: not asked for
    at_costs: tuple[AtCosts, ...]  # over the longest window; empty: not asked for
    notes: tuple[str, ...]  # what else to doubt, in sentences
    fingerprints: Fingerprints

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Every candidate, best first: the order in which the rotation sees them."""
        return ranked(self.scores, self.criterion)
