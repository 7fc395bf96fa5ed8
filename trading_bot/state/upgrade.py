"""Bring a book to the schema of this version. Alembic is imported only when there is something to do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, inspect, select

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import SchemaMismatch
from trading_bot.state.schema import THE_ROW, control, lease
from trading_bot.storage.database import Database

REVISIONS = tuple(f"{number:04}" for number in range(1, 11))  # oldest first; this version works with the last
VERSION_TABLE = "bensbot_version"  # Alembic's usual name may belong to another program in the same database
MIGRATIONS = Path(__file__).parent / "migrations"

_version = Table(VERSION_TABLE, MetaData(), Column("version_num", Text))


def stored_revision(connection: Connection) -> str | None:
    """Return the schema's revision, None for a database that is no book yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(select(_version.c.version_num))


def require_known(revision: str | None, place: str) -> None:
    """Raise SchemaMismatch unless this version of the bot knows the revision."""
    if revision is not None and revision not in REVISIONS:
        raise SchemaMismatch(
            f"The book {place} has schema {revision}; this version of the bot knows {REVISIONS[-1]} and older. "
            f"Upgrade the bot, or give it the copy of the book that was made before the newer version opened it."
        )


def bring_up_to_date(database: Database, now: datetime) -> None:
    """Create or migrate the schema in one transaction; an up-to-date book is only looked at.

    Raises:
        SchemaMismatch: the book was written by a newer version.
    """
    with database.reading() as connection:
        revision = stored_revision(connection)
    require_known(revision, database.place)
    if revision == REVISIONS[-1]:
        return
    with database.writing() as connection:  # the lock first: two processes may start at once
        if stored_revision(connection) != REVISIONS[-1]:
            migrate(connection, "head")
            _lay_first_rows(connection, now)


def migrate(connection: Connection, revision: str) -> None:
    """Run Alembic's migrations up to `revision` inside the transaction that is open."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, revision)


def _lay_first_rows(connection: Connection, now: datetime) -> None:
    if connection.scalar(select(control.c.id)) is not None:
        return
    first = {"id": THE_ROW, "state": TradingState.ACTIVE, "cause": "new book", "changed_by": "bensbot"}
    connection.execute(insert(control), {**first, "changed_at": now, "consecutive_errors": 0})
    connection.execute(insert(lease), {"id": THE_ROW, "token": 0})
