"""What the world said, and when we heard of it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from trading_bot.domain.news import Impact
from trading_bot.state.schema.metadata import metadata
from trading_bot.storage.columns import DateText, EnumText, FloatText, InstantText, JsonText

news = Table(
    "news",
    metadata,
    Column("story_id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("published_at", InstantText, nullable=False),
    Column("read_at", InstantText, nullable=False),  # the instant of the decision that first knew it
    Column("session", DateText, nullable=False),  # of that decision: the story counts for this one alone
    Column("lag_seconds", Integer, nullable=False),  # from published_at to read_at
    *(Column(name, Text, nullable=False) for name in ("headline", "summary", "url")),
    Column("score", FloatText, nullable=False),
    Column("impact", EnumText(Impact), nullable=False),
    Index("news_by_time", "published_at"),
    Index("news_by_session", "session"),
)

news_symbols = Table(
    "news_symbols",
    metadata,
    Column("story_id", Text, ForeignKey("news.story_id"), nullable=False),
    Column("symbol", Text, nullable=False),
    PrimaryKey("story_id", "symbol"),
    Index("news_by_symbol", "symbol", "story_id"),
    sqlite_with_rowid=False,
)

news_moods = Table(  # what the stories of a session come to: read in every cycle, for every session
    "news_moods",
    metadata,
    Column("session", DateText, primary_key=True),
    Column("scores", JsonText, nullable=False),  # symbol → sentiment
)
