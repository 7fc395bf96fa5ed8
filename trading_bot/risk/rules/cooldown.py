"""A stock that was just sold is not bought back at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.domain.words import counted
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import NOT_FOR_EXITS, closed_trades, passed, refused, sessions_since

MOST = 60  # sessions that may be looked back on


@risk_rule("cooldown")
@dataclass(frozen=True, slots=True)
class Cooldown:
    """Refuse to buy a stock until `cooldown_sessions` sessions have passed since its last share was sold; 0 is off."""

    cooldown_sessions: Annotated[int, Ge(0), Le(MOST)] = 1
    stage: ClassVar[Stage] = Stage.DUPLICATES
    codes: ClassVar[tuple[str, ...]] = ("COOLED_DOWN", "COOLING_DOWN")

    @property
    def sessions_back(self) -> int:
        """How many sessions of closed trades it has to see."""
        return self.cooldown_sessions

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none; exits pass."""
        if not order.signal.purpose.is_entry:
            return passed(order, "COOLED_DOWN", observed=NOT_FOR_EXITS)
        sold = [trade.session for trade in closed_trades(context).by_symbol.get(order.symbol, ())]
        if not sold or not self.cooldown_sessions:
            return passed(order, "COOLED_DOWN", observed="switched off" if sold else "not sold lately")
        since, limit = sessions_since(max(sold), context), self.cooldown_sessions
        if since >= limit:
            return passed(order, "COOLED_DOWN", observed=since, limit=limit, unit="sessions")
        message = (
            f"{order.symbol} was sold on {max(sold)}, {counted(since, 'session')} ago: "
            f"no entry before {counted(limit, 'session')} {'has' if limit == 1 else 'have'} passed"
        )
        return refused(order, "COOLING_DOWN", message, observed=since, limit=limit, unit="sessions")
