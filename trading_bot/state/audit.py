"""Recompute the book from its rows and name every law that does not hold.

Nothing the writers computed is trusted: positions are replayed from fills and splits, cash from the
single movements, orders from their fills. A sound book gives no violation, whenever it is asked, also
right after the power was cut.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from trading_bot.storage import dialects

if TYPE_CHECKING:
    from trading_bot.state.records import Violation


def check_ledger(book: Engine | Connection) -> tuple[Violation, ...]:
    """Return every violation of the ledger's laws, none for a sound book.

    Give an engine (`StateManager.engine`) or a connection; all is read at one instant.
    """
    from trading_bot.state import audit_money, audit_trading  # opening a book does not need them

    with _connected(book) as connection:
        return (*audit_trading.violations(connection), *audit_money.violations(connection))


@contextmanager
def _connected(book: Engine | Connection) -> Generator[Connection]:
    if isinstance(book, Connection):
        yield book
    else:
        with dialects.for_reading(book).connect() as connection:
            yield connection
