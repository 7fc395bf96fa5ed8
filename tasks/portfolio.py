"""The step that keeps the books."""

from __future__ import annotations

from tasks.asking import asked_once
from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleReport, CycleTicket, Settlement
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Decision, OrderUpdate


@asked_once
def update_portfolio_state(
    bot: Bot,
    ticket: CycleTicket,
    market: MarketState,
    settlement: Settlement,
    decisions: tuple[Decision, ...],
    orders: tuple[OrderUpdate, ...],
) -> CycleReport:
    """Book the fills, mark the equity and complete the cycle.

    Not tried again: the book itself waits for a lock, and a cycle that is left open is settled by the next one.
    """
    return cycle.update_portfolio_state(bot, ticket, market, settlement, decisions, orders)
