"""How long a person waits for `python flows/cycle.py`, against an empty Prefect flow of as many tasks.

    python benchmarks/cycle_start.py [REPEATS]

Two comparisons, each side in turn (A B A B …), medians of wall seconds of whole processes:

* no server runs: our cycle with the server it starts / the empty flow with Prefect's own temporary server;
  target at most 0.75.
* a server runs: our cycle / the empty flow, both on that server; target at most 2.2.

Every process has the same warm Prefect home and database, and every cycle trades the next session of the same book;
the first run of each side, which creates databases, is not counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flows.server import StartedServer

CYCLE = Path(__file__).resolve().parents[1] / "flows" / "cycle.py"
EMPTY_FLOW = """
import asyncio
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

@task(cache_policy=NO_CACHE)
def step(number: int) -> int:
    return number

@flow
async def empty() -> None:
    for number in range(8):
        step(number)

asyncio.run(empty())
"""
TARGETS = {"without a server": 0.75, "with a server": 2.2}


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "empty.py").write_text(EMPTY_FLOW, encoding="utf-8")
        environment = _environment(home)
        for script in (home / "empty.py", CYCLE):
            _wall([sys.executable, str(script)], environment, home)  # creates the databases
        _compare("without a server", repeats, environment, home)
        server = StartedServer(environment)
        try:
            server.wait(own_database=home / "other.db")
            _compare("with a server", repeats, {**environment, "PREFECT_API_URL": server.address}, home)
        finally:
            server.stop()


def _compare(what: str, repeats: int, environment: dict[str, str], home: Path) -> None:
    ours = _in_turn(
        repeats,
        lambda: _wall([sys.executable, str(CYCLE)], environment, home),
        lambda: _wall([sys.executable, str(home / "empty.py")], environment, home),
    )
    cycle, empty = (statistics.median(times) for times in ours)
    ratio, target = cycle / empty, TARGETS[what]
    verdict = "met" if ratio <= target else "MISSED"
    print(f"{what}: cycle {cycle:.2f} s / empty 8-task flow {empty:.2f} s = {ratio:.2f} (target {target}: {verdict})")


def _in_turn(repeats: int, first: Callable[[], float], second: Callable[[], float]) -> tuple[list[float], list[float]]:
    pairs = [(first(), second()) for _ in range(repeats)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _wall(command: list[str], environment: dict[str, str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    return {
        **kept,
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "DO_NOT_TRACK": "1",
    }


if __name__ == "__main__":
    main()
