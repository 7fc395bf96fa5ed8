from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.server import ServerUnavailable, StartedServer, running_server
from tests.patience import PATIENCE, until

PARENT = """
import signal, sys, time
from pathlib import Path
from flows.server import StartedServer
from trading_bot.terminal import stop_on_signals
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is deaf
stop_on_signals()
server = StartedServer()
try:
    print(server.pid, flush=True)
    if sys.argv[1] == "up":
        server.wait(own_database=Path("own.db"))
        print("up", flush=True)
    while True:
        time.sleep(0.1)  # a signal that comes just before a sleep ends none
finally:
    server.stop()
"""


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers like a Prefect server of one version."""

    version = "3.8.8"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.version if self.path.endswith("/version") else True).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
        pass


@contextmanager
def a_server(version: str) -> Iterator[str]:
    handler = type("Versioned", (Answers,), {"version": version})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield str(server.server_port)
        finally:
            server.shutdown()
            thread.join()


def nobody(tmp_path: Path) -> dict[str, str]:
    """An environment without a Prefect profile, whose default port nobody listens on."""
    return {"PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_API_PORT": "9"}


def test_without_any_server_one_has_to_be_started(tmp_path: Path):
    assert running_server(pytest.fail, nobody(tmp_path)) is None


@pytest.mark.parametrize("version", ["3.8.8", "3.8.0", "3.12.1"])
def test_a_server_on_the_default_port_is_used(tmp_path: Path, version: str):
    with a_server(version) as port:
        found = running_server(pytest.fail, {**nobody(tmp_path), "PREFECT_SERVER_API_PORT": port})

    assert found == f"http://127.0.0.1:{port}/api"


@pytest.mark.parametrize("version", ["3.7.9", "2.20.1", "4.0.0", "hello", ""])
def test_something_else_on_the_default_port_is_left_alone(tmp_path: Path, version: str):
    with a_server(version) as port:
        assert running_server(pytest.fail, {**nobody(tmp_path), "PREFECT_SERVER_API_PORT": port}) is None


def test_the_address_in_the_environment_is_used(tmp_path: Path):
    with a_server("3.8.8") as port:
        address = f"http://localhost:{port}/api"

        assert running_server(pytest.fail, {**nobody(tmp_path), "PREFECT_API_URL": address}) == address


def test_the_address_in_the_active_profile_is_used(tmp_path: Path):
    with a_server("3.8.8") as port:
        address = f"http://127.0.0.1:{port}/api"
        (tmp_path / "profiles.toml").write_text(
            f'active = "mine"\n[profiles.other]\n[profiles.mine]\nPREFECT_API_URL = "{address}"\n'
        )

        assert running_server(pytest.fail, nobody(tmp_path)) == address


def test_a_profile_that_cannot_be_read_is_no_profile(tmp_path: Path):
    (tmp_path / "profiles.toml").write_text("active = ")

    assert running_server(pytest.fail, nobody(tmp_path)) is None


def test_a_silent_address_on_this_machine_is_told_and_replaced(tmp_path: Path):
    said: list[str] = []

    found = running_server(said.append, {**nobody(tmp_path), "PREFECT_API_URL": "http://127.0.0.1:9/api"})

    assert found is None
    assert said == ["The Prefect server http://127.0.0.1:9/api does not answer."]


def test_a_silent_address_on_another_machine_stops_the_run(tmp_path: Path):
    elsewhere = {**nobody(tmp_path), "PREFECT_API_URL": "http://prefect.invalid:4200/api"}

    with pytest.raises(ServerUnavailable, match=r"prefect\.invalid:4200/api does not answer.*unset PREFECT_API_URL"):
        running_server(pytest.fail, elsewhere)


@pytest.mark.slow
def test_a_started_server_answers_until_it_is_stopped(tmp_path: Path):
    server = StartedServer(clean_environment(tmp_path))
    try:
        server.wait(own_database=tmp_path / "own.db")
        assert running_server(pytest.fail, {"PREFECT_API_URL": server.address}) == server.address
        assert not (tmp_path / "own.db").exists()
    finally:
        server.stop()
        server.stop()

    assert not is_alive(server.pid)


@pytest.mark.endurance
def test_a_database_of_another_prefect_is_left_as_it_is_and_replaced_for_the_run(tmp_path: Path):
    (tmp_path / "prefect.db").write_text("no database at all, but somebody's file")
    server = StartedServer(clean_environment(tmp_path))
    try:
        server.wait(own_database=tmp_path / "state" / "own.db")
    finally:
        server.stop()

    assert (tmp_path / "prefect.db").read_text() == "no database at all, but somebody's file"
    assert (tmp_path / "state" / "own.db").exists()


@pytest.mark.slow
def test_a_server_that_cannot_start_says_its_last_words(tmp_path: Path):
    broken = {
        **clean_environment(tmp_path),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////no/where.db",
    }
    server = StartedServer(broken)
    try:
        with pytest.raises(ServerUnavailable, match="ended while it started: "):
            server.wait(own_database=tmp_path / "own.db")
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "booting"),
        (signal.SIGKILL, "up"),
        pytest.param(signal.SIGTERM, "booting", marks=pytest.mark.endurance),
        pytest.param(signal.SIGHUP, "booting", marks=pytest.mark.endurance),
        pytest.param(signal.SIGKILL, "booting", marks=pytest.mark.endurance),
        pytest.param(signal.SIGTERM, "up", marks=pytest.mark.endurance),
    ],
)
def test_no_signal_leaves_a_server_behind(tmp_path: Path, number: signal.Signals, moment: str):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, moment],
        env=clean_environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if moment == "up":
            assert parent.stdout.readline() == "up\n"
        parent.send_signal(number)
        parent.wait(PATIENCE)

    until("the server has ended", lambda: not is_alive(child), 60)


def clean_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    return {**kept, "PREFECT_HOME": str(home)}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # a zombie has ended; whoever adopted it has not looked yet
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
