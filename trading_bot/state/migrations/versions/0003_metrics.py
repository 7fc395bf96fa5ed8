"""Keep chores done, durations of steps, reference prices and exposure: what the metrics are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VIEWS = {
    "v_steps": """
        SELECT t.cycle_id, c.session, t.step, CAST(t.seconds AS DOUBLE PRECISION) AS seconds
        FROM cycle_steps AS t JOIN cycles AS c ON c.cycle_id = t.cycle_id
    """,
    "v_slippage": """
        SELECT f.session, f.symbol, f.side, f.quantity, i.reference_price, f.price,
               CASE f.side WHEN 'buy' THEN 10000 ELSE -10000 END
                   * (CAST(f.price AS DOUBLE PRECISION) / CAST(i.reference_price AS DOUBLE PRECISION) - 1) AS bps,
               f.client_order_id
        FROM fills AS f JOIN intents AS i ON i.client_order_id = f.client_order_id
        WHERE i.reference_price IS NOT NULL
    """,
}


def upgrade() -> None:
    """Create the tables, columns, indexes and views."""
    op.create_table(
        "chores",
        sa.Column("chore", sa.Text(), primary_key=True),
        sa.Column("session", sa.Text(), primary_key=True),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("done_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "cycle_steps",
        sa.Column("cycle_id", sa.Text(), primary_key=True),
        sa.Column("step", sa.Text(), primary_key=True),
        sa.Column("seconds", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.cycle_id"]),
        sqlite_with_rowid=False,
    )
    op.add_column("intents", sa.Column("reference_price", sa.Text()))
    op.add_column("equity", sa.Column("gross", sa.Text()))
    tried = sa.text("attempt > 0")
    op.create_index("cycles_by_start", "cycles", ["started_at"], sqlite_where=tried, postgresql_where=tried)
    op.create_index("cycles_by_session", "cycles", ["session", "status"])
    op.create_index("decisions_by_rule", "decisions", ["outcome", "rule", "cycle_id"])
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
