"""A stock on which the bot keeps losing is left alone for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, closed_trades, ended_within, passed, refused

MOST = 60  # sessions that may be looked back on


@risk_rule("low_profit")
@dataclass(frozen=True, slots=True)
class LowProfit:
    """Refuse to buy a stock whose last trades lost money: `low_profit_trades` or more of them; 0 is off.

    The trades that ended within `low_profit_sessions` sessions count, all together, fees taken off.
    """

    low_profit_trades: Annotated[int, Ge(0)] = 3
    low_profit_sessions: Annotated[int, Gt(0), Le(MOST)] = 20
    stage: ClassVar[Stage] = Stage.DUPLICATES
    codes: ClassVar[tuple[str, ...]] = ("SYMBOL_PROFITABLE", "SYMBOL_LOSES")

    @property
    def sessions_back(self) -> int:
        """How many sessions of closed trades it has to see."""
        return self.low_profit_sessions if self.low_profit_trades else 0

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "SYMBOL_PROFITABLE", observed=NOT_FOR_EXITS)
        if not self.low_profit_trades:
            return passed(order, "SYMBOL_PROFITABLE", observed="switched off")
        mine = closed_trades(context).by_symbol.get(order.symbol, ())
        if len(mine) < self.low_profit_trades:
            return passed(order, "SYMBOL_PROFITABLE", observed="too few trades")
        mine = ended_within(mine, self.low_profit_sessions, context)
        profit = sum((trade.profit for trade in mine), ZERO)
        if profit >= 0 or len(mine) < self.low_profit_trades:
            return passed(order, "SYMBOL_PROFITABLE", observed=f"{profit:.2f}", limit=0, unit="dollars")
        message = (
            f"the {counted(len(mine), 'trade')} in {order.symbol} of the last "
            f"{counted(self.low_profit_sessions, 'session')} lost ${-profit:,.2f}"
        )
        return refused(order, "SYMBOL_LOSES", message, observed=f"{profit:.2f}", limit=0, unit="dollars")
