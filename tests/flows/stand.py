"""`bensbot up` for real in a folder of its own: a Prefect server with a password, and a process that serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.patience import PATIENCE, until
from trading_bot.config.typed_settings import load_config
from trading_bot.core.book import open_book
from trading_bot.state.manager import StateManager

COMMAND = [sys.executable, "-c", "from trading_bot.cli import main; main()"]
LOOP = "trading-cycle/bensbot"
SETTINGS = {
    "state": {"folder": "state"},
    "orchestrator": {
        "loop_interval_seconds": 12 * 3600,  # the tests ask for their cycles, and no tick is to meet them
        "enable_strategy_rotation": False,  # it asks for prices before a cycle, and would be held in its place
    },
    "data": {"source": "held", "symbols": ["AAPL", "AMD", "HD", "LLY", "MSFT", "RRC"]},
}
PLUGIN = '''
"""The packaged prices, which keep a cycle waiting as long as there is a file called `hold`."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from trading_bot.data.registry import price_source
from trading_bot.data.sources.sample import Sample


@price_source("held")
@dataclass(frozen=True, slots=True)
class Held:
    historical: ClassVar[bool] = True

    def bars(self, as_of):
        while Path("hold").exists():
            time.sleep(0.05)
        return Sample().bars(as_of)

    def sessions(self):
        return Sample().sessions()
'''


class Patient(httpx.HTTPTransport):
    """Asks again what a busy server refuses, as Prefect's own client does: 503 says that its database is locked."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        for _ in range(5):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            answer.close()
            time.sleep(1)
            answer = super().handle_request(request)
        return answer


@dataclass(frozen=True)
class Stand:
    """A folder with settings, and what can be done in it."""

    folder: Path
    port: int

    @property
    def room(self) -> Path:
        """What `bensbot up` keeps."""
        return self.folder / "state" / "server"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def auth(self) -> str:
        return (self.room / "auth").read_text().strip()

    def bensbot(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder and look at its exit code."""
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env=environment(self.folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and return at once; what it says arrives in `stderr`."""
        return subprocess.Popen(
            [*COMMAND, *words],
            cwd=self.folder,
            env=environment(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def status(self) -> dict[str, Any]:
        return json.loads(self.bensbot("status", "--json").stdout)

    def book(self) -> StateManager:
        settings = load_config(self.folder / "config.yaml")
        state = settings.state.model_copy(update={"folder": self.folder / "state"})
        return open_book(settings.model_copy(update={"state": state}))

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Give a client that knows the password and has asked for a CSRF token, as the UI does."""
        user, _, password = self.auth.partition(":")
        terms: dict[str, Any] = {"timeout": 90, "trust_env": False, "transport": Patient()}  # it waits 60 s for a lock
        with httpx.Client(base_url=self.address, auth=(user, password), **terms) as client:
            token = client.get("/csrf-token", params={"client": "tests"}).raise_for_status().json()["token"]
            client.headers.update({"Prefect-Csrf-Client": "tests", "Prefect-Csrf-Token": token})
            yield client

    def loop(self, client: httpx.Client) -> dict[str, Any]:
        return client.get(f"/deployments/name/{LOOP}").raise_for_status().json()

    def set_paused_as_the_ui_does(self, paused: bool) -> None:
        with self.client() as client:
            path = "pause_deployment" if paused else "resume_deployment"
            client.post(f"/deployments/{self.loop(client)['id']}/{path}").raise_for_status()

    def trigger(self) -> str:
        """Ask for a cycle now and return the run's id."""
        with self.client() as client:
            answer = client.post(f"/deployments/{self.loop(client)['id']}/create_flow_run", json={})
            return answer.raise_for_status().json()["id"]

    def run_state(self, run_id: str) -> str:
        with self.client() as client:
            return client.get(f"/flow_runs/{run_id}").raise_for_status().json()["state_name"]

    def held_cycle(self) -> str:
        """Ask for a cycle and return its id when it runs; it waits until `let_go`."""
        (self.folder / "hold").touch()
        run_id = self.trigger()
        until("the cycle runs", lambda: self.run_state(run_id) == "Running")
        until("the cycle is in the book", lambda: bool(self.unfinished()))
        return run_id

    def unfinished(self) -> list[str]:
        with self.book() as book:
            return [cycle.cycle_id for cycle in book.cycles.unfinished()]

    def let_go(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)

    def processes(self) -> list[int]:
        """Return every living process that has this room as its Prefect home."""
        wanted = f"PREFECT_HOME={self.room}".encode()
        found: list[int] = []
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and wanted in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
            except OSError:  # it ended while we looked, or it is none of ours
                continue
        return found

    def clear(self) -> None:
        """Leave nothing behind, whatever a test has done."""
        self.let_go()
        self.bensbot("down", "--now", code=None)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


def make_stand(folder: Path, **sections: dict[str, Any]) -> Stand:
    """Write settings and the plug-in; nothing is started."""
    (folder / "config.yaml").write_text(json.dumps({**SETTINGS, **sections}))
    information = folder / "plugins" / "held-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: held\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[bensbot.plugins]\nheld = held\n")
    (folder / "plugins" / "held.py").write_text(PLUGIN)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Stand(folder, probe.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A machine without settings of its own, on whose usual port no Prefect server listens."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    return {
        **kept,
        "PYTHONPATH": str(folder / "plugins"),
        "PREFECT_HOME": str(folder / "nobody"),
        "PREFECT_SERVER_API_PORT": "9",
        "COLUMNS": "200",
        **more,
    }
