from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; each of them makes a database of its own."""
    server = PostgresServer()
    yield server
    server.remove()
