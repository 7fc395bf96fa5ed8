"""The first steps of a cycle: read the market, and learn what became of earlier orders."""

from __future__ import annotations

from tasks.asking import asked_again
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket, Settlement
from trading_bot.domain.market import MarketState


@asked_again
def update_market_data(bot: Bot, ticket: CycleTicket) -> MarketState:
    """Read the market as of the ticket's instant. Reading twice changes nothing, so asking again is safe."""
    return cycle.update_market_data(bot, ticket)


@asked_again
def settle_orders(bot: Bot, ticket: CycleTicket, market: MarketState) -> Settlement:
    """Ask the broker what became of open orders, and book their fills.

    Asking again is safe: no order is sent, and a fill is booked once however often it is told.
    """
    return cycle.settle_orders(bot, ticket, market)
