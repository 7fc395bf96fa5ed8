"""The stories that decisions knew. A story counts for the session in which it was first read, and for no other."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, text

from trading_bot.domain.cycle import Lease
from trading_bot.domain.news import NewsItem, ReadStory, StoryId, moods
from trading_bot.domain.symbols import Symbol
from trading_bot.state import lease as leases
from trading_bot.state.schema import cycles, news, news_moods, news_symbols
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock

_AT_ONCE = 500  # ids in one statement; databases have a limit
_STORIES = select(news, news_symbols.c.symbol).join(news_symbols)
_OLDEST_FIRST = (news.c.published_at, news.c.story_id, news_symbols.c.symbol)


class NewsBook:
    """What was read, and what each session's stories come to."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database, self._clock = database, clock

    def keep(self, lease: Lease, session: date, at: datetime, stories: Sequence[NewsItem]) -> None:
        """Write down what was first read for the decision of `session` at `at`, and what the session comes to by now.

        A story whose id is there already stays as it was. Raises LeaseLost: the lease is not ours any more.
        """
        with self._database.writing() as connection:
            leases.require(connection, lease, self._clock.now())
            known = {each.story.story_id for each in _with_ids(connection, [story.story_id for story in stories])}
            new = [story for story in stories if story.story_id not in known]
            if not new:
                return
            connection.execute(insert(news), [_cells(story, session, at) for story in new])
            pairs = [{"story_id": story.story_id, "symbol": symbol} for story in new for symbol in story.symbols]
            connection.execute(insert(news_symbols), pairs)
            everything = _found(connection, _STORIES.where(news.c.session == session))
            connection.execute(delete(news_moods).where(news_moods.c.session == session))
            scores = moods(each.story for each in everything)
            connection.execute(insert(news_moods), {"session": session, "scores": dict(scores)})

    def moods(self) -> Mapping[date, Mapping[Symbol, float]]:
        """Return the sentiment of every session that had news, by symbol."""
        with self._database.reading() as connection:
            return {row.session: row.scores for row in connection.execute(select(news_moods))}

    def since(self, published: datetime) -> tuple[NewsItem, ...]:
        """Return what was published from then on, oldest first."""
        with self._database.reading() as connection:
            return tuple(each.story for each in _found(connection, _STORIES.where(news.c.published_at >= published)))

    def cycle_before(self, cycle_id: str) -> datetime | None:
        """Return the instant of the cycle that began last before this one; None: there was none.

        It may have read the news; one that was skipped never began.
        """
        begun = select(cycles.c.scheduled_at).where(text("attempt > 0"), cycles.c.cycle_id != cycle_id)
        with self._database.reading() as connection:
            return connection.scalar(begun.order_by(cycles.c.started_at.desc(), cycles.c.cycle_id.desc()).limit(1))

    def behind(
        self, symbols: Collection[Symbol], *, published: datetime, read: datetime
    ) -> Mapping[Symbol, tuple[StoryId, ...]]:
        """Return by symbol what was published from `published` on and known at `read`, oldest first."""
        query = select(news_symbols.c.symbol, news.c.story_id).join(news)
        query = query.where(news.c.published_at >= published, news.c.read_at <= read)
        found: dict[Symbol, tuple[StoryId, ...]] = {}
        with self._database.reading() as connection:
            for symbol, story in connection.execute(query.order_by(news.c.published_at, news.c.story_id)):
                if symbol in symbols:
                    found[symbol] = (*found.get(symbol, ()), StoryId(story))
        return found

    def named(self, ids: Sequence[StoryId]) -> tuple[NewsItem, ...]:
        """Return the stories with these ids that the book has, oldest first."""
        with self._database.reading() as connection:
            found = [each.story for each in _with_ids(connection, ids)]
        return tuple(sorted(found, key=lambda story: (story.published, story.story_id)))

    def newest(self, symbol: Symbol | None = None, *, limit: int | None = None) -> tuple[ReadStory, ...]:
        """Return stories, the newest first: those about `symbol`, or all."""
        about = select(news_symbols.c.story_id).where(news_symbols.c.symbol == symbol)
        wanted = select(news.c.story_id).order_by(news.c.published_at.desc(), news.c.story_id.desc())
        if symbol is not None:
            wanted = wanted.where(news.c.story_id.in_(about))
        with self._database.reading() as connection:
            ids = list(connection.scalars(wanted if limit is None else wanted.limit(limit)))
            found = {each.story.story_id: each for each in _with_ids(connection, ids)}
        return tuple(found[story_id] for story_id in ids)


def _with_ids(connection: Connection, ids: Sequence[StoryId]) -> Iterator[ReadStory]:
    for at in range(0, len(ids), _AT_ONCE):
        yield from _found(connection, _STORIES.where(news.c.story_id.in_(ids[at : at + _AT_ONCE])))


def _found(connection: Connection, query: Select[Any]) -> list[ReadStory]:
    rows = connection.execute(query.order_by(*_OLDEST_FIRST))
    return [_read(list(group)) for _, group in itertools.groupby(rows, key=lambda row: row.story_id)]


def _read(rows: Sequence[Row[Any]]) -> ReadStory:
    row = rows[0]
    story = NewsItem(
        story_id=StoryId(row.story_id),
        source=row.source,
        published=row.published_at,
        headline=row.headline,
        summary=row.summary,
        url=row.url,
        symbols=tuple(Symbol(each.symbol) for each in rows),
        score=row.score,
        impact=row.impact,
    )
    return ReadStory(story, row.session, row.read_at)


def _cells(story: NewsItem, session: date, at: datetime) -> dict[str, Any]:
    return {
        "story_id": story.story_id,
        "source": story.source,
        "published_at": story.published,
        "read_at": at,
        "session": session,
        "lag_seconds": round((at - story.published).total_seconds()),
        "headline": story.headline,
        "summary": story.summary,
        "url": story.url,
        "score": story.score,
        "impact": story.impact,
    }
