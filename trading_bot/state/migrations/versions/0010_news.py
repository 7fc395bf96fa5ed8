"""Keep the stories that decisions knew."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their indexes and the view."""
    op.create_table(
        "news",
        sa.Column("story_id", sa.Text(), primary_key=True),
        *_texts("source", "published_at", "read_at", "session"),
        sa.Column("lag_seconds", sa.Integer(), nullable=False),
        *_texts("headline", "summary", "url", "score", "impact"),
    )
    op.create_index("news_by_time", "news", ["published_at"])
    op.create_index("news_by_session", "news", ["session"])
    op.create_table(
        "news_symbols",
        sa.Column("story_id", sa.Text(), sa.ForeignKey("news.story_id"), primary_key=True),
        sa.Column("symbol", sa.Text(), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("news_by_symbol", "news_symbols", ["symbol", "story_id"])
    op.create_table("news_moods", sa.Column("session", sa.Text(), primary_key=True), *_texts("scores"))
    op.execute("""
        CREATE VIEW v_news AS
        SELECT n.session, s.symbol, n.published_at, n.read_at, n.source, n.headline,
               CAST(n.score AS DOUBLE PRECISION) AS score, n.impact, n.url, n.story_id
        FROM news AS n JOIN news_symbols AS s ON s.story_id = n.story_id
    """)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
