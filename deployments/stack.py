"""The two processes of `bensbot up`: Prefect's server and the one that serves, as safe as they can be by default.

The server listens on this machine only and lets nobody in without the password, which stands in one file and in the
environment of these two processes. No argument, log or database has it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from deployments.loop import Loop
from deployments.place import Server, ServerRoom
from deployments.processes import OWNER_ONLY, Process, Unfinished, born, last_lines, remember, start, write_private
from deployments.serve import HEARTBEAT
from flows.server import ServerUnavailable, answers
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.domain.errors import SettingsError

HOST = "127.0.0.1"
USUAL_PORT = 4200
LARGEST_PORT = 65_535
BOOT_SECONDS = 180.0
FIRST_RUN_SECONDS = 15.0  # to wait for the scheduler; without a first run we say so
STOP_SECONDS = 30.0
POLL_SECONDS = 0.25
DAY_SECONDS = 24 * 60 * 60

OF_ONE_DAY = (
    "prefect.task-run.Pending",
    "prefect.task-run.Running",
    "prefect.task-run.Completed",
    "prefect.artifact.updated",
    "prefect.artifact-collection.updated",
    "prefect.flow-run.heartbeat",
)

# What keeps the server safe is set whatever the user's environment says; what is a matter of taste is kept.
DEFAULTS = {
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(14 * DAY_SECONDS),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
    # Most events tell of tasks, whose states are kept with their runs anyway.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES": json.dumps(dict.fromkeys(OF_ONE_DAY, DAY_SECONDS)),
}
SAFETY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_API_HOST": HOST,
    "PREFECT_CLI_COLORS": "false",
    "PYTHONUNBUFFERED": "1",
    **HEARTBEAT,
}
FOREIGN = ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_API_KEY")  # they would lead to another server

Say = Callable[[str], None]


def environment_of(room: ServerRoom, address: str, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of both processes."""
    auth, port = room.auth_made(), address.rpartition(":")[2].partition("/")[0]
    ours = {
        "PREFECT_HOME": str(room.folder),
        "PREFECT_API_URL": address,
        "PREFECT_API_AUTH_STRING": auth,
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_API_PORT": port,
        "PREFECT_SERVER_UI_API_URL": address,
        "PREFECT_UI_API_URL": address,
    }
    database = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{room.folder / 'prefect.db'}"}
    kept = {name: value for name, value in inherited.items() if name not in FOREIGN}
    return {**DEFAULTS, **database, **kept, **SAFETY, **ours}


def chosen_port(asked: int | None) -> int:
    """Return the port that was asked for, else the usual one, else one that is free. Raises SettingsError."""
    if asked is not None:
        if not 1 <= asked <= LARGEST_PORT:
            raise SettingsError(f"--port {asked} is no port; write a number from 1 to {LARGEST_PORT}.")
        if not _is_free(asked):
            raise SettingsError(f"--port {asked} is in use. Name another one, or leave --port out.")
        return asked
    return USUAL_PORT if _is_free(USUAL_PORT) else _any_free_port()


def start_server(room: ServerRoom, port: int, *, detached: bool) -> Process:
    """Start Prefect's server and write down which process it is; `wait_for_server` says when it is up."""
    address = f"http://{HOST}:{port}/api"
    write_private(room.address_file, address + "\n")
    where = ["--host", HOST, "--port", str(port)]
    command = [sys.executable, "-P", "-m", "flows.prefect_server", "server", "start", *where]
    return _started(command, room.server_log, room.server_record, environment_of(room, address), detached)


def start_loop(room: ServerRoom, address: str, config: Path | None, *, detached: bool) -> Process:
    """Start the process that serves and write down which it is; `wait_for_loop` says when it does."""
    command = [sys.executable, "-P", "-m", "deployments.resident", str(room.folder)]
    command += [str(config.resolve())] if config else []
    return _started(command, room.loop_log, room.loop_record, environment_of(room, address), detached)


def wait_for_server(process: Process, address: str, log: Path) -> None:
    """Return when the server answers. Raises ServerUnavailable when it ends first, or takes too long."""
    deadline = time.monotonic() + BOOT_SECONDS
    while not answers(address):
        _require_alive(process, "Prefect's server", log)
        if time.monotonic() > deadline:
            raise ServerUnavailable(f"Prefect's server was not ready after {BOOT_SECONDS:.0f} s: {last_lines(log)}")
        time.sleep(POLL_SECONDS)
    _require_alive(process, "Prefect's server", log)  # another program may have taken the port, and answer


def wait_for_loop(process: Process, server: Server, log: Path, since: datetime) -> Loop:
    """Return the loop when somebody has asked for its due runs since then, and its first run is known.

    Raises:
        ServerUnavailable: the process ended first, or takes too long.
    """
    from deployments.api import NotDeployed, connected

    deadline = time.monotonic() + BOOT_SECONDS
    patience: float | None = None  # for the first run, counted from when it is served
    while time.monotonic() < deadline:
        _require_alive(process, "`bensbot serve`", log)
        try:
            with connected(server) as prefect:
                loop = prefect.loop()
        except NotDeployed:
            loop = None
        if loop is not None and loop.last_polled is not None and loop.last_polled > since:
            patience = patience or time.monotonic() + FIRST_RUN_SECONDS
            if loop.paused or loop.next_run is not None or time.monotonic() > patience:
                return loop
        time.sleep(POLL_SECONDS * 2)
    raise ServerUnavailable(f"`bensbot serve` was not ready after {BOOT_SECONDS:.0f} s: {last_lines(log)}")


def drain(room: ServerRoom, server: Server, say: Say, *, timeout_seconds: float) -> None:
    """Let the running cycle finish and no other begin. The next `bensbot up` ends that pause.

    Raises:
        Unfinished: it did not finish in time; the loop goes on as before.
    """
    from deployments.api import NotDeployed, connected
    from deployments.switching import wait_until_idle

    with ExitStack() as undo, suppress(NotDeployed), connected(server) as prefect:
        if not prefect.loop().paused:
            undo.callback(undrain, room, server)
            room.drained.touch(OWNER_ONLY)
            prefect.set_paused(True)
        wait_until_idle(prefect, say, timeout_seconds=timeout_seconds, hurry="bensbot down --now")
        undo.pop_all()


def undrain(room: ServerRoom, server: Server) -> None:
    """End the pause of `drain`, and no other one."""
    from deployments.api import NotDeployed, connected

    if not room.drained.exists():
        return
    with connected(server) as prefect, suppress(NotDeployed):  # an empty server: nothing is paused
        prefect.set_paused(False)
    room.drained.unlink()


def lease_is_free(settings: TradingBotSettings, *, timeout_seconds: float) -> bool:
    """Wait until no living cycle holds the right to trade; False when one still does."""
    from trading_bot.core.book import book_url
    from trading_bot.core.owner import is_dead
    from trading_bot.state.manager import open_read_only

    deadline = time.monotonic() + timeout_seconds
    with open_read_only(book_url(settings)) as book:
        while (lease := book.control.current_lease()) and lease.expires_at > now() and not is_dead(lease.owner):
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
    return True


def end_loop(room: ServerRoom) -> None:
    """End the process that serves and forget it. A cycle that it runs is cancelled."""
    _end(room.loop_process, room.loop_record)


def end_server(room: ServerRoom) -> None:
    """End Prefect's server and forget it."""
    _end(room.server_process, room.server_record)
    room.address_file.unlink(missing_ok=True)


@contextmanager
def alone(room: ServerRoom) -> Generator[None]:
    """Keep a second `bensbot up` or `down` of this book away. Raises Unfinished when there is one."""
    import fcntl

    descriptor = os.open(room.folder / "lock", os.O_WRONLY | os.O_CREAT, OWNER_ONLY)
    with os.fdopen(descriptor):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unfinished("Another `bensbot up` or `bensbot down` is at work here; wait for it.") from None
        yield


def made(room: ServerRoom) -> ServerRoom:
    """Make the folder, for its owner only."""
    room.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    room.folder.chmod(0o700)
    return room


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def _started(command: list[str], log: Path, record: Path, environment: Mapping[str, str], detached: bool) -> Process:
    child = start(command, log=log, environment=environment, detached=detached)
    process = Process(child.pid, born(child.pid) or "")
    remember(process, record)
    return process


def _end(process: Process | None, record: Path) -> None:
    if process is not None:
        process.end(grace_seconds=STOP_SECONDS)
    record.unlink(missing_ok=True)


def _require_alive(process: Process, name: str, log: Path) -> None:
    if not process.lives:
        raise ServerUnavailable(f"{name} ended: {last_lines(log)}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what only lingers is no obstacle
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
