"""Finding strategies that know tomorrow: the same question with and without the sessions to come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from trading_bot.domain.market import FloatMatrix, MarketHistory, Symbol
from trading_bot.domain.ports import Opinion

CUTS = 24  # histories of different lengths that are asked about
NEAR = 30  # sessions: what looks further ahead takes its number from the whole history
EXPOSURE = "exposure"


@dataclass(frozen=True, slots=True)
class LookAhead:
    """The first number that was another one before its future was known."""

    row: int
    session: date
    symbol: Symbol
    number: str  # "exposure", or the name of an evidence
    known_then: float  # what it was with `kept` sessions only
    known_later: float  # what it was with all of them
    kept: int
    reach: int  # sessions from the first number that changed to the cut, the most of all cuts

    @property
    def size(self) -> float:
        """How much the number changed; NaN where it was unknown then or later."""
        return abs(self.known_later - self.known_then)

    @property
    def is_near(self) -> bool:
        """Whether only the last sessions before a cut changed, as when a row reads the rows after it."""
        return self.reach <= NEAR


def look_ahead(opinion: Callable[[MarketHistory], Opinion], bars: MarketHistory) -> LookAhead | None:
    """Return the first number of the opinion that depends on later sessions, or None. Bit for bit, NaN equals NaN."""
    sessions = len(bars.sessions)
    whole = _numbers(opinion(bars))
    found = [
        change
        for kept in _cuts(sessions)
        if (change := _first_change(whole, _numbers(opinion(bars.rows(slice(0, kept)))), kept)) is not None
    ]
    if not found:
        return None
    row, column, number, known_then, known_later, kept = min(found, key=lambda change: (change[0], change[5]))
    return LookAhead(
        row=row,
        session=bars.sessions[row].item(),
        symbol=bars.symbols[column],
        number=number,
        known_then=known_then,
        known_later=known_later,
        kept=kept,
        reach=max(change[5] - change[0] for change in found),
    )


def _cuts(sessions: int) -> Iterable[int]:
    """Return how many sessions are kept: all over the history, and the last ones."""
    spread = {1 + (sessions - 2) * place // (CUTS - 1) for place in range(CUTS)}
    return sorted(kept for kept in {*spread, sessions - 1, sessions - 2, sessions - 3} if 0 < kept < sessions)


_Change = tuple[int, int, str, float, float, int]  # row, column, number, known then, known later, kept


def _numbers(opinion: Opinion) -> list[tuple[str, FloatMatrix]]:
    return [(EXPOSURE, opinion.exposure), *opinion.evidence.items()]


def _first_change(
    whole: list[tuple[str, FloatMatrix]], part: list[tuple[str, FloatMatrix]], kept: int
) -> _Change | None:
    """Return the first difference, in the exposure where there is one there."""
    for (name, later), (_, then) in zip(whole, part, strict=True):
        for row, column in _differences(later[:kept], then):
            return row, column, name, float(then[row, column]), float(later[row, column]), kept
    return None


def _differences(later: FloatMatrix, then: FloatMatrix) -> Iterator[tuple[int, int]]:
    different = (later != then) & ~(np.isnan(later) & np.isnan(then))
    for row, column in np.argwhere(different):
        yield int(row), int(column)
