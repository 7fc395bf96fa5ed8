"""The switch that stands above every opinion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.orders import Order, Ruling
from trading_bot.domain.ports import RiskContext, Stage
from trading_bot.risk.registry import risk_rule
from trading_bot.risk.rulings import passed, refused


@risk_rule("trading_state")
@dataclass(frozen=True, slots=True)
class TradingStateRule:
    """Refuse entries unless the state is ACTIVE, and everything while it is PAUSED or HALTED."""

    stage: ClassVar[Stage] = Stage.TRADING_STATE
    codes: ClassVar[tuple[str, ...]] = ("STATE_ALLOWS", "STATE_FORBIDS")

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return all shares, or none."""
        state = context.state
        may_exit = state in {TradingState.ACTIVE, TradingState.REDUCING}
        if state is TradingState.ACTIVE or (may_exit and not order.signal.purpose.is_entry):
            return passed(order, "STATE_ALLOWS", observed=state, limit="active")
        message = context.state_cause or f"the bot is {state}: " + ("exits only" if may_exit else "no orders at all")
        return refused(order, "STATE_FORBIDS", message, observed=state, limit="active")
