"""The tables as queries see them. The migrations create them; a test keeps both the same.

Users read the `v_…` views of `docs/sql.md`; the tables may change between versions.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from trading_bot.domain.cycle import CycleStatus, TradingState
from trading_bot.domain.orders import OrderStatus, OrderType, Purpose, Side, TimeInForce
from trading_bot.domain.tournament import Criterion
from trading_bot.storage.columns import DateText, DecimalText, EnumText, FloatText, InstantText, JsonText

metadata = MetaData()

THE_ROW = 1  # control, lease and account have one row each

_TRIED = text("attempt > 0")  # cycles that were let in at least once

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
    Index("cycles_by_start", "started_at", sqlite_where=_TRIED, postgresql_where=_TRIED),
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

chores = Table(
    "chores",
    metadata,
    Column("chore", Text, nullable=False),  # e.g. "end-of-day"
    Column("session", DateText, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("done_at", InstantText, nullable=False),
    PrimaryKey("chore", "session"),
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
    Column("settings", Text, ForeignKey("chunks.digest"), nullable=False),  # its digest is cycles.settings_hash
    Column("universe", Text, ForeignKey("chunks.digest"), nullable=False),  # symbols, sectors, splits
    Column("months", Text, ForeignKey("chunks.digest"), nullable=False),  # the digests of complete months of bars
    Column("recent", Text, ForeignKey("chunks.digest")),  # bars of the newest month but the last session
    Column("newest", Text, ForeignKey("chunks.digest"), nullable=False),  # bars of the last session
    Column("body", LargeBinary, nullable=False),  # all that no other cycle shares, as JSON, compressed with zlib
)

signals = Table(
    "signals",
    metadata,
    Column("cycle_id", Text, ForeignKey("cycles.cycle_id"), nullable=False),
    Column("number", Integer, nullable=False),  # 0, 1, … in the order decided
    Column("symbol", Text, nullable=False),
    Column("side", EnumText(Side), nullable=False),
    Column("purpose", EnumText(Purpose), nullable=False),
    Column("wanted_weight", FloatText, nullable=False),
    Column("strength", FloatText, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JsonText, nullable=False),
    PrimaryKey("cycle_id", "number"),
    Index("signals_by_symbol", "symbol", "cycle_id"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("cycle_id", Text, nullable=False),
    Column("number", Integer, nullable=False),  # the signal's
    Column("outcome", Text, nullable=False),  # approved, resized or rejected
    Column("requested", DecimalText, nullable=False),
    Column("approved", DecimalText, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rulings", JsonText, nullable=False),
    PrimaryKey("cycle_id", "number"),
    ForeignKeyConstraint(["cycle_id", "number"], ["signals.cycle_id", "signals.number"]),
    Index("decisions_by_rule", "outcome", "rule", "cycle_id"),
)

intents = Table(
    "intents",
    metadata,
    Column("client_order_id", Text, primary_key=True),
    Column("cycle_id", Text, nullable=False),
    Column("decision", Integer, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", EnumText(Side), nullable=False),
    Column("purpose", EnumText(Purpose), nullable=False),
    Column("quantity", DecimalText, nullable=False),
    Column("type", EnumText(OrderType), nullable=False),
    Column("limit_price", DecimalText),
    Column("time_in_force", EnumText(TimeInForce), nullable=False),
    Column("reference_price", DecimalText),  # dollars per share the decision was taken at
    ForeignKeyConstraint(["cycle_id", "decision"], ["decisions.cycle_id", "decisions.number"]),
    Index("intents_by_decision", "cycle_id", "decision"),
)

orders = Table(
    "orders",
    metadata,
    Column("client_order_id", Text, ForeignKey("intents.client_order_id"), primary_key=True),
    Column("status", EnumText(OrderStatus), nullable=False),
    Column("filled", DecimalText, nullable=False),  # shares of booked fills
    Column("reported", DecimalText, nullable=False),  # shares the broker says are filled
    Column("settled", Boolean, nullable=False),  # final, and every reported share is booked
    Column("broker_order_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sent_at", InstantText),  # our clock
    Column("updated_at", InstantText),  # the broker's clock
    Index("orders_by_settled", "settled"),
)

fills = Table(
    "fills",
    metadata,
    Column("execution_id", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # order of booking, shared with corporate_actions
    Column("client_order_id", Text, ForeignKey("orders.client_order_id"), nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", EnumText(Side), nullable=False),
    Column("quantity", DecimalText, nullable=False),
    Column("price", DecimalText, nullable=False),
    Column("fee", DecimalText, nullable=False),
    Column("session", DateText, nullable=False),
    Column("filled_at", InstantText, nullable=False),
    Index("fills_by_number", "number", unique=True),
    Index("fills_by_order", "client_order_id"),
    Index("fills_by_symbol", "symbol", "number"),
    Index("fills_by_session", "session"),
)

corporate_actions = Table(
    "corporate_actions",
    metadata,
    Column("symbol", Text, nullable=False),
    Column("session", DateText, nullable=False),
    Column("number", Integer, nullable=False),
    Column("ratio", DecimalText, nullable=False),  # new shares for each old one
    Column("quantity", DecimalText, nullable=False),  # old shares held before
    Column("remainder", DecimalText, nullable=False),  # new shares paid out in cash
    Column("price", DecimalText, nullable=False),  # dollars per new share
    Column("cash", DecimalText, nullable=False),
    Column("applied_at", InstantText, nullable=False),
    PrimaryKey("symbol", "session"),
    Index("corporate_actions_by_number", "number", unique=True),
)

positions = Table(
    "positions",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("quantity", DecimalText, nullable=False),  # 0 is kept: last_session still counts
    Column("average_price", DecimalText, nullable=False),
    Column("first_session", DateText, nullable=False),
    Column("last_session", DateText, nullable=False),  # newest fill or split in it
)

cash_ledger = Table(
    "cash_ledger",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3, …
    Column("kind", Text, nullable=False),  # DEPOSIT, FILL, FEE, CASH_IN_LIEU
    Column("amount", DecimalText, nullable=False),
    Column("balance", DecimalText, nullable=False),  # after this row
    Column("session", DateText),
    Column("symbol", Text),
    Column("execution_id", Text, ForeignKey("fills.execution_id")),
    Column("booked_at", InstantText, nullable=False),
)

equity = Table(
    "equity",
    metadata,
    Column("session", DateText, primary_key=True),
    Column("cash", DecimalText, nullable=False),
    Column("equity", DecimalText, nullable=False),
    Column("gross", DecimalText),  # dollars in positions, long and short added up; NULL in old rows
    Column("cycle_id", Text, nullable=False),
    Column("cash_rows", Integer, nullable=False),  # number of the newest cash_ledger row counted
    Column("marked_at", InstantText, nullable=False),
)
