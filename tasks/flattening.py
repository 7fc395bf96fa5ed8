"""The steps that only closing positions has: cancel what would buy, and want everything gone."""

from __future__ import annotations

from tasks.asking import asked_again, asked_once
from trading_bot.core import flatten
from trading_bot.core.bot import Bot
from trading_bot.core.flatten import FlattenRequest
from trading_bot.domain.cycle import CycleTicket, Settlement
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Signal


@asked_again
def cancel_and_settle(bot: Bot, ticket: CycleTicket, market: MarketState, request: FlattenRequest) -> Settlement:
    """Cancel open entries and book what became of all orders. Asking again is safe: doing it twice changes nothing."""
    return flatten.cancel_and_settle(bot, ticket, market, request)


@asked_once
def closing_signals(bot: Bot, request: FlattenRequest) -> tuple[Signal, ...]:
    """Want every named position gone. Not tried again: only the book is read."""
    return flatten.closing_signals(bot, request)
