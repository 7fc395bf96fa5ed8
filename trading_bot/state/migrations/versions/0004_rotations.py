"""Keep who was in the team, who is in it now, and the scores that decided."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_VIEWS = {
    "v_rotations": """
        SELECT r.session, CASE WHEN r.changed THEN 'yes' ELSE 'no' END AS changed, r.criterion,
               (SELECT COUNT(*) FROM rotation_seats AS s WHERE s.session = r.session AND s.side = 'new') AS members,
               r.reason, r.decided_at
        FROM rotations AS r
    """,
    "v_team": """
        SELECT session, strategy, options, CAST(weight AS DOUBLE PRECISION) AS weight
        FROM rotation_seats
        WHERE side = 'new' AND session = (SELECT MAX(session) FROM rotations)
    """,
    "v_rotation_scores": """
        SELECT session, strategy, options, sessions_back, CAST(sharpe AS DOUBLE PRECISION) AS sharpe,
               CAST(sortino AS DOUBLE PRECISION) AS sortino,
               CAST(total_return AS DOUBLE PRECISION) AS total_return,
               CAST(drawdown AS DOUBLE PRECISION) AS drawdown,
               CAST(volatility AS DOUBLE PRECISION) AS volatility,
               CAST(exposure AS DOUBLE PRECISION) AS exposure,
               CAST(turnover AS DOUBLE PRECISION) AS turnover
        FROM rotation_scores
    """,
}


def upgrade() -> None:
    """Create the tables and their views."""
    op.create_table(
        "rotations",
        sa.Column("session", sa.Text(), primary_key=True),
        *_texts("criterion"),
        sa.Column("changed", sa.Boolean(), nullable=False),
        *_texts("reason", "run_id", "settings_hash", "market_hash", "decided_at"),
    )
    op.create_table(
        "rotation_seats",
        sa.Column("session", sa.Text(), primary_key=True),
        sa.Column("side", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        *_texts("strategy", "options", "weight"),
        sa.ForeignKeyConstraint(["session"], ["rotations.session"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rotation_scores",
        sa.Column("session", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        *_texts("strategy", "options"),
        sa.Column("sessions_back", sa.Integer(), nullable=False),
        *_texts("sharpe", "sortino", "volatility", nullable=True),
        *_texts("total_return", "drawdown", "exposure", "turnover"),
        sa.ForeignKeyConstraint(["session"], ["rotations.session"]),
        sqlite_with_rowid=False,
    )
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]
