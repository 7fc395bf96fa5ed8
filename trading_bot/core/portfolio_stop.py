"""What follows when the whole portfolio has lost too much: exits only, or everything sold, until the owner resumes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from trading_bot.core.deciding import valuation
from trading_bot.domain.cycle import CycleTicket, TradingState
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio
from trading_bot.risk.manager import PORTFOLIO_STOP, StopAction

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


def everything_out(desk: Desk, portfolio: Portfolio) -> tuple[Signal, ...] | None:
    """Return a sale of all that is held while the portfolio stop wants everything sold, None when it does not.

    `portfolio` is what it will be when every open order is filled, so what is being sold is not sold twice.
    """
    if desk.risk.stop_action is not StopAction.FLATTEN:
        return None
    control = desk.book.control.read()
    if control.state is not TradingState.REDUCING or control.changed_by != PORTFOLIO_STOP:
        return None
    return tuple(
        Signal(
            symbol=symbol,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            purpose=Purpose.EXIT,
            wanted_weight=0.0,
            strength=1.0,
            strategy=PORTFOLIO_STOP,
            reason=f"everything is sold, because {control.cause}",
        )
        for symbol, position in sorted(portfolio.positions.items())
    )
