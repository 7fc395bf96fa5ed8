"""May the bot trade, for whom, and what was done once."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Integer,
    Table,
    Text,
)
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from trading_bot.domain.cycle import TradingState
from trading_bot.state.schema.metadata import metadata
from trading_bot.storage.columns import DateText, DecimalText, EnumText, InstantText

control = Table(
    "control",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("state", EnumText(TradingState), nullable=False),
    Column("cause", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", InstantText, nullable=False),
    Column("consecutive_errors", Integer, nullable=False),
    Column("next_allowed_at", InstantText),
    Column("resumed_at_session", DateText),  # the high-water mark counts from here
)

state_changes = Table(
    "state_changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("changed_at", InstantText, nullable=False),
    Column("old_state", EnumText(TradingState), nullable=False),
    Column("new_state", EnumText(TradingState), nullable=False),
    Column("cause", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
)

failures = Table(
    "failures",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("error", Text, nullable=False),
    Column("failed_at", InstantText, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("token", Integer, nullable=False),  # only ever grows
    Column("owner", Text),  # NULL: nobody holds it
    Column("expires_at", InstantText),
)

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("opening_cash", DecimalText, nullable=False),
    Column("bound_at", InstantText, nullable=False),
)

chores = Table(
    "chores",
    metadata,
    Column("chore", Text, nullable=False),  # e.g. "end-of-day"
    Column("session", DateText, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("done_at", InstantText, nullable=False),
    PrimaryKey("chore", "session"),
)
