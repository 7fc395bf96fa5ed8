"""What the equity curve says about the trading. What cannot be computed is None: never infinite, never NaN.

The formulas stand in `domain/performance.py`; this is the record that `bensbot metrics` shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from trading_bot.domain.cash import in_money_of_now
from trading_bot.domain.curves import deepest_fall
from trading_bot.domain.market import FloatVector
from trading_bot.domain.money import ZERO
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


def performance(opening: Decimal | None, points: Sequence[EquityPoint], *, paid_in: Decimal = ZERO) -> Performance:
    """Return what became of `opening` dollars. What the owner paid in or took out is neither profit nor loss.

    Args:
        opening: the equity before the first point; None where it is not known.
        points: the equity after each session, oldest first.
        paid_in: what the owner had paid in by then, as the points count it.
    """
    known_points = [*points] if opening is None else [EquityPoint(date.min, opening, opening, paid_in=paid_in), *points]
    newest = known_points[-1].paid_in if known_points else ZERO
    worth = np.array([float(amount) for amount in in_money_of_now(known_points, newest)])
    returns = returns_of(worth)
    return Performance(
        sessions=len(points),
        profit=_profit(known_points[0], known_points[-1]) if len(known_points) > 1 else None,
        total_return=known(total_return(worth)),
        volatility=known(volatility(returns)),
        sharpe=known(sharpe(returns)),
        drawdown=_drawdown(worth),
        exposure=_exposure(points[-1]) if points else None,
    )


def _profit(first: EquityPoint, last: EquityPoint) -> Decimal:
    return last.equity - first.equity - (last.paid_in - first.paid_in)


def _drawdown(worth: FloatVector) -> Drawdown | None:
    fall = deepest_fall(worth)
    return None if fall is None else Drawdown(fall.depth, fall.sessions, fall.current)


def _exposure(point: EquityPoint) -> Exposure | None:
    if point.equity <= 0:
        return None
    gross = None if point.gross is None else float(point.gross / point.equity)
    return Exposure(gross, float((point.equity - point.cash) / point.equity))
