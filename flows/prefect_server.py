"""Run the `prefect` command with a cure for a server that locks itself out of its own SQLite database.

    python -m flows.prefect_server server start --host 127.0.0.1

The arguments are those of `prefect`. Two things lock its server out, and both are cured at the border to sqlite3:

* A transaction that begins by reading (`BEGIN DEFERRED`) and then writes fails at once with "database is locked" where
  anybody has written meanwhile; no waiting helps (SQLITE_BUSY_SNAPSHOT, https://www.sqlite.org/isolation.html). The
  server then answers 503. Here each transaction asks for the write lock when it begins, and waits for its turn.
* SQLAlchemy's aiosqlite dialect leaves a cursor open when its statement fails. Python before 3.12 closes it as
  garbage, whenever and in whatever thread it collects; in that of the event loop this waits for the connection's mutex.
  Where the connection itself waits for the write lock, and who holds that lock waits for the event loop, nothing moves
  until the busy timeout ends 60 seconds later, with the next failure and the next open cursor: a server that was locked
  once is locked again and again. Here the thread that saw a statement fail closes its cursor.

A server on PostgreSQL needs none of this, and gets none.
"""

from __future__ import annotations

import runpy
import sqlite3
import sys
from collections.abc import Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine

from trading_bot.stack import with_room


class TidyCursor(sqlite3.Cursor):
    """A cursor that asks early for the write lock, and does not stay open when its statement fails."""

    def execute(self, sql: str, parameters: Any = (), /) -> TidyCursor:
        """Run one statement. Raises sqlite3.Error, and is closed then."""
        try:
            return super().execute("BEGIN IMMEDIATE" if sql == "BEGIN DEFERRED" else sql, parameters)
        except sqlite3.Error:
            self.close()
            raise

    def executemany(self, sql: str, seq_of_parameters: Iterable[Any], /) -> TidyCursor:
        """Run one statement for each row. Raises sqlite3.Error, and is closed then."""
        try:
            return super().executemany(sql, seq_of_parameters)
        except sqlite3.Error:
            self.close()
            raise

    def fetchall(self) -> list[Any]:
        """Return the rows. Raises sqlite3.Error, and is closed then."""
        try:
            return super().fetchall()
        except sqlite3.Error:
            self.close()
            raise


class TidyConnection(sqlite3.Connection):
    """A connection whose cursors are tidy."""

    def cursor(self, factory: type[sqlite3.Cursor] = TidyCursor) -> sqlite3.Cursor:  # type: ignore[override]
        """Return a cursor, a tidy one unless another is asked for."""
        return super().cursor(factory)


def tidy_sqlite() -> None:
    """Let every engine of this process that connects to SQLite from now on use tidy connections."""
    event.listen(Engine, "do_connect", with_tidy_connection)


def with_tidy_connection(dialect: Dialect, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
    """Choose the kind of connection, as SQLAlchemy's event `do_connect`."""
    if dialect.name == "sqlite":
        options.setdefault("factory", TidyConnection)


@with_room
def main() -> None:
    """Be the `prefect` command, but for SQLite."""
    tidy_sqlite()
    sys.argv[0] = "prefect"
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
