"""How often Prefect's server is locked out of its own SQLite: `python benchmarks/server_locks.py [SECONDS] [REPEATS]`.

Four clients create runs and set their states as fast as they are answered, each request on a connection of its own,
while somebody else takes the database's write lock for an instant twice a second, as a backup would. In turn
(A B A B), medians:

* A: `prefect server start`;
* B: the same server by `python -m flows.prefect_server`, which says how it keeps itself from being locked out.

Printed are the runs that came to their end, the longest that one answer took, and how often it took longer than ten
seconds or was an error. A server that locks itself out answers nothing for a minute at a time.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

SERVERS = {"A: prefect server start": "prefect", "B: flows.prefect_server": "flows.prefect_server"}
ENDS = ("RUNNING", "COMPLETED")
CLIENTS, LOOK_EVERY, SLOW = 4, 0.5, 10.0  # seconds


@dataclass
class Load:
    """What clients ask of one server, and what came of it."""

    url: str
    flow: str
    ended: int = 0
    slow: int = 0
    longest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        """Make runs until the time is over."""
        while not self.over.is_set():
            run = self._post("/flow_runs/", {"flow_id": self.flow, "state": {"type": "PENDING"}, "parameters": {}})
            states = [run and self._post(f"/flow_runs/{run}/set_state", {"state": {"type": t}}) for t in ENDS]
            self.ended += all(states)

    def _post(self, path: str, body: dict[str, object]) -> str | None:
        """Return the run's id; None when there was no good answer."""
        began = time.monotonic()
        try:
            answer = httpx.post(self.url + path, json=body, timeout=120, trust_env=False)
            found = str(answer.json().get("id", "done")) if answer.is_success else None
        except httpx.HTTPError:
            found = None
        took = time.monotonic() - began
        self.longest = max(self.longest, took)
        self.slow += took > SLOW or found is None
        return found


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found: dict[str, list[Load]] = {name: [] for name in SERVERS}
    for _ in range(repeats):
        for name, module in SERVERS.items():
            with tempfile.TemporaryDirectory() as place:
                found[name].append(under_load(module, Path(place), seconds))
    for name, loads in found.items():
        ended, slow = (statistics.median(getattr(load, what) for load in loads) for what in ("ended", "slow"))
        longest = statistics.median(load.longest for load in loads)
        print(f"{name:26} {ended:5.0f} runs ended, longest answer {longest:5.1f} s, slow or failed {slow:.0f}")


def under_load(module: str, home: Path, seconds: float) -> Load:
    """Start a server, ask for runs for so long, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    ours = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", module, "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env={**kept, **ours}, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/api"
        while not answers(url):
            time.sleep(0.2)
        flow = httpx.post(f"{url}/flows/", json={"name": "load"}, trust_env=False).json()["id"]
        load = Load(url, flow)
        clients = [threading.Thread(target=load.ask, daemon=True) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            look(home / "prefect.db")
            time.sleep(LOOK_EVERY)
        load.over.set()
        for client in clients:
            client.join()
        return load
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    """Say whether the server answers."""
    try:
        return httpx.get(f"{url}/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def look(database: Path) -> None:
    """Take the write lock and give it back."""
    with closing(sqlite3.connect(database, timeout=120, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    main()
