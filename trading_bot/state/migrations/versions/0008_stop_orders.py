"""Keep the price that a stop order waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; orders of before waited for none."""
    for table in ("signals", "intents"):
        op.add_column(table, sa.Column("stop_price", sa.Text()))
