"""Five positions that move as one are one position."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory, Symbol
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, passed, refused

FEWEST_RETURNS = 20  # a correlation over fewer common sessions says nothing


@risk_rule("correlated_positions")
@dataclass(frozen=True, slots=True)
class CorrelatedPositions:
    """Refuse a new position that moves together with `max_correlated_positions` others.

    Two symbols move together when Pearson's correlation of their daily returns over the last `window`
    sessions is above `correlation_threshold` (Pearson, 1895; window as in RiskMetrics, 1996, section 5.3:
    about three months).
    """

    max_correlated_positions: Annotated[int, Gt(0)] = 3
    correlation_threshold: Annotated[float, Ge(0), Le(1)] = 0.7
    window: Annotated[int, Gt(FEWEST_RETURNS)] = 60  # sessions
    stage: ClassVar[Stage] = Stage.SIZE_CAPS  # after the counts: it takes a look at prices
    codes: ClassVar[tuple[str, ...]] = ("CORRELATION_WITHIN_LIMIT", "TOO_MANY_CORRELATED")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        if not order.signal.purpose.is_entry:
            return passed(order, "CORRELATION_WITHIN_LIMIT", observed=NOT_FOR_EXITS)
        if context.portfolio.held(order.symbol):
            return passed(order, "CORRELATION_WITHIN_LIMIT", observed="held already")
        alike = self._alike(order.symbol, context)
        limit, unit = self.max_correlated_positions, "positions that move alike"
        if len(alike) < limit:
            return passed(order, "CORRELATION_WITHIN_LIMIT", observed=len(alike), limit=limit, unit=unit)
        message = (
            f"it moves together with {', '.join(alike)} (correlation above {self.correlation_threshold:g} "
            f"over {self.window} sessions); {limit} such positions are the limit"
        )
        return refused(order, "TOO_MANY_CORRELATED", message, observed=len(alike), limit=limit, unit=unit)

    def _alike(self, symbol: Symbol, context: RiskContext) -> tuple[Symbol, ...]:
        """Return the held symbols that move together with `symbol`, in alphabetical order."""
        history = context.market.history
        mine = history.column(symbol)
        moves = _moves(history, self.window)
        columns = [c for c in history.columns_of(context.portfolio.positions) if c is not None and c != mine]
        alike = np.flatnonzero(_correlations(moves, mine, columns) > self.correlation_threshold)
        return tuple(sorted(history.symbols[columns[place]] for place in alike))


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """The daily returns of all symbols over the last sessions, and what a correlation needs of them."""

    returns: FloatMatrix  # (window, N)
    gaps: NDArray[np.bool_]  # (N,), whether a return is missing
    units: FloatMatrix  # (N, window), less their mean and scaled to length 1; 0 for what never moves


@lru_cache(maxsize=1)  # every signal of a cycle asks about the same history
def _moves(history: MarketHistory, window: int) -> _Moves:
    closes = history.close[-window - 1 :]
    returns = closes[1:] / closes[:-1] - 1.0
    centred = returns - (returns.mean(axis=0) if len(returns) else 0.0)
    length = np.sqrt((centred * centred).sum(axis=0))
    units = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    # Where one return is missing, there is no length either.
    return _Moves(returns, np.logical_not(np.isfinite(length)), np.ascontiguousarray(units.T))


def _correlations(moves: _Moves, mine: int, others: list[int]) -> FloatVector:
    """Return Pearson's r of one symbol with each of the others."""
    if not others or moves.gaps[mine] or moves.gaps[others].any() or len(moves.returns) < FEWEST_RETURNS:
        return np.array([_correlation(moves, mine, other) for other in others])
    return moves.units[others] @ moves.units[mine]


def _correlation(moves: _Moves, left: int, right: int) -> float:
    """Return Pearson's r over common sessions; 0 when there are too few or one side never moves."""
    if not (moves.gaps[left] or moves.gaps[right]):
        return float(moves.units[left] @ moves.units[right]) if len(moves.returns) >= FEWEST_RETURNS else 0.0
    mine, other = moves.returns[:, left], moves.returns[:, right]
    common = np.isfinite(mine) & np.isfinite(other)
    if common.sum() < FEWEST_RETURNS:
        return 0.0
    a, b = mine[common] - mine[common].mean(), other[common] - other[common].mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
