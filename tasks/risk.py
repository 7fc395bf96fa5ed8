"""The step that says no."""

from __future__ import annotations

from tasks.asking import asked_once
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Decision, Signal


@asked_once
def apply_risk_checks(
    bot: Bot, ticket: CycleTicket, market: MarketState, signals: tuple[Signal, ...]
) -> tuple[Decision, ...]:
    """Give every signal one decision. Not tried again: no answer from a rule means no trade."""
    return cycle.apply_risk_checks(bot, ticket, market, signals)
