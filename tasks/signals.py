"""The step that forms opinions."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Signal
from trading_bot.domain.secrets import masked_errors


@task(cache_policy=NO_CACHE, persist_result=False)
@masked_errors()
def generate_signals(bot: Bot, ticket: CycleTicket, market: MarketState) -> tuple[Signal, ...]:
    """Ask the strategies. Not tried again: the same market gives the same opinions, and the same error."""
    return cycle.generate_signals(bot, ticket, market)
