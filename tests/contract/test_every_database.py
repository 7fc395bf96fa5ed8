"""The book promises the same on PostgreSQL: every test of the book in a file that asks for a `desk` is run there too.

What a test about SQLite's files needs (`path`) has no meaning on a server; `test_postgresql.py` has the server's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.contract.postgres import PostgresServer, open_server_desk
from tests.unit.state import (
    test_check_ledger,
    test_chore_book,
    test_cycle_book,
    test_decision_journal,
    test_money_ledger,
    test_news_book,
    test_statistics_book,
    test_trading_control,
    test_trading_lease,
)
from tests.unit.state.books import Desk, fill_a_book

pytestmark = pytest.mark.slow

OF_FILES_ONLY = {
    "test_an_execution_booked_twice_is_named",  # takes a key from a table in SQLite's way
    "test_a_halt_survives_a_restart",  # opens a path again; see test_postgresql.py
}


def having_a_desk(module: ModuleType) -> dict[str, object]:
    return {
        name: function
        for name, function in vars(module).items()
        if name.startswith("test_")
        and name not in OF_FILES_ONLY
        and {"desk", "broken"} & set(inspect.signature(function).parameters)
        and "path" not in inspect.signature(function).parameters
    }


@pytest.fixture
def desk(postgres: PostgresServer) -> Iterator[Desk]:
    with open_server_desk(postgres.new_book()) as opened:
        yield opened


@pytest.fixture
def broken(desk: Desk) -> Desk:
    """A book with a few days of everything, to be broken."""
    fill_a_book(desk)
    return desk


for module in (
    test_check_ledger,
    test_chore_book,
    test_cycle_book,
    test_decision_journal,
    test_money_ledger,
    test_news_book,
    test_statistics_book,
    test_trading_control,
    test_trading_lease,
):
    found = having_a_desk(module)
    assert found.keys().isdisjoint(globals()), f"a test of {module.__name__} has the name of another one's"
    globals().update(found)
