"""Gather what is known around the holdings: market, book and the news that were read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import data_manager
from trading_bot.core.deciding import valuation
from trading_bot.core.hours import TradingHours
from trading_bot.core.positions import moment_to_look_at
from trading_bot.domain.context import Action, Advice, MarketContext
from trading_bot.domain.ports import Clock
from trading_bot.domain.symbols import Symbol
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
    found = market_context(market, portfolio, valuation(portfolio, market), stories, limits)
    ordered = {order.intent.symbol for order in book.journal.open_orders() if not order.is_waiting}
    return replace(found, advice=tuple(each for each in found.advice if not _is_under_way(each, ordered)))


def _is_under_way(advice: Advice, ordered: Collection[Symbol]) -> bool:
    """Say whether an order for the stock is open, so that buying or selling it is no new thought."""
    return advice.action in (Action.SELL, Action.LOOK) and advice.about in ordered
