"""Create the tables.

Money, quantities, floats, dates and instants are text: see `trading_bot/storage/columns.py`. There is
no way back from a migration; keep a copy of the book before you upgrade the bot.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table and index."""
    _control()
    _cycles()
    _decisions()
    _orders()
    _fills()
    _ledger()


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _integer(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _control() -> None:
    op.create_table(
        "control",
        _number("id"),
        *_texts("state", "cause", "changed_by", "changed_at"),
        _integer("consecutive_errors"),
        *_texts("next_allowed_at", "resumed_at_session", nullable=True),
    )
    op.create_table(
        "state_changes",
        sa.Column("number", sa.Integer(), primary_key=True),
        *_texts("changed_at", "old_state", "new_state", "cause", "changed_by"),
    )
    op.create_table("failures", _key("run_id"), *_texts("error", "failed_at"))
    op.create_table("lease", _number("id"), _integer("token"), *_texts("owner", "expires_at", nullable=True))
    op.create_table("account", _number("id"), *_texts("account_id", "mode", "opening_cash", "bound_at"))


def _cycles() -> None:
    op.create_table(
        "cycles",
        _key("cycle_id"),
        *_texts("session", "scheduled_at", "status"),
        _integer("attempt"),
        *_texts("run_id", nullable=True),
        _integer("lease_token", nullable=True),
        *_texts("state", "settings_hash", "market_hash", nullable=True),
        *_texts("started_at"),
        *_texts("decided_at", "ended_at", "skipped_because", nullable=True),
        *_texts("message"),
        *_texts("trend", "volatility", "regime", nullable=True),
        _integer("symbols_wanted", nullable=True),
        _integer("symbols_usable", nullable=True),
    )
    op.create_index("cycles_by_status", "cycles", ["status", "session"])
    op.create_index("cycles_by_run", "cycles", ["run_id"])


def _decisions() -> None:
    op.create_table(
        "signals",
        _key("cycle_id"),
        _number("number"),
        *_texts("symbol", "side", "purpose", "wanted_weight", "strength", "strategy", "reason", "evidence"),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.cycle_id"]),
    )
    op.create_table(
        "decisions",
        _key("cycle_id"),
        _number("number"),
        *_texts("outcome", "requested", "approved", "rule", "reason", "rulings"),
        sa.ForeignKeyConstraint(["cycle_id", "number"], ["signals.cycle_id", "signals.number"]),
    )


def _orders() -> None:
    op.create_table(
        "intents",
        _key("client_order_id"),
        *_texts("cycle_id"),
        _integer("decision"),
        *_texts("symbol", "side", "purpose", "quantity", "type"),
        *_texts("limit_price", nullable=True),
        *_texts("time_in_force"),
        sa.ForeignKeyConstraint(["cycle_id", "decision"], ["decisions.cycle_id", "decisions.number"]),
    )
    op.create_index("intents_by_decision", "intents", ["cycle_id", "decision"])
    op.create_table(
        "orders",
        _key("client_order_id"),
        *_texts("status", "filled", "reported"),
        sa.Column("settled", sa.Boolean(), nullable=False),
        *_texts("broker_order_id", "reason"),
        *_texts("sent_at", "updated_at", nullable=True),
        sa.ForeignKeyConstraint(["client_order_id"], ["intents.client_order_id"]),
    )
    op.create_index("orders_by_settled", "orders", ["settled"])


def _fills() -> None:
    op.create_table(
        "fills",
        _key("execution_id"),
        _integer("number"),
        *_texts("client_order_id", "symbol", "side", "quantity", "price", "fee", "session", "filled_at"),
        sa.ForeignKeyConstraint(["client_order_id"], ["orders.client_order_id"]),
    )
    op.create_index("fills_by_number", "fills", ["number"], unique=True)
    op.create_index("fills_by_order", "fills", ["client_order_id"])
    op.create_index("fills_by_symbol", "fills", ["symbol"])


def _ledger() -> None:
    op.create_table(
        "corporate_actions",
        _key("symbol"),
        _key("session"),
        _integer("number"),
        *_texts("ratio", "quantity", "remainder", "price", "cash", "applied_at"),
    )
    op.create_index("corporate_actions_by_number", "corporate_actions", ["number"], unique=True)
    op.create_table(
        "positions",
        _key("symbol"),
        *_texts("quantity", "average_price", "first_session", "last_session"),
    )
    op.create_table(
        "cash_ledger",
        _number("number"),
        *_texts("kind", "amount", "balance"),
        *_texts("session", "symbol", "execution_id", nullable=True),
        *_texts("booked_at"),
        sa.ForeignKeyConstraint(["execution_id"], ["fills.execution_id"]),
    )
    op.create_table(
        "equity",
        _key("session"),
        *_texts("cash", "equity", "cycle_id"),
        _integer("cash_rows"),
        *_texts("marked_at"),
    )
