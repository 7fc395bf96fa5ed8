"""What the equity curve says about the trading. What cannot be computed is None: never infinite, never NaN.

The formulas stand in `domain/performance.py`; this is the record that `bensbot metrics` shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from trading_bot.domain.curves import deepest_fall
from trading_bot.domain.market import FloatVector
from trading_bot.domain.performance import known, returns_of, sharpe, total_return, volatility
from trading_bot.domain.portfolio import EquityPoint


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of equity below an earlier high."""

    deepest: float  # share of the high that was lost; 0 when equity never fell
    sessions: int  # from that high until equity was back at it; until now while it is not
    current: float  # share of the highest equity that is missing now


@dataclass(frozen=True, slots=True)
class Exposure:
    """What is invested, as shares of equity."""

    gross: float | None  # long and short added up; None where the book has not kept it
    net: float  # short taken off


@dataclass(frozen=True, slots=True)
class Performance:
    """Profit and risk from a starting worth on."""

    sessions: int  # marked since
    profit: Decimal | None  # dollars
    total_return: float | None  # 0.1 is 10 %
    volatility: float | None  # standard deviation of a session's returns (n - 1), for a year
    sharpe: float | None  # for a year, riskless rate 0
    drawdown: Drawdown | None
    exposure: Exposure | None  # after the newest session


def performance(opening: Decimal | None, points: Sequence[EquityPoint]) -> Performance:
    """Return what became of `opening` dollars.

    Args:
        opening: the equity before the first point; None where it is not known.
        points: the equity after each session, oldest first.
    """
    amounts = ([] if opening is None else [opening]) + [point.equity for point in points]
    worth = np.array([float(amount) for amount in amounts])
    returns = returns_of(worth)
    return Performance(
        sessions=len(points),
        profit=amounts[-1] - amounts[0] if len(amounts) > 1 else None,
        total_return=known(total_return(worth)),
        volatility=known(volatility(returns)),
        sharpe=known(sharpe(returns)),
        drawdown=_drawdown(worth),
        exposure=_exposure(points[-1]) if points else None,
    )


def _drawdown(worth: FloatVector) -> Drawdown | None:
    fall = deepest_fall(worth)
    return None if fall is None else Drawdown(fall.depth, fall.sessions, fall.current)


def _exposure(point: EquityPoint) -> Exposure | None:
    if point.equity <= 0:
        return None
    gross = None if point.gross is None else float(point.gross / point.equity)
    return Exposure(gross, float((point.equity - point.cash) / point.equity))
