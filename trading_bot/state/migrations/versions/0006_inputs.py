"""Keep what every decision rested on, and find the decisions about one symbol."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the index."""
    op.create_table(
        "chunks",
        sa.Column("digest", sa.Text(), primary_key=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "cycle_inputs",
        sa.Column("cycle_id", sa.Text(), sa.ForeignKey("cycles.cycle_id"), primary_key=True),
        *(_chunk(name) for name in ("settings", "universe", "months")),
        _chunk("recent", nullable=True),
        _chunk("newest"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_index("signals_by_symbol", "signals", ["symbol", "cycle_id"])


def _chunk(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), sa.ForeignKey("chunks.digest"), nullable=nullable)
