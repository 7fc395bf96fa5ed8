from __future__ import annotations

from datetime import UTC, date
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.unit.state.books import NOON, TurnedClock, open_desk
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.orders import Side
from trading_bot.state import StateManager, check_ledger, upgrade
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
    assert revision == "0010"


SECOND_SCHEMA = """
    INSERT INTO control (id, state, cause, changed_by, changed_at, consecutive_errors)
        VALUES (1, 'active', 'new book', 'bensbot', '2024-01-08T20:00:00.000000+00:00', 0);
    INSERT INTO lease (id, token) VALUES (1, 7);
    INSERT INTO account VALUES (1, 'PA1', 'paper', '10000.00', '2024-01-08T20:00:00.000000+00:00');
    INSERT INTO cycles (cycle_id, session, scheduled_at, status, attempt, state, run_id, started_at, ended_at, message,
                        symbols_wanted, symbols_usable)
        VALUES ('monday', '2024-01-08', '2024-01-08T21:00:00.000000+00:00', 'completed', 1, 'active', 'run-monday',
                '2024-01-08T21:00:01.000000+00:00', '2024-01-08T21:00:02.000000+00:00', '', 20, 19);
    INSERT INTO signals VALUES ('monday', 0, 'AAPL', 'buy', 'entry', '0.1', '0.5', 'momentum', 'strong', '{}');
    INSERT INTO decisions VALUES ('monday', 0, 'approved', '10', '10', '', 'fine', '[]');
    INSERT INTO intents VALUES ('bb-1', 'monday', 0, 'AAPL', 'buy', 'entry', '10', 'market', NULL, 'day');
    INSERT INTO orders VALUES ('bb-1', 'filled', '10', '10', 1, 'B1', '', NULL, NULL);
    INSERT INTO fills VALUES ('x-1', 1, 'bb-1', 'AAPL', 'buy', '10', '100', '0.35', '2024-01-09',
                              '2024-01-09T14:30:00.000000+00:00');
    INSERT INTO positions VALUES ('AAPL', '10', '100', '2024-01-09', '2024-01-09');
    INSERT INTO cash_ledger VALUES (1, 'DEPOSIT', '10000.00', '10000.00', NULL, NULL, NULL,
                                    '2024-01-08T20:00:00.000000+00:00');
    INSERT INTO cash_ledger VALUES (2, 'FILL', '-1000.00', '9000.00', '2024-01-09', 'AAPL', 'x-1',
                                    '2024-01-09T21:00:00.000000+00:00');
    INSERT INTO cash_ledger VALUES (3, 'FEE', '-0.35', '8999.65', '2024-01-09', 'AAPL', 'x-1',
                                    '2024-01-09T21:00:00.000000+00:00');
    INSERT INTO equity VALUES ('2024-01-09', '8999.65', '9999.65', 'monday', 3, '2024-01-09T21:00:01.000000+00:00');
"""


@pytest.fixture
def second_schema(tmp_path: Path) -> Path:
    """A book as the second schema left it, after one order was filled."""
    path = tmp_path / "book.db"
    database = Database(make_engine(f"sqlite:///{path}", busy_timeout_seconds=1, read_only=False), str(path))
    with database.writing() as connection:
        upgrade.migrate(connection, "0002")
        for statement in filter(str.strip, SECOND_SCHEMA.split(";")):
            connection.exec_driver_sql(statement)
    database.close()
    return path


def test_a_book_of_the_second_schema_keeps_its_orders_and_does_not_invent_their_reference_price(second_schema: Path):
    with StateManager.open(f"sqlite:///{second_schema}", clock=TurnedClock()) as book:
        (intent,) = book.journal.intents("monday")
        found = book.statistics.read()
        (point,) = book.ledger.equity_curve()
        newest = book.cycles.newest_completed()
        with book.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT * FROM v_slippage").all() == []

    assert (intent.client_order_id, intent.quantity, intent.reference_price) == ("bb-1", 10, None)
    assert (found.fills, found.fees, found.slippage, found.steps) == (1, Decimal("0.35"), None, ())
    assert (point.equity, point.gross) == (Decimal("9999.65"), None)
    assert newest is not None
    assert newest.cycle_id == "monday"


def test_a_book_of_the_second_schema_goes_on_trading(second_schema: Path):
    with open_desk(second_schema) as desk:
        desk.trade(Side.SELL, "10", "101", session=date(2024, 1, 10))
        desk.book.chores.record("end-of-day", date(2024, 1, 10), run_id="run")

        assert desk.book.statistics.read().fills == 2
        assert desk.book.ledger.portfolio().positions == {}
        assert check_ledger(desk.book.engine) == ()


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
