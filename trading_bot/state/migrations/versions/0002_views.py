"""Create the views that are promised to users in `docs/sql.md`."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VIEWS = {
    "v_fills": """
        SELECT session, symbol, side, quantity, price, fee, client_order_id, filled_at
        FROM fills
    """,
    "v_orders": """
        SELECT i.client_order_id, i.symbol, i.side, i.type, i.quantity, o.filled, o.status, o.reason
        FROM intents AS i JOIN orders AS o ON o.client_order_id = i.client_order_id
    """,
    "v_decisions": """
        SELECT d.cycle_id, c.session, s.symbol, s.side, d.outcome, d.requested, d.approved, d.rule, d.reason
        FROM decisions AS d
        JOIN signals AS s ON s.cycle_id = d.cycle_id AND s.number = d.number
        JOIN cycles AS c ON c.cycle_id = d.cycle_id
    """,
    "v_equity": """
        SELECT session, cash, equity
        FROM equity
    """,
    "v_positions": """
        SELECT symbol, quantity, average_price
        FROM positions
        WHERE CAST(quantity AS REAL) <> 0
    """,
    "v_cycles": """
        SELECT cycle_id, session, status, skipped_because, started_at, ended_at
        FROM cycles
    """,
}


def upgrade() -> None:
    """Create every view."""
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
