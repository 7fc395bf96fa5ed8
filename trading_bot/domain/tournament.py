"""Candidates for the team, how well they did, and who is chosen: the words of tournament and rotation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Any

from trading_bot.domain.records import dataclass


class Criterion(StrEnum):
    """What candidates are ranked by; the best comes first."""

    SHARPE = "sharpe"
    SORTINO = "sortino"
    RETURN = "return"
    DRAWDOWN = "drawdown"  # the smallest one is the best


class Frequency(StrEnum):
    """After which sessions the team is chosen anew."""

    DAILY = "daily"
    WEEKLY = "weekly"  # the last session of a week
    MONTHLY = "monthly"


class Weighting(StrEnum):
    """How much the vote of each member counts."""

    EQUAL = "equal"
    SCORE = "score"  # in proportion to the score
    INVERSE_VOLATILITY = "inverse-volatility"  # the calmer, the more


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy with options, as it may join the team."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def label(self) -> str:
        """The candidate in words, the same for the same options: `sma_cross(fast=10, slow=30)`."""
        listed = ", ".join(f"{name}={self.options[name]}" for name in sorted(self.options))
        return f"{self.name}({listed})" if listed else self.name


@dataclass(frozen=True, slots=True)
class Score:
    """How one candidate did over the last `window` sessions, after costs. None: cannot be computed."""

    candidate: Candidate
    window: int  # sessions
    sharpe: float | None  # for a year
    sortino: float | None  # for a year
    total_return: float  # 0.1 is 10 %
    drawdown: float  # share of the high that was lost at the worst, in [0, 1]
    volatility: float | None  # for a year
    exposure: float  # mean share of equity invested, long and short added up
    turnover: float  # equity traded one way, in multiples of equity a year


@dataclass(frozen=True, slots=True)
class Seat:
    """A candidate in the team, and its weight. Weights of a team add up to 1; an empty team holds cash."""

    candidate: Candidate
    weight: float


@dataclass(frozen=True, slots=True)
class Team:
    """Who decides now, and who says so."""

    seats: tuple[Seat, ...]  # empty: the bot holds cash
    since: date | None  # the session after which a rotation chose it; None: the settings did


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation: who was in the team, who is in it now, and why."""

    session: date
    old: tuple[Seat, ...]
    new: tuple[Seat, ...]  # empty: nothing qualified, so the bot holds cash
    scores: tuple[Score, ...]  # of every candidate and window, best first by the criterion
    criterion: Criterion
    reason: str  # in words

    @property
    def changed(self) -> bool:
        """Whether the new team differs from the old one, weights included."""
        return self.old != self.new
