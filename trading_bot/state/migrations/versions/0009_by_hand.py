"""Keep the shares that the owner buys and sells himself in the account."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("cash_activities", sa.Column("shares", sa.Text()))
