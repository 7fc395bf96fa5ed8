"""PostgreSQL as a place for books: one writer at a time, as SQLite has it, and what its errors mean.

Connections lost and servers that restart are part of life here. A transaction that was cut off is either
all in the book or not at all, and every write of the bot finds out which when it is made again.
"""

from __future__ import annotations

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

WRITES = "bensbot_writes"  # execution option of a connection that is going to write
DRIVER = "postgresql+psycopg"
_ONE_WRITER = 0x42656E73  # the number of the advisory lock, "Bens"
_LONGEST_PAUSE = 60_000  # milliseconds in which a writer may think; then the server gives its lock to the next
_PATIENCE = {  # libpq's parameters; the address may name others
    "connect_timeout": "10",  # seconds
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
_RULES = """
    SELECT set_config('lock_timeout', %s, true),
           set_config('idle_in_transaction_session_timeout', %s, true),
           CASE WHEN current_setting('synchronous_commit') = 'off'
                THEN set_config('synchronous_commit', 'local', true) END
"""
BUSY = ("55P03", "40001", "40P01")  # lock timeout, serialization failure, deadlock
_CUT_OFF = ("08", "57P01", "57P02", "57P03", "53300", "25P03")  # lost, shut down, starting, too many, paused too long
_NOT_NOW = ("starting up", "shutting down", "recovery", "too many", "remaining connection slots")


def is_postgresql(url: URL) -> bool:
    """Say whether the address is one of ours."""
    return url.get_backend_name() in ("postgresql", "postgres")


def with_our_driver(url: URL) -> URL:
    """Name the driver where the address names none: `postgresql://…` is what servers hand out."""
    return url.set(drivername=DRIVER) if url.drivername in ("postgresql", "postgres") else url


def make_engine(url: URL, busy_timeout_seconds: float, *, read_only: bool) -> Engine:
    """Return an engine whose writers take turns. A connection that died in the pool is replaced by itself."""
    patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    options = {"postgresql_readonly": True} if read_only else {}
    engine = create_engine(url, connect_args=patience, execution_options=options, pool_pre_ping=True)
    wait = str(max(1, round(busy_timeout_seconds * 1000)))

    def take_turns(connection: Connection) -> None:
        # What a writer has read stays true until it commits, because nobody else writes meanwhile.
        if connection.get_execution_options().get(WRITES, False):
            connection.exec_driver_sql(_RULES, (wait, str(_LONGEST_PAUSE)))
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_ONE_WRITER,))

    event.listen(engine, "begin", take_turns)
    return engine


def is_cut_off(error: Exception, code: str) -> bool:
    """Say whether the server was not there, or went away: it may be there again in a moment.

    A server that answers and says no (a wrong password, no such database) is not meant. The driver gives
    no code before a connection stands, so the words have to tell.
    """
    if not isinstance(error, DBAPIError):
        return False
    if code:
        return error.connection_invalidated or code.startswith(_CUT_OFF)
    words, ours = str(error.orig), type(error.orig).__module__.startswith("psycopg")
    refused = "FATAL" in words and not any(word in words for word in _NOT_NOW)
    return ours and isinstance(error, OperationalError) and not refused
