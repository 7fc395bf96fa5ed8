"""From what sources deliver to stories that count: cleaned, of our stocks, each once, scored and classed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading_bot.domain.errors import BrokerError, DataError, SourceUnavailable
from trading_bot.domain.news import Delivery, NewsItem, NewsSource, Rationed, RawStory
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import counted, one_line
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
    trouble: tuple[str, ...] = ()  # which sources could not be read, and why, in words


@dataclass(frozen=True, slots=True)
class NewsManager:
    """Reads its sources, one after the other. Keeps nothing: what was read before is handed in."""

    sources: Mapping[str, NewsSource]  # by name; in which order they are asked changes nothing
    max_age: timedelta  # older stories are ignored
    companies: Mapping[str, str] = field(default_factory=dict[str, str])  # the name that means a ticker, by ticker

    def read(
        self, at: datetime, symbols: Sequence[Symbol], known: Sequence[NewsItem], previous: datetime | None = None
    ) -> Edition:
        """Return what is new at `at` about these stocks. A source that fails costs its own stories and no others.

        `known` are the stories of the book that were published within `max_age` and `matching.SAME_STORY` before,
        `previous` is the instant of the cycle before, which may have asked already.
        Raises SettingsError: a source lacks an option.
        """
        seen = {story.story_id for story in known}
        ours: list[NewsItem] = []
        notes: list[str] = []
        trouble: list[str] = []
        later = 0
        for name, source in self.sources.items():
            if not is_due(source, at, previous):
                continue
            since = self._since(name, source, at, known)
            try:
                delivery = source.stories(since, at, symbols)
            except (SourceUnavailable, DataError, BrokerError) as error:
                trouble.append(f"The news of {name} could not be read: {one_line(str(error))}")
                log.warning("%s", trouble[-1])
                continue
            fresh = [raw for raw in delivery.stories if since <= raw.published <= at and raw.story_id not in seen]
            log.info("News of %s: %d delivered, %d not seen before", name, len(delivery.stories), len(fresh))
            mute: list[str] = []
            ours += self._items(fresh, frozenset(symbols), mute)
            notes += _notes(name, delivery, mute)
            later += delivery.later
        return Edition(tuple(first_told(ours, known)), tuple(notes), later, tuple(trouble))

    def _since(self, name: str, source: NewsSource, at: datetime, known: Sequence[NewsItem]) -> datetime:
        """Return from when on to ask: a source in order has told everything before the newest of its own stories."""
        own = [story.published for story in known if story.story_id.startswith(f"{name}:")]
        return max(at - self.max_age, max(own) - OVERLAP) if source.in_order and own else at - self.max_age

    def _items(self, fresh: Sequence[RawStory], universe: Collection[Symbol], mute: list[str]) -> Iterator[NewsItem]:
        """Yield the stories as they count, without those about none of our stocks; what says nothing is named."""
        for raw in fresh:
            headline, summary = plain(raw.headline, LONGEST_HEADLINE), plain(raw.summary, LONGEST_SUMMARY)
            if not headline:
                mute.append(f"{plain(raw.story_id, LONGEST_NAME)}: nothing is left of its headline")
                continue
            if not any(map(str.isalnum, summary)):  # "-", "…": some send what stands for nothing
                summary = ""
            if symbols := symbols_of(raw.symbols, f"{headline} {summary}", universe, self.companies):
                yield _scored(raw, headline, summary, symbols)


def is_due(source: NewsSource, at: datetime, previous: datetime | None) -> bool:
    """Say whether a source is asked at `at`: one that counts requests only by the first cycle of each of its spans."""
    if not isinstance(source, Rationed) or source.every_minutes == 0 or previous is None:
        return True
    span = source.every_minutes * 60  # seconds
    return int(at.timestamp()) // span != int(previous.timestamp()) // span


def _scored(raw: RawStory, headline: str, summary: str, symbols: tuple[Symbol, ...]) -> NewsItem:
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


def _notes(name: str, delivery: Delivery, mute: Sequence[str]) -> Iterator[str]:
    if refused := (*delivery.refused, *mute):
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        named = "; ".join(plain(each, 300) for each in refused[:NAMED])
        yield f"News of {name}: {counted(len(refused), 'item')} could not be read: {named}{more}"
    if delivery.cut_short:
        yield f"News of {name}: {delivery.cut_short}"
