from __future__ import annotations

from datetime import UTC
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.unit.state.books import NOON, TurnedClock
from trading_bot.domain.cycle import TradingState
from trading_bot.state import StateManager, upgrade
from trading_bot.state.schema import metadata
from trading_bot.storage.database import Database
from trading_bot.storage.dialects import make_engine


def test_the_bot_knows_every_migration_there_is():
    config = Config()
    config.set_main_option("script_location", str(upgrade.MIGRATIONS))
    script = ScriptDirectory.from_config(config)

    assert tuple(reversed([each.revision for each in script.walk_revisions()])) == upgrade.REVISIONS
    assert script.get_heads() == [upgrade.REVISIONS[-1]]


def test_migrations_make_just_the_tables_that_queries_use(path: Path):
    with StateManager.open(f"sqlite:///{path}", clock=TurnedClock()) as book, book.engine.connect() as connection:
        options = {"version_table": upgrade.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []


def old_book(path: Path) -> None:
    """Write a book as the first schema left it, with an owner who halted it."""
    engine = make_engine(f"sqlite:///{path}", busy_timeout_seconds=1, read_only=False)
    database = Database(engine, str(path))
    with database.writing() as connection:
        upgrade.migrate(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO control (id, state, cause, changed_by, changed_at, consecutive_errors)"
            " VALUES (1, 'halted', 'drawdown', 'bot', '2023-12-29T21:00:00.000000+00:00', 4)"
        )
        connection.exec_driver_sql("INSERT INTO lease (id, token) VALUES (1, 41)")
    database.close()


def test_fault_53_an_older_book_is_migrated_and_keeps_what_it_knew(tmp_path: Path):
    path = tmp_path / "book.db"
    old_book(path)

    with StateManager.open(f"sqlite:///{path}", clock=TurnedClock()) as book:
        state = book.control.read()
        lease = book.control.acquire_lease("us", ttl_seconds=60)
        with book.engine.connect() as connection:
            revision = upgrade.stored_revision(connection)
            assert connection.exec_driver_sql("SELECT * FROM v_fills").all() == []

    assert (state.state, state.consecutive_errors) == (TradingState.HALTED, 4)
    assert lease is not None
    assert lease.token == 42
    assert revision == "0003"


def test_a_book_shares_a_database_with_other_programs(tmp_path: Path):
    path = tmp_path / "shared.db"
    engine = make_engine(f"sqlite:///{path}", busy_timeout_seconds=1, read_only=False)
    database = Database(engine, str(path))
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    database.close()

    with StateManager.open(f"sqlite:///{path}", clock=TurnedClock()) as book:
        with book.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT * FROM alembic_version").all() == [("theirs",)]
        assert book.control.read().changed_at == NOON.astimezone(UTC)


def test_a_failed_migration_leaves_the_database_as_it_was(tmp_path: Path):
    path = tmp_path / "book.db"
    engine = make_engine(f"sqlite:///{path}", busy_timeout_seconds=1, read_only=False)
    database = Database(engine, str(path))
    try:
        with database.writing() as connection:
            upgrade.migrate(connection, "head")
            raise InterruptedError
    except InterruptedError:
        pass
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT name FROM sqlite_master").all() == []
    database.close()


def test_the_schema_can_be_written_down_for_postgresql():
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        assert all(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
