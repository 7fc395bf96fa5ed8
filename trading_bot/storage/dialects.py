"""The one place that knows which database is underneath: connection settings and error codes."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from trading_bot.domain.errors import StateBusy, StateCorrupt, StateError, StateFull
from trading_bot.storage import postgresql
from trading_bot.storage.postgresql import WRITES

LOOKED_OVER = 50_000_000  # bytes of a file that is looked over each time it is opened: a tenth of a second
_MEMORY = (None, "", ":memory:")
_TO_RESTORE = (
    "The book {place} is damaged ({cause}). The file is kept as it is. To restore: stop the bot, move {place}, "
    "{place}-wal and {place}-shm aside together, copy a backup to {place}, then run `bensbot doctor`."
)
_MEANINGS: tuple[tuple[tuple[str, ...], type[StateError], str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", *postgresql.BUSY),
        StateBusy,
        "The book {place} is locked by another process ({cause}). Nothing was written.",
    ),
    (
        ("SQLITE_FULL", "53100"),
        StateFull,
        "No room to write the book {place} ({cause}). Free some space; nothing is traded until then.",
    ),
    (("SQLITE_CORRUPT", "SQLITE_NOTADB"), StateCorrupt, _TO_RESTORE),
    (
        ("XX001", "XX002"),
        StateCorrupt,
        "The book {place} is damaged ({cause}). Restore a backup of the database, then run `bensbot doctor`.",
    ),
    (
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_AUTH", "25006", "42501"),
        StateError,
        "Cannot open or write the book {place} ({cause}). Check that this user owns it.",
    ),
)


def place_of(url: str) -> str:
    """Return where the book lies, for messages: a path, or the URL with its password masked.

    What stands behind the question mark is left out: `?password=` is a password, too.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return "memory" if parsed.database in _MEMORY else str(parsed.database)
    return parsed.set(query={}).render_as_string(hide_password=True)


def make_engine(url: str, *, busy_timeout_seconds: float, read_only: bool) -> Engine:
    """Return an engine with our settings. A new SQLite file is readable by its owner only.

    Raises:
        StateError: the URL cannot be read, the driver is missing, or the folder cannot be made.
    """
    parsed = _parse(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed, busy_timeout_seconds, read_only)
        if postgresql.is_postgresql(parsed):
            return postgresql.make_engine(parsed, busy_timeout_seconds, read_only=read_only)
        raise StateError(f"No book can be kept at {place_of(url)}; use sqlite or postgresql+psycopg")
    except ModuleNotFoundError as error:
        raise StateError(f"The driver for {place_of(url)} is not installed: pip install 'bensbot[postgres]'") from error
    except ArgumentError as error:
        raise StateError(
            f"No database driver is known for {place_of(url)}; use sqlite or postgresql+psycopg"
        ) from error
    except OSError as error:
        raise StateError(f"Cannot make room for the book at {place_of(url)}: {error.strerror}") from error


def for_reading(engine: Engine) -> Engine:
    """Return the engine whose transactions see one instant; SQLite's always do."""
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def for_writing(engine: Engine) -> Engine:
    """Return the engine whose transactions hold the one write lock.

    PostgreSQL's read what is committed, whatever the server's default is: they look after they got the lock.
    """
    writer = engine.execution_options(**{WRITES: True})
    return writer if engine.dialect.name == "sqlite" else writer.execution_options(isolation_level="READ COMMITTED")


def prepare(engine: Engine, place: str, *, read_only: bool) -> None:
    """Look the file over before anything is read from it, and switch it to write-ahead logging.

    A large file is not read as a whole for every cycle: `check` does that, and damage that is met is noticed anyway.

    Raises:
        StateCorrupt: the quick check finds damage.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()  # a journal mode cannot be changed inside a transaction
    try:
        pages, size = (int(_pragma(connection, word)) for word in ("page_count", "page_size"))
        if pages * size <= LOOKED_OVER:
            _look_over(connection, place)
        if not read_only and _pragma(connection, "journal_mode") == "delete":
            _pragma(connection, "journal_mode = WAL")
    finally:
        connection.close()


def check(engine: Engine, place: str) -> None:
    """Read a whole SQLite file. A PostgreSQL server has checksums of its own. Raises StateCorrupt on damage."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        _look_over(connection, place)
    finally:
        connection.close()


def _look_over(connection: PoolProxiedConnection, place: str) -> None:
    found = _pragma(connection, "quick_check(1)")
    if found != "ok":
        raise StateCorrupt(_TO_RESTORE.format(place=place, cause=found))


def give_back_space(engine: Engine) -> None:
    """Write an SQLite file anew, without the pages that nobody uses, and empty its write-ahead log."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()  # not possible inside a transaction
    try:
        for words in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.cursor().execute(words)
    finally:
        connection.close()


def size_of(connection: Connection) -> int:
    """Return the bytes of the database on its disk."""
    if connection.dialect.name == "sqlite":
        pages, size = (int(connection.exec_driver_sql(f"PRAGMA {w}").scalar_one()) for w in ("page_count", "page_size"))
        return pages * size
    return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def translate(error: SQLAlchemyError | sqlite3.Error, place: str) -> StateError:
    """Return our error for the database's: busy, full, damaged, away, or simply not usable."""
    cause = str(getattr(error, "orig", None) or error).strip()
    code = _code_of(error)
    for codes, meaning, words in _MEANINGS:
        if code.startswith(codes):
            return meaning(words.format(place=place, cause=cause))
    if postgresql.is_cut_off(error, code):
        return StateBusy(
            f"The book {place} does not answer ({cause}). What was being written is all in it, or not at all."
        )
    if isinstance(error, IntegrityError):
        return StateError(f"The book {place} refused a row that contradicts another ({cause}). Nothing was written.")
    return StateError(f"The book {place} cannot be used: {cause}")


def _code_of(error: SQLAlchemyError | sqlite3.Error) -> str:
    """Return the database's own name for the error: SQLITE_BUSY, 55P03; empty when it gives none."""
    cause = getattr(error, "orig", None) or error
    return str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")


def _pragma(connection: PoolProxiedConnection, words: str) -> str:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA {words}")
        return str((cursor.fetchone() or ("",))[0])
    finally:
        cursor.close()


def _parse(url: str) -> URL:
    try:
        return postgresql.with_our_driver(make_url(url))
    except ArgumentError as error:
        raise StateError("The book's address is no database URL; write e.g. sqlite:///.bensbot/bensbot.db") from error


def _sqlite(url: URL, busy_timeout_seconds: float, read_only: bool) -> Engine:
    in_memory = url.database in _MEMORY
    if not in_memory and not read_only:
        _make_file(Path(str(url.database)))
    if not in_memory and read_only:
        path = Path(str(url.database)).absolute()
        url = url.set(database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true", **_at_rest(path)})
    connect_args = {"timeout": busy_timeout_seconds, "check_same_thread": False}
    engine = create_engine(
        url, connect_args=connect_args, **({"poolclass": StaticPool} if in_memory else {})
    )  # memory lives as long as its one connection
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _at_rest(path: Path) -> dict[str, str]:
    """Return what lets a file be read where nothing can be written beside it.

    Even to read a file, SQLite makes its write-ahead log beside it. Where there is none nobody is writing: then the
    file is read as it is.
    """
    at_rest = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return {"immutable": "1"} if at_rest else {}


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    raw.isolation_level = None  # the driver opens no transaction by itself; `_begin` does
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")  # a commit that returned survives a power cut
    cursor.close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock before anything is read, so what a writer has read stays true.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
