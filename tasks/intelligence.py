"""The step that reads the news."""

from __future__ import annotations

from tasks.asking import asked_once
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket
from trading_bot.domain.market import MarketState


@asked_once
def read_the_news(bot: Bot, ticket: CycleTicket, market: MarketState) -> MarketState:
    """Return the market with the sentiment of its news. Not tried again: a source that fails costs no cycle."""
    return cycle.read_the_news(bot, ticket, market)
