"""The steps that only closing positions has: cancel what would buy, and want everything gone."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.asking import RETRIES, RETRY_DELAYS, RETRY_JITTER, may_ask_again
from trading_bot.core import flatten
from trading_bot.core.bot import Bot
from trading_bot.core.flatten import FlattenRequest
from trading_bot.domain.cycle import CycleTicket, Settlement
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Signal
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
def cancel_and_settle(bot: Bot, ticket: CycleTicket, market: MarketState, request: FlattenRequest) -> Settlement:
    """Cancel open entries and book what became of all orders. Asking again is safe: doing it twice changes nothing."""
    return flatten.cancel_and_settle(bot, ticket, market, request)


@task(cache_policy=NO_CACHE, persist_result=False)
@masked_errors()
def closing_signals(bot: Bot, request: FlattenRequest) -> tuple[Signal, ...]:
    """Want every named position gone. Not tried again: only the book is read."""
    return flatten.closing_signals(bot, request)
