"""A wild stock counts for more than a calm one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Le

from trading_bot.domain.market import FloatVector, MarketHistory, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed, share_of_equity, value_of

SESSIONS = 60  # whose returns are measured
FEWEST_RETURNS = 20  # fewer say nothing
A_YEAR = 252  # sessions


@risk_rule("volatility_target")
@dataclass(frozen=True, slots=True)
class VolatilityTarget:
    """Trim a buy so that the portfolio moves by at most `volatility_target` of equity a year; none is off.

    Volatility of the portfolio = sum of position value x standard deviation of the stock's daily returns over 60
    sessions x sqrt(252) / equity: the most it can be, all stocks moving as one (Markowitz, 1952, Journal of Finance
    7(1)). A stock of which fewer than 20 returns are known counts as moving by 100 % a year.
    """

    volatility_target: Annotated[Decimal, Gt(0), Le(1)] | None = None  # share of equity a year
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("VOLATILITY_WITHIN_TARGET", "VOLATILITY_EXCEEDS_TARGET")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        if self.volatility_target is None:
            return passed(order, "VOLATILITY_WITHIN_TARGET", observed="switched off")
        if not order.signal.purpose.is_entry:
            return passed(order, "VOLATILITY_WITHIN_TARGET", observed=NOT_FOR_EXITS)
        history, limit = context.market.history, self.volatility_target
        mine = _yearly(history, order.symbol)
        moved = sum((abs(value_of(s, context)) * _yearly(history, s) for s in context.portfolio.positions), ZERO)
        asked = share_of_equity(moved + order.notional * mine, context)
        room = (context.equity * limit - moved) / (order.price * mine) if mine else order.quantity
        return capped(
            order,
            room,
            ("VOLATILITY_WITHIN_TARGET", "VOLATILITY_EXCEEDS_TARGET"),
            lambda: (
                f"the portfolio may move by {limit:.0%} of equity a year, asked were {asked:.1%}; "
                f"{order.symbol} moves by {mine:.0%}"
            ),
            observed=asked,
            limit=limit,
            unit="share a year",
        )


def _yearly(history: MarketHistory, symbol: Symbol) -> Decimal:
    """Return the yearly standard deviation of a stock's returns, a share of its price."""
    column = history.find(symbol)
    value = float("nan") if column is None else float(_deviations(history)[column])
    return Decimal(f"{value:.6f}") if math.isfinite(value) else Decimal(1)


@lru_cache(maxsize=1)  # every signal of a cycle asks about the same history
def _deviations(history: MarketHistory) -> FloatVector:
    closes = history.close[-SESSIONS - 1 :]
    returns = closes[1:] / closes[:-1] - 1.0
    known = np.isfinite(returns)
    count = known.sum(axis=0)
    enough = count >= FEWEST_RETURNS
    mean = np.where(known, returns, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(known, (returns - mean) ** 2, 0.0).sum(axis=0)
    return np.where(enough, np.sqrt(squares / np.maximum(count - 1, 1) * A_YEAR), np.nan)
