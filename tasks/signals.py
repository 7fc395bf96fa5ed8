"""The step that forms opinions."""

from __future__ import annotations

from tasks.asking import asked_once
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Signal


@asked_once
def generate_signals(bot: Bot, ticket: CycleTicket, market: MarketState) -> tuple[Signal, ...]:
    """Ask the strategies. Not tried again: the same market gives the same opinions, and the same error."""
    return cycle.generate_signals(bot, ticket, market)
