"""Find the fills of the last sessions, and a symbol's fills from the newest on, without reading all others."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes."""
    op.drop_index("fills_by_symbol", "fills")
    op.create_index("fills_by_symbol", "fills", ["symbol", "number"])
    op.create_index("fills_by_session", "fills", ["session"])
