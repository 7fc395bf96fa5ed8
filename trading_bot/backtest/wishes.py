"""What a team wants on every session at once: its opinions, combined and turned into shares of equity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.backtest import Sizing, Terms
from trading_bot.domain.market import FloatMatrix, MarketHistory, Symbol
from trading_bot.domain.opinions import asked
from trading_bot.domain.ports import Explains, Opinion
from trading_bot.strategies.indicators import TIE
from trading_bot.strategies.manager import Targets
from trading_bot.strategies.voting import Member


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """What is wanted at the close of each session of a history, T sessions and N symbols."""

    scores: FloatMatrix  # (T, N), weighted means of the members' exposures
    weights: FloatMatrix  # (T, N), share of equity each position should have; for ALL_IN before the cash buffer
    team: tuple[Member, ...]
    opinions: tuple[Opinion, ...]  # one of each member

    def in_favour(self, row: int, column: int, wanted: float) -> tuple[Member, ...]:
        """Return the members whose opinion points where the team goes."""
        pairs = zip(self.team, self.opinions, strict=True)
        return tuple(member for member, said in pairs if (said.exposure[row, column] > 0) == (wanted > 0))

    def reason(self, row: int, column: int, wanted: float) -> str:
        """Say in a sentence what is wanted, and why."""
        head = "no longer wanted" if wanted == 0 else f"wanted at {wanted:.1%} of equity"
        words = [self._words(member, row, column) for member in self.in_favour(row, column, wanted)]
        return f"{head}; {'; '.join(words)}" if words else head

    def _words(self, member: Member, row: int, column: int) -> str:
        opinion = self.opinions[self.team.index(member)]
        exposure = float(opinion.exposure[row, column])
        evidence = {name: float(values[row, column]) for name, values in opinion.evidence.items()}
        if isinstance(member.strategy, Explains):
            return f"{member.name}: {member.strategy.reason(evidence, exposure)}"
        return f"{member.name}: exposure {exposure:+.2f}"


def wishes(history: MarketHistory, team: tuple[Member, ...], targets: Targets, terms: Terms) -> Wishes:
    """Ask every member once, and combine the answers for every session.

    Raises:
        WrongAnswer: a strategy failed, or answered with what is no opinion.
    """
    opinions = tuple(asked(member.name, member.strategy, history) for member in team)
    total = sum(member.weight for member in team)
    votes = [m.weight / total * each.exposure for m, each in zip(team, opinions, strict=True)]
    scores: FloatMatrix = np.sum(votes, axis=0)
    if not terms.short:
        scores = np.maximum(scores, 0.0)
    if terms.sizing is Sizing.ALL_IN:
        return Wishes(scores, np.round(scores, 9) / max(len(history.symbols), 1), team, opinions)
    usable = np.isfinite(history.close)
    return Wishes(scores, weighted(scores, usable, history.symbols, targets, terms.cash_buffer), team, opinions)


def weighted(
    scores: FloatMatrix, usable: NDArray[np.bool_], symbols: Sequence[Symbol], targets: Targets, buffer: Decimal
) -> FloatMatrix:
    """Return the wanted weights, (T, N), by the rules of `StrategyManager`: of each session the best-scored symbols.

    Ranked are sizes, so that a short wish counts as much as a long one; ties go by symbol.
    """
    rounded = np.round(np.abs(scores), 9)  # votes that sum to 0.9 pass a minimum of 0.9
    eligible = usable & (rounded >= max(targets.min_score, TIE))
    alphabetical = np.argsort(np.argsort(np.array(symbols, dtype=str)))
    keys = (np.broadcast_to(alphabetical, scores.shape), np.where(eligible, -rounded, np.inf))
    best = np.lexsort(keys, axis=-1)[:, : targets.max_candidates]
    chosen = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(chosen, best, values=True, axis=1)
    weights = np.where(chosen & eligible, scores * float(targets.position_weight), 0.0)
    gross = _sums(np.abs(np.take_along_axis(weights, best, axis=1)))
    most = float(min(targets.max_gross_exposure, 1 - buffer))
    scale = np.minimum(1.0, np.divide(most, gross, out=np.ones_like(gross), where=gross > 0))
    return weights * scale[:, None]


def _sums(rows: FloatMatrix) -> NDArray[np.float64]:
    """Return the sum of each row as Python adds it, which is how the live bot does it: from 3.12 on, that differs."""
    return np.array([sum(row) for row in rows.tolist()], dtype=np.float64)
