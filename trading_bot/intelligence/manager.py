"""From what a source delivers to stories that count: cleaned, of our stocks, each once, scored and classed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Delivery, NewsItem, NewsSource, RawStory
from trading_bot.domain.words import counted
from trading_bot.intelligence.cleaning import LONGEST_HEADLINE, LONGEST_NAME, LONGEST_SUMMARY, address, plain
from trading_bot.intelligence.matching import first_told, symbols_of
from trading_bot.intelligence.sentiment import scorer

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=2)  # in which a source that delivers in order may still be late
NAMED = 3  # of the entries that could not be read, in one note


@dataclass(frozen=True, slots=True)
class Edition:
    """What one reading came to."""

    stories: tuple[NewsItem, ...] = ()  # new ones, oldest first
    notes: tuple[str, ...] = ()  # what was refused or left out, in words
    later: int = 0  # stories dated after the instant of the reading, ignored until it is their time


@dataclass(frozen=True, slots=True)
class NewsManager:
    """Reads one source. Keeps nothing: what was read before is handed in."""

    source: NewsSource
    max_age: timedelta  # older stories are ignored

    def read(self, at: datetime, symbols: Sequence[Symbol], known: Sequence[NewsItem]) -> Edition:
        """Return what is new at `at` about these stocks.

        `known` are the stories of the book that were published within `max_age` and `matching.SAME_STORY` before.
        Raises what `NewsSource.stories` raises.
        """
        since = at - self.max_age
        if self.source.in_order and known:
            since = max(since, max(story.published for story in known) - OVERLAP)
        delivery = self.source.stories(since, at, symbols)
        seen, universe = {story.story_id for story in known}, frozenset(symbols)
        fresh = [raw for raw in delivery.stories if since <= raw.published <= at and raw.story_id not in seen]
        mute: list[str] = []
        ours = [item for raw in fresh if (item := _item(raw, universe, mute)) is not None]
        new = tuple(first_told(ours, known))
        log.info("News: %d delivered, %d not seen before, %d new", *map(len, (delivery.stories, fresh, new)))
        return Edition(new, tuple(_notes(delivery, mute)), delivery.later)


def _item(raw: RawStory, universe: Collection[Symbol], mute: list[str]) -> NewsItem | None:
    """Return the story as it counts; None where it is about none of our stocks, or says nothing."""
    headline, summary = plain(raw.headline, LONGEST_HEADLINE), plain(raw.summary, LONGEST_SUMMARY)
    if not headline:
        mute.append(f"{plain(raw.story_id, LONGEST_NAME)}: nothing is left of its headline")
        return None
    if not any(map(str.isalnum, summary)):  # "-", "…": some send what stands for nothing
        summary = ""
    symbols = symbols_of(raw.symbols, f"{headline} {summary}", universe)
    if not symbols:
        return None
    score = scorer().score(headline, summary)
    return NewsItem(
        story_id=raw.story_id,
        source=plain(raw.source, LONGEST_NAME),
        published=raw.published,
        headline=headline,
        summary=summary,
        url=address(raw.url),
        symbols=symbols,
        score=score,
        impact=scorer().impact(headline, summary, score),
    )


def _notes(delivery: Delivery, mute: Sequence[str]) -> Iterator[str]:
    if refused := (*delivery.refused, *mute):
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        named = "; ".join(plain(each, 300) for each in refused[:NAMED])
        yield f"News: {counted(len(refused), 'item')} could not be read: {named}{more}"
    if delivery.cut_short:
        yield f"News: {delivery.cut_short}"
