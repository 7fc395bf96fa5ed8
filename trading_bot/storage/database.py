"""Transactions: reading sees one instant, writing is all or nothing and durable when it returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from trading_bot.storage import dialects


class Database:
    """One engine and the two ways to use it. Every database error leaves as a `StateError`."""

    def __init__(self, engine: Engine, place: str) -> None:
        """Take an engine from `dialects.make_engine`; `place` is for messages."""
        self.engine = engine
        self.place = place

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Give a connection whose queries all see the book at one instant."""
        with self._errors_translated(), dialects.for_reading(self.engine).connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Give a connection that holds the write lock; commit at the end, roll back on any error.

        Raises:
            StateBusy: somebody else held the lock for longer than the busy timeout, or the server is away.
            StateFull: no room; nothing was written.
            StateCorrupt: the file is damaged.
            StateError: anything else the database refused.
        """
        with self._errors_translated(), dialects.for_writing(self.engine).connect() as connection, connection.begin():
            yield connection

    def prepare(self, *, read_only: bool) -> None:
        """Look the file over, unless it is large. Raises StateCorrupt when it is damaged."""
        with self._errors_translated():
            dialects.prepare(self.engine, self.place, read_only=read_only)

    def check(self) -> None:
        """Look the whole file over, however large it is. Raises StateCorrupt when it is damaged."""
        with self._errors_translated():
            dialects.check(self.engine, self.place)

    def give_back_space(self) -> None:
        """Make an SQLite file as small as what is in it. PostgreSQL does so by itself (autovacuum)."""
        with self._errors_translated():
            dialects.give_back_space(self.engine)

    def size(self) -> int:
        """Return how many bytes the database takes on its disk, a write-ahead log not counted."""
        with self.reading() as connection:
            return dialects.size_of(connection)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _errors_translated(self) -> Generator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise dialects.translate(error, self.place) from error
