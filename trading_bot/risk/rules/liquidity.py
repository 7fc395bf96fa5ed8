"""Who is the market for a stock does not get out of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Le

from trading_bot.domain.market import FloatVector, MarketHistory, Symbol
from trading_bot.domain.money import CENT, ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, capped, passed

SESSIONS = 20  # whose mean volume counts


@risk_rule("liquidity")
@dataclass(frozen=True, slots=True)
class Liquidity:
    """Trim a buy so that the position stays within `max_volume_share` of the stock's mean volume of 20 sessions.

    So it can be sold within a day without moving the price. Prices without volumes pass; a stock without volumes among
    others that have them does not.
    """

    max_volume_share: Annotated[Decimal, Gt(0), Le(1)] = Decimal("0.01")
    stage: ClassVar[Stage] = Stage.SIZE_CAPS
    codes: ClassVar[tuple[str, ...]] = ("VOLUME_SUFFICES", "POSITION_EXCEEDS_VOLUME")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return the shares that still fit; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "VOLUME_SUFFICES", observed=NOT_FOR_EXITS)
        mean = self._mean_volume(order.symbol, context.market.history)
        if mean is None:
            return passed(order, "VOLUME_SUFFICES", observed="the prices come without volumes")
        limit = (mean * self.max_volume_share).quantize(CENT)
        held = context.portfolio.held(order.symbol)
        return capped(
            order,
            limit - held,
            ("VOLUME_SUFFICES", "POSITION_EXCEEDS_VOLUME"),
            lambda: (
                f"a position may be {self.max_volume_share:.1%} of the {mean:,.0f} shares that change hands on a usual "
                "day"
            ),
            observed=order.quantity + held,
            limit=limit,
            unit="shares",
        )

    @staticmethod
    def _mean_volume(symbol: Symbol, history: MarketHistory) -> Decimal | None:
        """Return shares a session, 0 where no volume of the symbol is known, None where none of any symbol is."""
        column, means = history.find(symbol), _mean_volumes(history)
        if means is None:
            return None
        return ZERO if column is None else Decimal(repr(means.item(column)))


@lru_cache(maxsize=1)  # every signal of a cycle asks about the same history
def _mean_volumes(history: MarketHistory) -> FloatVector | None:
    """Return the mean of the known volumes of each symbol, (N,), 0 where there is none; None without any volume."""
    volume = history.volume[-SESSIONS:]
    known = np.isfinite(volume)
    if not np.count_nonzero(known):
        return None
    sessions = np.add.reduce(known, axis=0)
    return np.add.reduce(np.where(known, volume, 0.0), axis=0) / np.maximum(sessions, 1)
