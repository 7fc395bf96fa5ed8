"""Five positions that move as one are one position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from trading_bot.domain.market import FloatMatrix, MarketHistory, Symbol
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
    stage: ClassVar[Stage] = Stage.COUNTS

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
        held = sorted(
            other for other in context.portfolio.positions if other != symbol and history.find(other) is not None
        )
        mine = self._returns(history, symbol)
        return tuple(
            other for other in held if _correlation(mine, self._returns(history, other)) > self.correlation_threshold
        )

    def _returns(self, history: MarketHistory, symbol: Symbol) -> FloatMatrix:
        closes = history.close[-self.window - 1 :, history.column(symbol)]
        return closes[1:] / closes[:-1] - 1.0


def _correlation(left: FloatMatrix, right: FloatMatrix) -> float:
    """Return Pearson's r over common sessions; 0 when there are too few or one side never moves."""
    common = np.isfinite(left) & np.isfinite(right)
    if common.sum() < FEWEST_RETURNS:
        return 0.0
    a, b = left[common] - left[common].mean(), right[common] - right[common].mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0
