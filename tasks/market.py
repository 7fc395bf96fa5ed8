"""The first steps of a cycle: read the market, and learn what became of earlier orders."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.asking import RETRIES, RETRY_DELAYS, RETRY_JITTER, may_ask_again
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket, Settlement
from trading_bot.domain.market import MarketState
from trading_bot.domain.secrets import masked_errors


@task(
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS,
    retry_jitter_factor=RETRY_JITTER,
    retry_condition_fn=may_ask_again,
    cache_policy=NO_CACHE,
    persist_result=False,
)
@masked_errors()
def update_market_data(bot: Bot, ticket: CycleTicket) -> MarketState:
    """Read the market as of the ticket's instant. Reading twice changes nothing, so asking again is safe."""
    return cycle.update_market_data(bot, ticket)


@task(
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS,
    retry_jitter_factor=RETRY_JITTER,
    retry_condition_fn=may_ask_again,
    cache_policy=NO_CACHE,
    persist_result=False,
)
@masked_errors()
def settle_orders(bot: Bot, ticket: CycleTicket, market: MarketState) -> Settlement:
    """Ask the broker what became of open orders, and book their fills.

    Asking again is safe: no order is sent, and a fill is booked once however often it is told.
    """
    return cycle.settle_orders(bot, ticket, market)
