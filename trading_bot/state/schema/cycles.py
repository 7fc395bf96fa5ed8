"""Which cycles ran, who decides, and what a decision rested on."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from trading_bot.domain.cycle import CycleStatus, TradingState
from trading_bot.domain.tournament import Criterion
from trading_bot.state.schema.metadata import metadata
from trading_bot.storage.columns import DateText, EnumText, FloatText, InstantText, JsonText

cycles = Table(
    "cycles",
    metadata,
    Column("cycle_id", Text, primary_key=True),
    Column("session", DateText, nullable=False),
    Column("scheduled_at", InstantText, nullable=False),
    Column("status", EnumText(CycleStatus), nullable=False),
    Column("attempt", Integer, nullable=False),  # 0: only ever skipped
    Column("run_id", Text),
    Column("lease_token", Integer),
    Column("state", EnumText(TradingState)),  # when the attempt that decided began
    Column("settings_hash", Text),
    Column("market_hash", Text),
    Column("started_at", InstantText, nullable=False),
    Column("decided_at", InstantText),
    Column("ended_at", InstantText),
    Column("skipped_because", Text),
    Column("message", Text, nullable=False),
    Column("trend", Text),
    Column("volatility", Text),
    Column("regime", Text),
    Column("symbols_wanted", Integer),
    Column("symbols_usable", Integer),
    Index("cycles_by_status", "status", "session"),
    Index("cycles_by_run", "run_id"),
    # Of cycles that were let in at least once. To say so (`postgresql_where`) would load that dialect in every command.
    Index("cycles_by_start", "started_at"),
    Index("cycles_by_session", "session", "status"),
)

cycle_steps = Table(
    "cycle_steps",
    metadata,
    Column("cycle_id", Text, ForeignKey("cycles.cycle_id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("seconds", FloatText, nullable=False),
    PrimaryKey("cycle_id", "step"),
    sqlite_with_rowid=False,  # eight rows a cycle: half the room
)

rotations = Table(
    "rotations",
    metadata,
    Column("session", DateText, primary_key=True),
    Column("criterion", EnumText(Criterion), nullable=False),
    Column("changed", Boolean, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("reason", "run_id", "settings_hash", "market_hash")),
    Column("decided_at", InstantText, nullable=False),
)

rotation_seats = Table(
    "rotation_seats",
    metadata,
    Column("session", DateText, ForeignKey("rotations.session"), nullable=False),
    Column("side", Text, nullable=False),  # old or new
    Column("number", Integer, nullable=False, autoincrement=False),  # 0, 1, … in the order of the team
    Column("strategy", Text, nullable=False),
    Column("options", JsonText, nullable=False),
    Column("weight", FloatText, nullable=False),
    PrimaryKey("session", "side", "number"),
    sqlite_with_rowid=False,
)

rotation_scores = Table(
    "rotation_scores",
    metadata,
    Column("session", DateText, ForeignKey("rotations.session"), nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),  # 0 is the best
    Column("strategy", Text, nullable=False),
    Column("options", JsonText, nullable=False),
    Column("sessions_back", Integer, nullable=False),
    *(Column(name, FloatText) for name in ("sharpe", "sortino", "volatility")),
    *(Column(name, FloatText, nullable=False) for name in ("total_return", "drawdown", "exposure", "turnover")),
    PrimaryKey("session", "number"),
    sqlite_with_rowid=False,
)

chunks = Table(
    "chunks",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of the body before it was compressed, in hex
    Column("body", LargeBinary, nullable=False),  # compressed with zlib
)

cycle_inputs = Table(
    "cycle_inputs",
    metadata,
    Column("cycle_id", Text, ForeignKey("cycles.cycle_id"), primary_key=True),
    Column("settings", Text, ForeignKey("chunks.digest"), nullable=False),
    Column("universe", Text, ForeignKey("chunks.digest"), nullable=False),  # symbols, sectors, splits
    Column("months", Text, ForeignKey("chunks.digest"), nullable=False),  # the digests of complete months of bars
    Column("recent", Text, ForeignKey("chunks.digest")),  # bars of the newest month but the last session
    Column("newest", Text, ForeignKey("chunks.digest"), nullable=False),  # bars of the last session
    Column("body", LargeBinary, nullable=False),  # all that no other cycle shares, as JSON, compressed with zlib
)
