"""Five positions that move as one are one position."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
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
FIRST_ROOM = 64  # positions; made more when it is filled


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
        limit, unit = self.max_correlated_positions, "positions that move alike"
        if limit >= len(context.market.history.symbols):  # not even all others together could be too many
            return passed(order, "CORRELATION_WITHIN_LIMIT", observed=f"fewer than {limit}", limit=limit, unit=unit)
        alike = self._alike(order.symbol, context)
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
        return _crowd(history, self.window).alike(symbol, context.portfolio.positions, self.correlation_threshold)


class _Crowd:
    """Who moves with whom in one history.

    What is held is kept as rows of numbers from one signal to the next, for an approval adds a single row to it. That
    saves time and is no memory: other positions than those before are taken up anew.
    """

    def __init__(self, history: MarketHistory, window: int) -> None:
        """Work out how all symbols move."""
        self._history, self._moves = history, _moves(history, window)
        self._held: list[Symbol] = []
        self._columns: list[int] = []  # of those in the universe
        self._gaps: list[int] = []  # places in `_columns` where a return is missing
        self._units = np.empty((FIRST_ROOM, self._moves.units.shape[1]))  # the first rows: those of `_columns`
        self._one_at_a_time = Lock()

    def alike(self, symbol: Symbol, positions: Iterable[Symbol], threshold: float) -> tuple[Symbol, ...]:
        """Return the positions whose correlation with `symbol` is above the threshold, in alphabetical order."""
        with self._one_at_a_time:
            self._take_up(list(positions))
            found = self._correlations(self._history.column(symbol))
            if not len(found) or found[found.argmax()] <= threshold:  # as nearly always
                return ()
            places: list[int] = (found > threshold).nonzero()[0].tolist()
            return tuple(sorted(self._history.symbols[self._columns[place]] for place in places))

    def _take_up(self, positions: list[Symbol]) -> None:
        if positions[: len(self._held)] != self._held:
            self._held, self._columns, self._gaps = [], [], []
        new = positions[len(self._held) :]
        self._held += new
        if columns := [column for column in self._history.columns_of(new) if column is not None]:
            self._add(columns)

    def _add(self, columns: list[int]) -> None:
        begin, end = len(self._columns), len(self._columns) + len(columns)
        while end > len(self._units):
            self._units = np.concatenate((self._units, np.empty_like(self._units)))
        self._units[begin:end] = self._moves.units.take(columns, axis=0)
        self._columns += columns
        self._gaps += [place for place, column in enumerate(columns, begin) if self._moves.gaps.item(column)]

    def _correlations(self, mine: int) -> FloatVector:
        """Return Pearson's r of the symbol in column `mine` with each of those held."""
        moves = self._moves
        if len(moves.closes) <= FEWEST_RETURNS:
            return np.zeros(len(self._columns))
        if moves.gaps.item(mine):
            return np.array([_correlation(moves, mine, other) for other in self._columns])
        found: FloatVector = self._units[: len(self._columns)].dot(moves.units[mine])
        for place in self._gaps:
            found[place] = _correlation(moves, mine, self._columns[place])
        return found


@lru_cache(maxsize=1)  # every signal of a cycle asks about the same history
def _crowd(history: MarketHistory, window: int) -> _Crowd:
    return _Crowd(history, window)


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """How all symbols moved over the last sessions: their daily returns, as a correlation needs them."""

    closes: FloatMatrix  # (window + 1, N)
    gaps: NDArray[np.bool_]  # (N,), whether a return is missing
    # (N, window), returns less their mean and scaled to length 1; 0 for what never moves, NaN where one is missing.
    units: FloatMatrix


def _moves(history: MarketHistory, window: int) -> _Moves:
    closes = history.close[-window - 1 :]
    # Worked out in two places of memory: for thousands of symbols, it takes longer to get than to fill.
    moves = closes[1:] / closes[:-1]  # returns + 1, which the mean takes away
    moves -= np.add.reduce(moves, axis=0) / max(len(moves), 1)
    other = moves * moves
    length = np.sqrt(np.add.reduce(other, axis=0))  # NaN where a return is missing
    if np.count_nonzero(length) < len(length):
        length[length == 0] = 1.0  # 0 / 1 is the 0 that is wanted
    moves /= length
    units = other.reshape(moves.shape[::-1])  # each symbol's numbers side by side: one of them is read at a time
    np.copyto(units, moves.T)
    return _Moves(closes, np.isnan(length), units)


def _correlation(moves: _Moves, left: int, right: int) -> float:
    """Return Pearson's r over common sessions; 0 when there are too few or one side never moves."""
    mine, other = (moves.closes[1:, column] / moves.closes[:-1, column] - 1.0 for column in (left, right))
    common = np.isfinite(mine) & np.isfinite(other)
    if common.sum() < FEWEST_RETURNS:
        return 0.0
    a, b = mine[common] - mine[common].mean(), other[common] - other[common].mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
