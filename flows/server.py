"""Find the Prefect server that a run is recorded on, or start one for the length of the run.

Prefect's own temporary server starts only after Prefect is imported, and gives up after 20 seconds. This one
boots while we import. Nothing heavy is imported here for the same reason.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from trading_bot.domain.errors import BensBotError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOCAL_TIMEOUT_SECONDS = 2.0
REMOTE_TIMEOUT_SECONDS = 10.0
START_TIMEOUT_SECONDS = 180.0
STOP_GRACE_SECONDS = 5.0
POLL_SECONDS = 0.05
LOG_LINES_SHOWN = 5

# A run needs its states, logs and events recorded. Everything that acts on other runs stays with the user's own server.
UNUSED_SERVICES = (
    "CANCELLATION_CLEANUP",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "SCHEDULER",
    "TRIGGERS",
)
SERVER_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLI_COLORS": "false",
    "PYTHONUNBUFFERED": "1",
    **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in UNUSED_SERVICES},
}
DATABASE_VARIABLES = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")


class ServerUnavailable(BensBotError):
    """No Prefect server answers and none could be started. The message says what to do."""


def running_server(say: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the API address of a server that answers, or None when one has to be started.

    Looked for in this order: `PREFECT_API_URL`, the active Prefect profile, the default port of this machine.

    Raises:
        ServerUnavailable: the address that was set is on another machine and nothing answers there.
    """
    wanted = environment.get("PREFECT_API_URL") or address_in_profile(environment)
    if not wanted:
        local = f"http://127.0.0.1:{environment.get('PREFECT_SERVER_API_PORT', '4200')}/api"
        return local if is_compatible_prefect(local) else None
    if answers(wanted):
        return wanted
    if urlsplit(wanted).hostname not in LOOPBACK:
        raise ServerUnavailable(
            f"The Prefect server {wanted} does not answer. Start it, or unset PREFECT_API_URL "
            "(`prefect config unset PREFECT_API_URL`) to let BensBot start a server for this run."
        )
    say(f"The Prefect server {wanted} does not answer.")
    return None


class StartedServer:
    """A Prefect server that runs as our child and never outlives us."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Start booting and return at once; `wait` says when it is ready."""
        self._environment = {**environment, **SERVER_ENVIRONMENT}
        self._environment.pop("PREFECT_API_URL", None)
        self._log = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # closed in stop()
        self._port = 0
        self._process = self._spawn()

    @property
    def address(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    def wait(self, *, own_database: Path) -> None:
        """Return when the server answers.

        Runs are recorded in the user's Prefect database. Where that one cannot be used (another version of
        Prefect wrote it, it is locked or read-only) the server is started once more with `own_database`.

        Raises:
            ServerUnavailable: it ended twice, or took longer than START_TIMEOUT_SECONDS.
        """
        if self._ready():
            return
        if not any(self._environment.get(name) for name in DATABASE_VARIABLES):
            own_database.parent.mkdir(parents=True, exist_ok=True)
            self._environment[DATABASE_VARIABLES[0]] = f"sqlite+aiosqlite:///{own_database.resolve()}"
        self._process = self._spawn()
        if not self._ready():
            raise ServerUnavailable(f"The Prefect server ended while it started: {self._last_lines()}")

    def stop(self) -> None:
        """End the server: politely first, by force after STOP_GRACE_SECONDS. A second call does nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._port = _free_port()
        companion = str(Path(__file__).with_name("companion.py"))
        where = ["--host", "127.0.0.1", "--port", str(self._port)]
        return subprocess.Popen(  # noqa: S603  # our own interpreter and file
            [sys.executable, "-P", companion, str(os.getpid()), "server", "start", *where, "--no-ui"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for us: the run still has to be recorded
        )

    def _ready(self) -> bool:
        """Wait; False when the process ended. Raises ServerUnavailable when it takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self._process.poll() is None:
            if answers(self.address):
                return True
            if time.monotonic() > deadline:
                raise ServerUnavailable(
                    f"The Prefect server was not ready after {START_TIMEOUT_SECONDS:.0f} s: {self._last_lines()}"
                )
            time.sleep(POLL_SECONDS)
        return False

    def _last_lines(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        return " / ".join([line for line in lines if line][-LOG_LINES_SHOWN:]) or "it wrote nothing."


def without_proxy(address: str) -> None:
    """Keep Prefect's client from asking the network's proxy for a server on this machine."""
    if urlsplit(address).hostname in LOOPBACK:
        for name in ("no_proxy", "NO_PROXY"):
            os.environ[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK[:2])))


def address_in_profile(environment: Mapping[str, str]) -> str | None:
    """Return the API address that the active Prefect profile names."""
    home = Path(environment.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(environment.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or none that can be read: Prefect itself complains about it
        return None
    active = environment.get("PREFECT_PROFILE") or profiles.get("active", "")
    return profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")


def answers(address: str) -> bool:
    """Tell whether a server answers, with whatever."""
    return _get(f"{address.rstrip('/')}/health") is not None


def is_compatible_prefect(address: str) -> bool:
    """Tell whether a server of our version of Prefect, or of a newer minor one, answers there."""
    with contextlib.suppress(ValueError, TypeError):
        theirs = _version(json.loads(_get(f"{address}/admin/version") or '""'))
        ours = _version(importlib.metadata.version("prefect"))
        return theirs[0] == ours[0] and theirs >= ours
    return False


def _version(text: str) -> tuple[int, int]:
    major, minor, *_ = text.split(".")
    return int(major), int(minor)


def _get(url: str) -> str | None:
    """Return the body, "" for an answer that is an HTTP error, None when nobody answers."""
    local = urlsplit(url).hostname in LOOPBACK
    handlers = [urllib.request.ProxyHandler({})] if local else []
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(url, timeout=LOCAL_TIMEOUT_SECONDS if local else REMOTE_TIMEOUT_SECONDS) as answer:
            return answer.read().decode(errors="replace")
    except urllib.error.HTTPError:
        return ""
    except (OSError, ValueError):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
