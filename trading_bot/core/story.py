"""Find out why a cycle did something about a symbol, or did not."""

from __future__ import annotations

import dataclasses
import difflib
from datetime import timedelta
from typing import TYPE_CHECKING

from trading_bot.config.typed_settings import load_recorded
from trading_bot.core.again import shadow_portfolio, team_then
from trading_bot.core.deciding import sells_everything, valuation
from trading_bot.domain.errors import DataError, PluginError, SettingsError, StateCorrupt, StateError, WrongAnswer
from trading_bot.domain.stories import DecidedCycle, Entry, Filter, Story, Thinking
from trading_bot.domain.symbols import Symbol
from trading_bot.risk.stop_action import StopAction

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import NewsSettings, TradingBotSettings
    from trading_bot.domain.inputs import CycleRecord
    from trading_bot.domain.news import NewsItem
    from trading_bot.state.manager import StateManager


def why(book: StateManager, symbol: Symbol, cycle: str | None = None) -> Story:
    """Return the story of a symbol in one cycle: named by id or session, else the newest that decided.

    Raises:
        StateError: there is no such cycle, or it never heard of the symbol.
        StateCorrupt: what was kept is damaged.
    """
    found = book.stories.find_cycle(cycle)
    entry, *rest = [*book.stories.entries(Filter(symbol=symbol, cycle_id=found.cycle_id)), None]
    story = _told(book, symbol, found, entry)
    return dataclasses.replace(story, guard=next(iter(rest), None))


def _told(book: StateManager, symbol: Symbol, found: DecidedCycle, entry: Entry | None) -> Story:
    last = None if entry else _last_before(book, symbol, found)
    try:
        record = book.recordings.read(found.cycle_id)
    except StateCorrupt:
        raise
    except StateError as gone:
        return Story(symbol, found, entry, None, str(gone), last)
    if record.market.history.find(symbol) is None:
        stranger = _stranger(symbol, record.market.history.symbols)
        if entry is None:
            raise StateError(stranger)
        return Story(symbol, found, entry, None, stranger, last)
    try:
        settings = load_recorded(record.conditions.settings)
        thinking = _think_again(record, settings, symbol)
        return Story(symbol, found, entry, thinking, "", last, news=_news(book, record, settings.news, symbol))
    except (PluginError, SettingsError, DataError, WrongAnswer) as error:  # a strategy of then is another one now
        return Story(symbol, found, entry, None, str(error), last)


def _think_again(record: CycleRecord, settings: TradingBotSettings, symbol: Symbol) -> Thinking:
    market, portfolio = record.market, shadow_portfolio(record)
    equity = portfolio.equity(valuation(portfolio, market))
    thoughts = team_then(record, settings).thoughts(market, portfolio, equity, symbol, record.strategies)
    return Thinking(
        price=thoughts.price,
        held=record.inputs.portfolio.held(symbol),
        score=thoughts.score,
        votes=thoughts.votes,
        verdict=_without_the_team(record, StopAction(settings.risk.portfolio_stop_action)) or thoughts.verdict,
        team=record.conditions.team,
        settings_hash=settings.fingerprint(),
        market_hash=record.market_hash,
        program=record.conditions.program,
    )


def _news(book: StateManager, record: CycleRecord, reading: NewsSettings, symbol: Symbol) -> tuple[NewsItem, ...]:
    """Return the stories that were known: as recorded with a decision, else as the book has them for that instant."""
    if not reading.are_read:
        return ()
    known, at = record.inputs.stories, record.market.at
    if symbol not in known:
        known = book.news.behind((symbol,), published=at - timedelta(hours=reading.max_age_hours), read=at)
    return book.news.named(known.get(symbol, ()))


def _without_the_team(record: CycleRecord, stop_action: StopAction) -> str:
    """Return why nobody asked the team in this cycle, "" when it was asked."""
    if record.by_owner:
        return "the owner had something sold, and the strategies were not asked"
    if sells_everything(stop_action, record.inputs.control):
        return f"everything is sold, because {record.inputs.control.cause}"
    return ""


def _last_before(book: StateManager, symbol: Symbol, cycle: DecidedCycle) -> Entry | None:
    return next(iter(book.stories.entries(Filter(symbol=symbol, before=cycle.cycle_id), limit=1)), None)


def _stranger(symbol: Symbol, known: tuple[Symbol, ...]) -> str:
    near = difflib.get_close_matches(symbol, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{symbol} is not among the {len(known)} symbols that the cycle looked at.{hint}"
