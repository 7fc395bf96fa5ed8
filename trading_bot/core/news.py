"""What is known of the news when a cycle decides: what was read before, from the book, and what is new."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from trading_bot.domain.cycle import CycleTicket
from trading_bot.domain.market import FloatMatrix, MarketHistory, MarketState, Symbol
from trading_bot.domain.news import StoryId
from trading_bot.intelligence.manager import NewsManager
from trading_bot.intelligence.matching import SAME_STORY
from trading_bot.state.news import NewsBook


@dataclass(frozen=True, slots=True)
class Newsdesk:
    """Who reads the news, and where they are kept."""

    manager: NewsManager
    book: NewsBook

    def behind(self, symbols: Collection[Symbol], at: datetime) -> Mapping[Symbol, tuple[StoryId, ...]]:
        """Return by symbol the stories that are known at `at` and not too old, oldest first."""
        return self.book.behind(symbols, published=at - self.manager.max_age, read=at)


def with_news(news: Newsdesk, ticket: CycleTicket, market: MarketState, *, historical: bool) -> MarketState:
    """Read what is new, keep it under the cycle's session, and return the market with the sentiment of all sessions.

    A source that fails costs no cycle: it is a warning, and what was read before is all that is known.

    Raises:
        SettingsError: the source lacks an option.
        StateError: the book cannot be read or written.
    """
    known = news.book.since(ticket.at - news.manager.max_age - SAME_STORY)
    before = news.book.cycle_before(ticket.cycle_id)
    edition = news.manager.read(ticket.at, market.history.symbols, known, before)
    if edition.stories:
        news.book.keep(ticket.lease, ticket.session, ticket.at, edition.stories)
    notes = list(edition.notes)
    if edition.later and not historical:  # a file of history holds what comes later, and should
        notes.append(f"News: {edition.later:,} dated in the future wait for their time")
    return replace(
        market,
        history=replace(market.history, sentiment=sentiment(market.history, news.book.moods())),
        notes=(*market.notes, *notes),
        warnings=(*market.warnings, *edition.trouble),
    )


def sentiment(history: MarketHistory, moods: Mapping[date, Mapping[Symbol, float]]) -> FloatMatrix:
    """Return (T, N) what each session's decisions knew, NaN where there was no news."""
    found = np.full(history.close.shape, np.nan)
    rows = {day: row for row, day in enumerate(history.sessions.tolist())}
    for day, scores in moods.items():
        if (row := rows.get(day)) is not None:
            for symbol, score in scores.items():
                if (column := history.find(symbol)) is not None:
                    found[row, column] = score
    return found
