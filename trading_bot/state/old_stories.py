"""Which stories no decision needs any more.

A story stays while it may still be told again, and for ever where an order may follow from it: `why` tells then which
headline stood behind it. The sentiment of each session stays in any case.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, func, select, type_coerce

from trading_bot.state.schema import cycles, intents, news, news_symbols
from trading_bot.storage.parquet import Kind, Sheet

STORIES = {
    "story_id": Kind.TEXT,
    "session": Kind.DAY,
    "source": Kind.TEXT,
    "published_at": Kind.INSTANT,
    "read_at": Kind.INSTANT,
    "headline": Kind.TEXT,
    "summary": Kind.TEXT,
    "url": Kind.TEXT,
    "score": Kind.REAL,
    "impact": Kind.TEXT,
}
ABOUT = {"story_id": Kind.TEXT, "symbol": Kind.TEXT, "session": Kind.DAY}

YOUNG = timedelta(days=33)  # a story counts for 30 days at most (`news.max_age_hours`), and is told again for two


def months_of_stories(connection: Connection, limit: date) -> set[str]:
    """Return the months, as 2022-01, in which stories were read that may go. Sessions from `limit` on stay."""
    return {row.session[:7] for row in _old(connection, limit)}


def old_stories(connection: Connection, limit: date, month: str) -> tuple[Sheet, Sheet]:
    """Return the stories of one month that may go, and the symbols they are about. Sessions from `limit` on stay."""
    about = _old(connection, limit, _month() == month)
    wanted = {row.story_id for row in about}
    stories = [row for row in connection.execute(_written().where(_month() == month)) if row.story_id in wanted]
    return (
        Sheet("news", STORIES, 1, tuple(tuple(row) for row in stories)),
        Sheet("news_symbols", ABOUT, 2, tuple(tuple(row) for row in about)),
    )


def _old(connection: Connection, limit: date, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
    """Return a row for each story and symbol of the stories that may go."""
    if limit == date.min:  # nothing was ever traded
        return []
    told = list(connection.execute(_told().where(news.c.session < limit - YOUNG, *conditions)))
    needed = _behind_orders(connection, told)
    return [row for row in told if row.story_id not in needed]


def _behind_orders(connection: Connection, told: Iterable[Row[Any]]) -> set[str]:
    """Return the stories that were young when something was ordered in a stock they are about."""
    ordered: defaultdict[str, list[date]] = defaultdict(list)
    query = select(intents.c.symbol, cycles.c.session).join(cycles, cycles.c.cycle_id == intents.c.cycle_id)
    for symbol, session in connection.execute(query.distinct().order_by(cycles.c.session)):
        ordered[symbol].append(session)
    return {row.story_id for row in told if _has_one(ordered[row.symbol], date.fromisoformat(row.session))}


def _has_one(sessions: list[date], first: date) -> bool:
    """Say whether one of the ascending `sessions` lies between `first` and the end of a story's youth."""
    place = bisect_left(sessions, first)
    return place < len(sessions) and sessions[place] <= first + YOUNG


def _told() -> Select[Any]:
    """Return what asks for a story and a symbol it is about, the oldest first."""
    columns = (news.c.story_id, news_symbols.c.symbol, type_coerce(news.c.session, Text).label("session"))
    return select(*columns).join(news_symbols).order_by(news.c.session, news.c.story_id, news_symbols.c.symbol)


def _written() -> Select[Any]:
    columns = (type_coerce(news.c[name], Text).label(name) for name in STORIES)
    return select(*columns).order_by(news.c.session, news.c.story_id)


def _month() -> ColumnElement[str]:
    return func.substr(type_coerce(news.c.session, Text), 1, 7)
