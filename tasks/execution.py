"""The step that trades."""

from __future__ import annotations

from tasks.asking import asked_once
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleTicket
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Decision, OrderUpdate


@asked_once
def execute_signals(
    bot: Bot, ticket: CycleTicket, market: MarketState, decisions: tuple[Decision, ...]
) -> tuple[OrderUpdate, ...]:
    """Commit the intents, then send them.

    Never tried again by the scheduler: whether an order may be sent again is decided by the order's own state
    in the book, which the next cycle settles first.
    """
    return cycle.execute_signals(bot, ticket, market, decisions)
