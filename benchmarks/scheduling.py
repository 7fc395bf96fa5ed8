"""How punctual the served loop is, and what it costs beside an empty flow of as many tasks.

    python benchmarks/scheduling.py [--ticks 20] [--seconds 15] [--alone]

A real Prefect server and one process that serves, as `bensbot serve` does, the trading cycle on packaged prices and an
empty flow of eight tasks, in turn (A B A B …), in a temporary folder. Both fetch their runs ahead of time. Printed:

* scheduled time → start of the first task, median and 95th percentile; target: median at most 1.5 s
* share of runs that the server calls late (15 s or more); target: at most 1 %
* the bot's own work, as the sum of its steps' durations, as a share of the run's duration; target: at most 25 %
* CPU seconds of a run, its process's start included, beside the empty flow's
* bytes that a cycle leaves in the server's database; only with --alone, where no empty flow runs
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CYCLE, EMPTY = "trading-cycle", "empty"
BOOT_SECONDS = 120
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run, in seconds."""

    flow: str
    to_first_task: float  # from the scheduled time
    duration: float
    work: float  # sum of its tasks' durations
    late: bool
    ended: datetime


def main() -> None:
    options = _options()
    if options.serve:
        from deployments.serve import ENVIRONMENT

        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        asyncio.run(_serve(options.serve, options.seconds, alone=options.alone))
    else:
        _measure(options)


def _measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        settings = {
            "state": {"folder": str(folder / "state")},
            "orchestrator": {"loop_interval_seconds": options.seconds * (1 if options.alone else 2)},
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        variables = _environment(folder)
        server = [sys.executable, "-m", "flows.prefect_server", "server", "start", "--host", "127.0.0.1", "--no-ui"]
        port = variables["PREFECT_API_URL"].split(":")[2].split("/")[0]
        with _process([*server, "--port", port], variables, folder / "server.log"):
            _wait_for(f"{variables['PREFECT_API_URL']}/health")
            command = [sys.executable, str(Path(__file__)), "--serve", str(folder / "settings.json")]
            seconds = ["--seconds", str(options.seconds), *(["--alone"] if options.alone else [])]
            with _process([*command, *seconds], variables, folder / "serve.log") as loop:
                sizes, cpu = _watch(loop, folder / "prefect.db", options)
            runs = list(_runs(folder / "prefect.db"))
        _report(runs[1 if options.alone else 2 :], cpu, sizes, options)


def _report(runs: list[Run], cpu: list[tuple[datetime, float]], sizes: list[int], options: argparse.Namespace) -> None:
    print(f"python benchmarks/scheduling.py --ticks {options.ticks} --seconds {options.seconds}")
    print(f"{'':14} {'runs':>5} {'to first task: median':>22} {'p95':>7} {'late':>6} {'work':>7} {'CPU s':>7}")
    found: dict[str, list[Run]] = {CYCLE: [], EMPTY: []}
    for run in runs:
        found[run.flow].append(run)
    for flow, ones in found.items():
        if ones:
            waits = sorted(run.to_first_task for run in ones)
            late = sum(run.late for run in ones) / len(ones)
            work = statistics.median(run.work / run.duration for run in ones)
            burnt = statistics.median(_burnt(run, cpu) for run in ones)
            p95 = waits[min(len(waits) - 1, round(0.95 * len(waits)))]
            numbers = f"{statistics.median(waits):20.2f} s {p95:5.2f} s {late:6.1%} {work:7.1%} {burnt:7.2f}"
            print(f"{flow:14} {len(ones):5} {numbers}")
    print("targets:              at most 1.5 s                    1 %    25 %")
    ours, theirs = (statistics.median([run.duration for run in found[flow]] or [0.0]) for flow in (CYCLE, EMPTY))
    print(f"duration of a run, median: cycle {ours:.2f} s, empty flow {theirs:.2f} s")
    if options.alone and len(sizes) > 1:
        print(f"server database: {(sizes[-1] - sizes[0]) / (len(sizes) - 1) / 1000:.0f} kB a cycle")


def _burnt(run: Run, cpu: list[tuple[datetime, float]]) -> float:
    """Return the CPU seconds that ended children had taken more when the run's process was gone than before."""
    before = [seconds for at, seconds in cpu if at <= run.ended - timedelta(seconds=run.duration)]
    after = [seconds for at, seconds in cpu if at <= run.ended + timedelta(seconds=3)]
    return (after[-1] if after else 0.0) - (before[-1] if before else 0.0)


def _watch(
    loop: subprocess.Popen[bytes], database: Path, options: argparse.Namespace
) -> tuple[list[int], list[tuple[datetime, float]]]:
    """Wait until enough cycles have ended; return the database's size after each, and CPU seconds of ended children."""
    sizes: list[int] = []
    cpu: list[tuple[datetime, float]] = []
    deadline = time.monotonic() + BOOT_SECONDS + (2 * options.ticks + 6) * options.seconds
    while len(sizes) < options.ticks + 1:
        if loop.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(
                f"The loop ended or takes too long: {database.with_name('serve.log').read_text()[-2000:]}"
            )
        time.sleep(0.5)
        fields = Path(f"/proc/{loop.pid}/stat").read_text().rpartition(")")[2].split()
        children = (int(fields[13]) + int(fields[14])) / CLOCK_TICKS
        cpu.append((datetime.now(UTC).replace(tzinfo=None), children))
        ended = sum(run.flow == CYCLE for run in _runs(database))
        if ended > len(sizes):
            sizes.append(_size(database))
    return sizes, cpu


def _size(database: Path) -> int:
    with closing(sqlite3.connect(database, timeout=30)) as rows:
        (pages,), (size,) = rows.execute("PRAGMA page_count").fetchone(), rows.execute("PRAGMA page_size").fetchone()
    return pages * size


def _runs(database: Path) -> Iterator[Run]:
    """Yield the runs that have ended, in the order in which they were due."""
    query = """
        SELECT flow.name, run.id, run.expected_start_time, run.start_time, run.end_time,
               (SELECT MIN(start_time) FROM task_run WHERE flow_run_id = run.id),
               (SELECT 86400 * SUM(julianday(end_time) - julianday(start_time))
                FROM task_run WHERE flow_run_id = run.id),
               EXISTS (SELECT 1 FROM flow_run_state WHERE flow_run_id = run.id AND name = 'Late')
        FROM flow_run AS run JOIN flow ON flow.id = run.flow_id
        WHERE run.end_time IS NOT NULL ORDER BY run.expected_start_time
    """
    with closing(sqlite3.connect(database, timeout=30)) as rows:
        for name, _, due, began, ended, first, work, late in rows.execute(query):
            if first is not None:
                due_at, ended_at = datetime.fromisoformat(due), datetime.fromisoformat(ended)
                yield Run(
                    flow=name,
                    to_first_task=(datetime.fromisoformat(first) - due_at).total_seconds(),
                    duration=(ended_at - datetime.fromisoformat(began)).total_seconds(),
                    work=work,
                    late=bool(late),
                    ended=ended_at,
                )


# ── the processes ─────────────────────────────────────────────────────────────────────────────────


async def _serve(settings: Path, seconds: int, *, alone: bool) -> None:
    """Serve the trading cycle as planned, and the empty flow between its ticks."""
    from prefect import aserve
    from prefect.schedules import Interval
    from prefect.types.entrypoint import EntrypointType

    from benchmarks.empty_flow import empty
    from deployments.plan import RUNS_AT_ONCE, TRADING_CYCLE, plan
    from deployments.serve import FIRST_TICK, SECONDS_BETWEEN_POLLS, deployment_of
    from trading_bot.config.typed_settings import load_config

    (planned,) = (one for one in plan(load_config(settings)) if one.flow == TRADING_CYCLE)
    deployments = [await deployment_of(planned, settings)]
    if not alone:
        between = Interval(2 * seconds, anchor_date=FIRST_TICK + timedelta(seconds=seconds))
        deployments.append(
            await empty.ato_deployment("bensbot", schedules=[between], entrypoint_type=EntrypointType.MODULE_PATH)
        )
    await aserve(*deployments, pause_on_shutdown=False, limit=RUNS_AT_ONCE, query_seconds=SECONDS_BETWEEN_POLLS)


@contextmanager
def _process(command: list[str], variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        child = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            child.wait(30)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError):
            opener.open(address, timeout=2)
            return
        time.sleep(0.2)
    raise RuntimeError(f"{address} does not answer")


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--ticks", type=int, default=20, help="cycles to count")
    parser.add_argument("--seconds", type=int, default=15, help="from one run to the next")
    parser.add_argument("--alone", action="store_true", help="without the empty flow: for the database's growth")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
