"""What is held, what it is worth just now, and how far away the exits are that protect it."""

from __future__ import annotations

from datetime import date, datetime

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import data_manager, protective_stop
from trading_bot.core.deciding import valuation
from trading_bot.core.hours import TradingHours
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import MarketState
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import Clock
from trading_bot.domain.protected import Protected, ProtectedPosition
from trading_bot.risk.protection import ProtectiveStop, levels
from trading_bot.state.manager import StateManager


def positions_now(settings: TradingBotSettings, book: StateManager, clock: Clock) -> Protected:
    """Return every position with its exits, at the newest close. Nothing is asked of the broker.

    Raises:
        StateError: the book has traded no session yet.
        DataError, SourceUnavailable: the prices are not to be had.
    """
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    data, portfolio = data_manager(settings, hours), book.ledger.portfolio()
    at, session = _moment(data.historical, book, hours, clock)
    return protected(portfolio, data.get_market_state(at, session), protective_stop(settings))


def protected(portfolio: Portfolio, market: MarketState, stop: ProtectiveStop) -> Protected:
    """Return every position with its exits. Raises DataError when one has no price at all."""
    prices = valuation(portfolio, market)
    found = tuple(
        ProtectedPosition(
            position, prices[symbol], market.price(symbol) is not None, levels(position, prices[symbol], market, stop)
        )
        for symbol, position in sorted(portfolio.positions.items())
    )
    return Protected(market.session, found, portfolio.cash, portfolio.equity(prices))


def _moment(historical: bool, book: StateManager, hours: TradingHours, clock: Clock) -> tuple[datetime, date]:
    """Return the instant to look at: on history the close of the session traded last, else now."""
    if not historical:
        now = clock.now()
        return now, hours.newest_session(now)
    session = book.cycles.last_traded_session()
    if session is None:
        raise StateError("The book has traded no session yet, so nothing is held. The first one: bensbot run --once")
    return hours.close_of(session), session
