"""What follows when the whole portfolio has lost too much: exits only, or everything sold, until the owner resumes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from trading_bot.core.deciding import valuation
from trading_bot.domain.cycle import CycleTicket, TradingState
from trading_bot.domain.market import MarketState
from trading_bot.risk.stop_action import PORTFOLIO_STOP, StopAction

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk

log = logging.getLogger(__name__)


def heed_portfolio_stop(desk: Desk, ticket: CycleTicket, market: MarketState) -> None:
    """Let exits through only when equity has fallen too far and the settings want more than no entries.

    Doing it twice changes nothing, and no stronger state is softened. Raises DataError when a holding has no price at
    all, and LeaseLost.
    """
    if desk.risk.stop_action is StopAction.ENTRIES or desk.book.control.read().state is not TradingState.ACTIVE:
        return
    portfolio = desk.book.ledger.portfolio()
    equity, high = portfolio.equity(valuation(portfolio, market)), desk.book.ledger.high_water()
    why = desk.risk.portfolio_stop_reached(equity, high)
    if not why:
        return
    control = desk.book.control.set_state(
        TradingState.REDUCING, cause=why, who=PORTFOLIO_STOP, only_from=TradingState.ACTIVE, lease=ticket.lease
    )
    if control.changed_by == PORTFOLIO_STOP:  # else somebody was quicker
        sells = desk.risk.stop_action is StopAction.FLATTEN
        then = "Every position is sold" if sells else "Nothing is bought, exits go on"
        message = f"{then} until `bensbot resume`: {why}"
        log.warning("%s", message)
        desk.notifier.send_alert(level="critical", title="Portfolio stop", message=message)
