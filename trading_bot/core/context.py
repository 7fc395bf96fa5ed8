"""Gather what is known around the holdings: market, book and the news that were read."""

from __future__ import annotations

from datetime import timedelta

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import data_manager
from trading_bot.core.deciding import valuation
from trading_bot.core.hours import TradingHours
from trading_bot.core.positions import moment_to_look_at
from trading_bot.domain.context import MarketContext
from trading_bot.domain.ports import Clock
from trading_bot.intelligence.context import Limits, market_context
from trading_bot.state.manager import StateManager


def context_now(settings: TradingBotSettings, book: StateManager, clock: Clock) -> MarketContext:
    """Return what happens around the holdings at the newest close. Neither broker nor news source is asked.

    Raises:
        StateError: the book has traded no session yet.
        DataError, SourceUnavailable: the prices are not to be had.
    """
    hours, reading = TradingHours(settings.hours.windows, settings.hours.closed_dates), settings.news
    data, portfolio = data_manager(settings, hours), book.ledger.portfolio()
    at, session = moment_to_look_at(data.historical, book, hours, clock)
    market = data.get_market_state(at, session)
    reads = reading.are_read
    stories = book.news.since(at - timedelta(hours=reading.max_age_hours)) if reads else None
    limits = Limits(loud=settings.risk.news_veto, sector=settings.risk.max_sector_allocation)
    return market_context(market, portfolio, valuation(portfolio, market), stories, limits)
