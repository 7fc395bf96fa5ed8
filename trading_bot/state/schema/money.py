"""What is owned, and what it is worth."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from trading_bot.state.schema.metadata import metadata
from trading_bot.storage.columns import DateText, DecimalText, InstantText

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
    Column("kind", Text, nullable=False),  # DEPOSIT, FILL, FEE, CASH_IN_LIEU; and those of cash_activities
    Column("amount", DecimalText, nullable=False),
    Column("balance", DecimalText, nullable=False),  # after this row
    Column("session", DateText),
    Column("symbol", Text),
    Column("execution_id", Text, ForeignKey("fills.execution_id")),
    Column("booked_at", InstantText, nullable=False),
)

cash_activities = Table(  # what the broker lists beside trades: a row for each movement of it in the cash ledger
    "cash_activities",
    metadata,
    Column("number", Integer, ForeignKey("cash_ledger.number"), primary_key=True, autoincrement=False),
    Column("activity_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # FEE, DIVIDEND, INTEREST, TRANSFER, EXTERNAL, OTHER
    Column("amount", DecimalText, nullable=False),
    Column("total", DecimalText, nullable=False),  # what the broker listed it with: the sum of its movements until then
    Column("day", DateText, nullable=False),
    Column("symbol", Text),
    Column("note", Text, nullable=False),
    Column("created_at", InstantText, nullable=False),  # the broker's clock
    Column("shares", DecimalText),  # bought (+) or sold (-) by the owner himself; NULL where cash alone moved
    Index("cash_activities_by_id", "activity_id"),
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
