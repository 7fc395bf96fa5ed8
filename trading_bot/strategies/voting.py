"""Who votes in a team, and what each says on the newest session."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.opinions import asked
from trading_bot.domain.ports import Explains, Strategy
from trading_bot.domain.records import dataclass

Scores = NDArray[np.float64]  # (N,)


class Said(NamedTuple):
    """What a strategy says on one session."""

    exposure: Scores  # (N,)
    evidence: Mapping[str, FloatMatrix]  # (T, N)
    row: int  # of the evidence, which the session is
    remarks: Mapping[int, str]  # by column


@dataclass(frozen=True, slots=True)
class Member:
    """One strategy of the team and how much its vote counts."""

    name: str
    weight: float  # > 0; only its share of all weights matters
    strategy: Strategy
    # What it says on the newest session, where it was asked for many at once before; None: it is asked each time.
    foreseen: Callable[[MarketHistory], Said] | None = field(default=None, repr=False, compare=False)
    words: Explains | None = field(init=False, repr=False, compare=False)  # the strategy, where it words its reasons

    def __post_init__(self) -> None:
        """Look once whether the strategy words its reasons: looking takes longer than wording."""
        object.__setattr__(self, "words", self.strategy if isinstance(self.strategy, Explains) else None)


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """A member's opinion on the last session."""

    member: Member
    said: Said

    def exposure_of(self, column: int) -> float:
        """Return the exposure to one symbol."""
        return self.said.exposure.item(column)

    def evidence_for(self, column: int) -> dict[str, float]:
        """Return the numbers behind the exposure to one symbol."""
        return {name: float(values[self.said.row, column]) for name, values in self.said.evidence.items()}

    def reason(self, column: int) -> str:
        """Return who says what of one symbol, and why."""
        exposure, evidence = self.exposure_of(column), self.evidence_for(column)
        if self.member.words is not None:
            words = self.member.words.reason(evidence, exposure)
        else:
            numbers = ", ".join(f"{name} {_number(value)}" for name, value in evidence.items())
            words = f"exposure {exposure:+.2f} ({numbers or 'no evidence given'})"
        return f"{self.member.name}: {words}{self.said.remarks.get(column, '')}"


def asked_now(member: Member, history: MarketHistory) -> Vote:
    """Return what a member says on the last session of a history.

    Raises:
        WrongAnswer: its strategy failed, or answered with what is no opinion.
    """
    if member.foreseen is not None:
        return Vote(member, member.foreseen(history))
    opinion = asked(member.name, member.strategy, history, newest_alone=True)
    # Copies, so that the sessions before are let go and the next strategy works in the same memory.
    evidence = {name: values[-1:].copy() for name, values in opinion.evidence.items()}
    return Vote(member, Said(opinion.exposure[-1].astype(np.float64), evidence, -1, opinion.remarks))


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "unknown"
