"""The watchdog's rules on a real server, with a loop that is really killed."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.patience import PATIENCE, until, within

ROOT = Path(__file__).resolve().parents[2]
INTERVAL = 15  # seconds; so the rule of silence waits for its least, 60 seconds
SLOWER = (15, 30, 120)  # seconds; which of them a busy machine keeps up with is found out
A_CYCLE_TRADES = 120.0  # seconds, and two intervals
SERVERS_OWN = ("id", "created", "updated")  # of an automation
MARGIN = 25  # seconds: a window opens within 15, and is looked at every 5
# Seconds, at the longest. The slowest rule waits for three missed heartbeats; then each alarm is a process of its own,
# behind those of the cycles that fell due meanwhile, eight at a time; and one that the killed loop had fetched already
# is given up after five minutes.
RULES_FIRE = ALARMS_END = 900.0
NAMES = [
    "bensbot: command not taken up",
    "bensbot: late runs",
    "bensbot: lost run",
    "bensbot: no cycle",
    "bensbot: run given up",
    "bensbot: stuck in pending",
]

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(3600)]


@dataclass
class Watch:
    """A Prefect server with a folder, and what can be asked of it."""

    folder: Path
    address: str
    variables: dict[str, str]

    def ask(self, path: str, **body: Any) -> Any:
        answer = httpx.post(self.address + path, json=body, trust_env=False, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def bensbot(self, *arguments: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name("bensbot"), "automations", *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def with_settings(self, *, interval: int = INTERVAL, **sections: dict[str, Any]) -> Watch:
        settings = {
            "state": {"folder": str(self.folder / "state")},
            "orchestrator": {"loop_interval_seconds": interval},
            **sections,
        }
        (self.folder / "settings.json").write_text(json.dumps(settings))
        return self

    def apply(self) -> dict[str, str]:
        told = json.loads(self.bensbot("apply", "--config", "settings.json", "--json"))
        return {rule["name"]: rule["state"] for rule in told}

    def fired(self) -> list[str]:
        """Return the names of the rules that fired, newest first."""
        return [event["resource"]["prefect.resource.name"] for event in self.events("prefect.automation.triggered")]

    def events(self, name: str) -> list[dict[str, Any]]:
        return self.ask("/events/filter", filter={"event": {"name": [name]}})["events"]

    def start_run(self, path: str, **params: Any) -> str:
        deployment = httpx.get(f"{self.address}/deployments/name/{path}", trust_env=False, timeout=PATIENCE).json()
        return self.ask(f"/deployments/{deployment['id']}/create_flow_run", parameters={"params": params})["id"]

    def state_of(self, run_id: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.address}/flow_runs/{run_id}", trust_env=False, timeout=PATIENCE)
        return answer.raise_for_status().json()["state"]

    def wait_less_in(self, name: str, *, seconds: int) -> None:
        """Let a rule fire sooner than it was made to; all else of it stays."""
        (rule,) = [rule for rule in self.ask("/automations/filter") if rule["name"] == name]
        kept = {key: value for key, value in rule.items() if key not in SERVERS_OWN}
        kept["trigger"] = {**rule["trigger"], "within": seconds}
        httpx.put(
            f"{self.address}/automations/{rule['id']}", json=kept, trust_env=False, timeout=PATIENCE
        ).raise_for_status()

    def as_if_scheduled_long_ago(self) -> None:
        """The server holds back state changes of runs that were scheduled less than five minutes ago."""
        with closing(sqlite3.connect(self.folder / "home" / "prefect.db", timeout=60)) as database:
            database.execute(
                "UPDATE flow_run_state SET timestamp = datetime(timestamp, '-1 hour') WHERE name = 'Scheduled'"
            )
            database.commit()

    def runs(self, flow: str) -> list[dict[str, Any]]:
        return self.ask("/flow_runs/filter", flows={"name": {"any_": [flow]}}, limit=200)

    def run(self, flow: str) -> dict[str, Any]:
        (found,) = self.runs(flow)
        return found

    @contextmanager
    def loop(self, interval: int = INTERVAL) -> Iterator[subprocess.Popen[bytes]]:
        """Serve in a process group of its own, until the block ends; begin it when everything is deployed."""
        command = [sys.executable, "-m", "tests.flows.watched_loop", str(self.folder / "settings.json"), str(interval)]
        with (self.folder / "loop.log").open("ab") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, env=self.variables, stdout=log, stderr=log, start_new_session=True
            )
            try:
                until("it is deployed", lambda: "alarm" in str(self.ask("/deployments/filter")))
                yield child
            finally:
                kill(child)


def kill(child: subprocess.Popen[bytes]) -> None:
    """Kill the process and all runs it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with server_in(tmp_path_factory.mktemp("watch")) as found:
        yield found


@contextmanager
def server_in(folder: Path) -> Iterator[Watch]:
    """Start a server as a person does, with every service."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    address = f"http://127.0.0.1:{port}/api"
    variables = {
        **kept,
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": address,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
    }
    where = ["--host", "127.0.0.1", "--port", port, "--no-ui"]
    command = [sys.executable, "-m", "flows.prefect_server", "server", "start", *where]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=variables, stdout=log, stderr=log, start_new_session=True)
        try:
            found = Watch(folder, address, variables)
            until("the server answers", lambda: answers(address))
            yield found
        finally:
            kill(server)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", trust_env=False, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


@dataclass(frozen=True)
class Channel:
    """A notification channel's address, and what arrived there."""

    url: str
    arrived: list[dict[str, str]]


@pytest.fixture(scope="module")
def channel() -> Iterator[Channel]:
    arrived: list[dict[str, str]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Channel(f"json://127.0.0.1:{server.server_port}/", arrived)
        server.shutdown()
        thread.join()


@dataclass
class Story:
    """What was seen."""

    applied: list[dict[str, str]] = field(default_factory=list)
    fired_when_dead: set[str] = field(default_factory=set)
    lost: dict[str, Any] = field(default_factory=dict)
    notices: list[dict[str, str]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)


EXPECTED = {"bensbot: no cycle", "bensbot: late runs", "bensbot: run given up", "bensbot: command not taken up"}


@pytest.fixture(scope="module")
def story(watch: Watch, channel: Channel) -> Story:
    """A loop runs well, is killed together with a run, and is started again."""
    watch.with_settings(notification={"urls": [channel.url], "min_level": "error"})
    seen = Story()
    with watch.loop() as child:
        seen.applied += [watch.apply(), watch.apply()]
        watch.as_if_scheduled_long_ago()
        watch.start_run("end-of-day/bensbot")
        until("it hangs", lambda: watch.run("end-of-day")["id"] in str(watch.events("prefect.flow-run.heartbeat")))
        kill(child)
    watch.start_run("halt/bensbot", because="looks odd")
    until("the rules fired", lambda: set(watch.fired()) >= EXPECTED, RULES_FIRE)
    seen.fired_when_dead, seen.lost = set(watch.fired()), watch.run("end-of-day")
    with watch.loop():
        until("four notices came", lambda: len({notice["title"] for notice in channel.arrived}) >= 4, ALARMS_END)
        until("every alarm ended", lambda: all(ended(run) for run in watch.runs("alarm")), ALARMS_END)
    seen.notices, seen.alarms = list(channel.arrived), watch.runs("alarm")
    return seen


def ended(run: dict[str, Any]) -> bool:
    return run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def test_apply_creates_every_rule_and_a_second_time_changes_nothing(story: Story):
    created, again = story.applied

    assert created == dict.fromkeys(NAMES, "created")
    assert again == dict.fromkeys(NAMES, "unchanged")


def test_no_rule_fires_while_the_loop_trades(tmp_path: Path):
    late: list[str] = []
    for interval in SLOWER:
        (tmp_path / str(interval)).mkdir()
        with server_in(tmp_path / str(interval)) as watch, watch.with_settings(interval=interval).loop(interval):
            watch.apply()
            watch.as_if_scheduled_long_ago()
            if not within(A_CYCLE_TRADES + 2 * interval, lambda: watch.events("bensbot.cycle.traded")):
                late = [f"none of those every {interval} s trades, for all come too late"]
                continue
            began = datetime.now(UTC)
            time.sleep(max(3 * interval, 60) + MARGIN)
            fired, late = watch.fired(), late_runs(watch, since=began, interval=interval)
        if not late:
            assert fired == []
            return
    pytest.fail(f"the machine keeps up with no interval: {late}")


def late_runs(watch: Watch, *, since: datetime, interval: int) -> list[str]:
    """Return the cycles that were due since then and did not end within the interval: rules may well tell of these."""
    found: list[str] = []
    for run in watch.runs("trading-cycle"):
        due = datetime.fromisoformat(run["expected_start_time"])
        limit = due + timedelta(seconds=interval)
        in_time = run["end_time"] is not None and datetime.fromisoformat(run["end_time"]) <= limit
        if since <= due and limit <= datetime.now(UTC) and not in_time:
            found.append(f"{run['name']} {run['state_name']}, due {due}")
    return found


def test_a_run_that_was_killed_together_with_its_runner_is_marked_as_crashed(story: Story):
    assert story.lost["state_type"] == "CRASHED"
    assert story.lost["state"]["message"] == "The watchdog gave this run up: no heartbeat for 90 seconds."


def test_a_dead_loop_is_noticed_in_every_way(story: Story):
    assert story.fired_when_dead >= EXPECTED


def test_people_are_told_once_of_each_trouble_as_soon_as_something_serves_again(story: Story):
    titles = [notice["title"] for notice in story.notices]
    clock_hours = {run["expected_start_time"][:13] for run in story.alarms}  # a new one has a right to its own notice

    assert max(titles.count(title) for title in titles) <= len(clock_hours)
    assert set(titles) >= {
        "BensBot: no cycle completes",
        "BensBot: runs start late",
        "BensBot: a run was lost",
        "BensBot: a command is not taken up",
    }


def test_the_notice_names_the_run_that_was_lost(story: Story):
    (notice,) = [notice for notice in story.notices if notice["title"] == "BensBot: a run was lost"]

    assert notice["message"].startswith(f"end-of-day, run {story.lost['name']}: The watchdog gave this run up")


def test_a_run_that_was_fetched_and_never_begun_is_marked_as_crashed(watch: Watch, story: Story):
    watch.apply()
    watch.wait_less_in("bensbot: stuck in pending", seconds=10)
    run = watch.ask("/flow_runs/", flow_id=story.alarms[0]["flow_id"], state={"type": "PENDING", "name": "Pending"})

    until("it is given up", lambda: watch.state_of(run["id"])["type"] == "CRASHED")

    message = watch.state_of(run["id"])["message"]
    assert message == "The watchdog gave this run up: fetched, and not begun after 5 minutes."
    assert watch.apply()["bensbot: stuck in pending"] == "put right"


def test_a_rule_that_was_edited_is_put_right_and_foreign_rules_are_left_alone(watch: Watch, story: Story):
    foreign = {
        "name": "theirs",
        "trigger": {"type": "event", "posture": "Reactive", "threshold": 1, "within": 0, "expect": ["x"]},
    }
    watch.ask("/automations/", **foreign, actions=[{"type": "do-nothing"}])
    (late,) = [rule for rule in watch.ask("/automations/filter") if rule["name"] == "bensbot: late runs"]
    edit = {"enabled": False}
    httpx.patch(f"{watch.address}/automations/{late['id']}", json=edit, trust_env=False).raise_for_status()

    assert watch.apply() == {**dict.fromkeys(NAMES, "unchanged"), "bensbot: late runs": "put right"}
    assert watch.apply() == dict.fromkeys(NAMES, "unchanged")
    assert "theirs" not in watch.bensbot("list")
    assert watch.bensbot("remove").count("removed") == len(NAMES)
    assert [rule["name"] for rule in watch.ask("/automations/filter")] == ["theirs"]
