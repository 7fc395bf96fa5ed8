"""`prefect.yaml` as a person uses it: `prefect deploy --all`, a real worker, a run of each deployment."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deployments.manifest import manifest
from deployments.plan import POOL, plan
from flows.server import StartedServer
from tests.patience import PATIENCE, until
from trading_bot.config.typed_settings import TradingBotSettings

ROOT = Path(__file__).resolve().parents[2]
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
PROGRAMS = Path(sys.executable).parent

pytestmark = [pytest.mark.slow, pytest.mark.endurance, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Workshop:
    """A folder as after `git clone`, a Prefect server, and what can be asked of both."""

    folder: Path
    variables: dict[str, str]
    address: str

    def prefect(self, *arguments: str) -> str:
        done = subprocess.run(
            [PROGRAMS / "prefect", "--no-prompt", *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, path: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Start a run as a person does at the command line, and return it when it has ended."""
        chosen = ["--params", json.dumps({"params": parameters})] if parameters else []
        told = self.prefect("deployment", "run", path, *chosen)
        (run_id,) = re.findall(r"UUID: ([0-9a-f-]{36})", told)
        until(f"{path} has ended", lambda: self.get(f"/flow_runs/{run_id}")["state_type"] in ENDED)
        return self.get(f"/flow_runs/{run_id}")

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(self.address + path, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def trading_state(self) -> str:
        with closing(sqlite3.connect(self.folder / ".bensbot" / "bensbot.db")) as book:
            return book.execute("SELECT state FROM control").fetchone()[0]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The server has no scheduler, so that nothing runs but what is asked for."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("flows", "tasks", "deployments", "trading_bot"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "prefect.yaml", folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    variables = {**kept, "PREFECT_HOME": str(folder / "home"), "DO_NOT_TRACK": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    server = StartedServer(variables)
    worker: subprocess.Popen[bytes] | None = None
    try:
        server.wait(own_database=folder / "server.db")
        shop = Workshop(folder, {**variables, "PREFECT_API_URL": server.address}, server.address)
        shop.prefect("work-pool", "create", POOL, "--type", "process")
        shop.prefect("deploy", "--all")
        worker = subprocess.Popen(
            [PROGRAMS / "prefect", "worker", "start", "--pool", POOL],
            cwd=folder,
            env={**shop.variables, "PREFECT_WORKER_QUERY_SECONDS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        yield shop
    finally:
        if worker is not None:
            worker.send_signal(signal.SIGINT)
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        server.stop()


def test_the_committed_file_is_what_the_default_settings_make():
    assert (ROOT / "prefect.yaml").read_text(encoding="utf-8") == manifest(TradingBotSettings())


def test_every_deployment_is_deployed_with_tags_version_description_and_schedules(workshop: Workshop):
    written = yaml.safe_load((workshop.folder / "prefect.yaml").read_text())["deployments"]

    for deployed, said in zip(plan(TradingBotSettings()), written, strict=True):
        found = workshop.get(f"/deployments/name/{deployed.path}")
        assert found["tags"] == ["bensbot"]
        assert found["version"] == said["version"]
        assert found["description"] == said["description"]
        assert found["work_pool_name"] == POOL
        active = {schedule["slug"]: schedule["active"] for schedule in found["schedules"]}
        assert active == {timetable.slug: timetable.active for timetable in deployed.timetables}


def test_the_form_of_a_halt_offers_its_choices(workshop: Workshop):
    schema = workshop.get("/deployments/name/halt/bensbot")["parameter_openapi_schema"]

    form = schema["definitions"]["HaltParams"]["properties"]
    assert form["state"]["enum"] == ["halted", "paused", "reducing"]
    assert all("description" in field for field in form.values())


def test_a_worker_runs_every_deployment(workshop: Workshop):
    assert workshop.run("trading-cycle/bensbot")["state_name"] == "Completed"
    assert workshop.run("trading-cycle/bensbot")["state_name"] == "Completed"
    assert workshop.run("end-of-day/bensbot")["state_name"] == "Completed"
    assert workshop.run("strategy-rotation/bensbot")["state_name"] == "Completed"

    backtest = workshop.run("backtest/bensbot", {"first": "2022-01-03", "last": "2022-01-14"})
    assert backtest["state"]["message"].startswith("sma_cross + rsi_reversion + momentum, 2022-01-03 to 2022-01-14")

    assert workshop.run("halt/bensbot", {"because": "looks odd"})["state_name"] == "Completed"
    assert workshop.trading_state() == "halted"
    assert workshop.get("/deployments/name/trading-cycle/bensbot")["paused"] is True
    workshop.prefect("deploy", "--all")  # ends the stop of the deployment, and not that of the book
    assert workshop.get("/deployments/name/trading-cycle/bensbot")["paused"] is False
    assert workshop.run("trading-cycle/bensbot")["state_name"] == "Skipped"

    refused = workshop.run("resume/bensbot", {"because": "seen"})
    assert refused["state_type"] == "FAILED"
    assert "ack" in refused["state"]["message"]
    assert workshop.run("resume/bensbot", {"because": "seen", "ack": True})["state_name"] == "Completed"
    assert workshop.trading_state() == "active"

    assert workshop.run("flatten/bensbot", {"because": "moving house"})["state_name"] == "Completed"
    assert workshop.trading_state() == "reducing"
