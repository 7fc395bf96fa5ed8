"""What the equity curve says about the trading. What cannot be computed is None: never infinite, never NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from trading_bot.domain.market import FloatVector
from trading_bot.domain.portfolio import EquityPoint

SESSIONS_A_YEAR = 252
NO_CHANGE = 1e-12  # a standard deviation of returns below this is what rounding leaves


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of equity below an earlier high.

    Source: Magdon-Ismail & Atiya (2004), Maximum Drawdown, Risk 17(10), eq. 1, relative to the high.
    """

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
    sharpe: (
        float | None
    )  # for a year, riskless rate 0: Sharpe (1994), The Sharpe Ratio, J. of Portfolio Management 21(1)
    drawdown: Drawdown | None
    exposure: Exposure | None  # after the newest session


def performance(opening: Decimal | None, points: Sequence[EquityPoint]) -> Performance:
    """Return what became of `opening` dollars.

    Args:
        opening: the equity before the first point; None where it is not known.
        points: the equity after each session, oldest first.
    """
    worth = ([] if opening is None else [opening]) + [point.equity for point in points]
    returns = _returns(worth)
    volatility = _volatility(returns)
    return Performance(
        sessions=len(points),
        profit=worth[-1] - worth[0] if len(worth) > 1 else None,
        total_return=float(worth[-1] / worth[0] - 1) if returns is not None else None,
        volatility=volatility,
        sharpe=_sharpe(returns, volatility),
        drawdown=_drawdown(worth),
        exposure=_exposure(points[-1]) if points else None,
    )


def _returns(worth: Sequence[Decimal]) -> FloatVector | None:
    """Return the change of each session as a share; None without one, or when a share of nothing would be taken."""
    if len(worth) < 2 or min(worth[:-1]) <= 0:
        return None
    equity = np.array([float(amount) for amount in worth])
    return equity[1:] / equity[:-1] - 1


def _volatility(returns: FloatVector | None) -> float | None:
    if returns is None or len(returns) < 2:
        return None
    return float(np.std(returns, ddof=1)) * math.sqrt(SESSIONS_A_YEAR)


def _sharpe(returns: FloatVector | None, volatility: float | None) -> float | None:
    if returns is None or volatility is None or volatility < NO_CHANGE:
        return None
    return float(np.mean(returns)) * SESSIONS_A_YEAR / volatility


def _drawdown(worth: Sequence[Decimal]) -> Drawdown | None:
    if len(worth) < 2 or worth[0] <= 0:
        return None
    high, at, deepest, begun = worth[0], 0, Decimal(0), 0
    for number, equity in enumerate(worth):
        if equity >= high:
            high, at = equity, number
        elif (fall := 1 - equity / high) > deepest:
            deepest, begun = fall, at
    back = next((n for n, equity in enumerate(worth) if n > begun and equity >= worth[begun]), len(worth) - 1)
    return Drawdown(float(deepest), back - begun if deepest else 0, float(1 - worth[-1] / high))


def _exposure(point: EquityPoint) -> Exposure | None:
    if point.equity <= 0:
        return None
    gross = None if point.gross is None else float(point.gross / point.equity)
    return Exposure(gross, float((point.equity - point.cash) / point.equity))
