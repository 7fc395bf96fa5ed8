"""Keep what the broker lists beside trades, and show every movement of cash."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, its index and the view."""
    op.create_table(
        "cash_activities",
        sa.Column("number", sa.Integer(), sa.ForeignKey("cash_ledger.number"), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("activity_id", "kind", "amount", "total", "day")),
        sa.Column("symbol", sa.Text()),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("note", "created_at")),
    )
    op.create_index("cash_activities_by_id", "cash_activities", ["activity_id"])
    op.execute("""
        CREATE VIEW v_cash AS
        SELECT l.number, l.session, l.kind, l.symbol, l.amount, l.balance, a.note
        FROM cash_ledger AS l LEFT JOIN cash_activities AS a ON a.number = l.number
    """)
