"""From a signal to a fill."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from trading_bot.domain.orders import OrderStatus, OrderType, Purpose, Side, TimeInForce
from trading_bot.state.schema.metadata import metadata
from trading_bot.storage.columns import DateText, DecimalText, EnumText, FloatText, InstantText, JsonText

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
    Column("stop_price", DecimalText),  # dollars per share to wait for; none trades now
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
    Column("stop_price", DecimalText),  # dollars per share
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
