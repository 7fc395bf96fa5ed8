from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.flows.stand import COMMAND, LOOP, Stand, environment, make_stand
from tests.patience import PATIENCE, until
from trading_bot.core.standing import read_standing
from trading_bot.domain.cycle import TradingState
from trading_bot.reporting.standing import standing_as_json

pytestmark = [pytest.mark.slow, pytest.mark.endurance, pytest.mark.timeout(1200)]

LOOPBACK = "0100007F"  # 127.0.0.1 as /proc/net/tcp has it
LISTENING = "0A"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """`bensbot up`, once for all tests of this module."""
    stand = make_stand(tmp_path_factory.mktemp("stand"))
    try:
        stand.bensbot("up", "--port", str(stand.port))
        yield stand
    finally:
        stand.clear()


@pytest.fixture
def stand(up: Stand) -> Iterator[Stand]:
    """The same, on schedule and active before each test."""
    up.let_go()
    up.set_paused_as_the_ui_does(False)
    with up.book() as book:
        book.control.set_state(TradingState.ACTIVE, cause="a new test", who="tests", acknowledged=True)
    yield up
    up.let_go()


@pytest.fixture
def elsewhere(stand: Stand, tmp_path: Path) -> Elsewhere:
    """Another machine: an empty folder, and an environment that knows the server."""
    return Elsewhere(tmp_path, stand.address, stand.auth)


class Elsewhere:
    def __init__(self, folder: Path, address: str, auth: str) -> None:
        self.folder = folder
        self.variables = {"PREFECT_API_URL": address, "PREFECT_API_AUTH_STRING": auth}

    def bensbot(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.folder,
            env=environment(self.folder, **{**self.variables, **variables}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )


def state_of(stand: Stand) -> TradingState:
    with stand.book() as book:
        return book.control.read().state


def is_paused(stand: Stand) -> bool:
    with stand.client() as client:
        return stand.loop(client)["paused"]


# ── safe by default ───────────────────────────────────────────────────────────────────────────────


def test_the_password_is_for_its_owner_only(stand: Stand):
    assert stat.S_IMODE((stand.room / "auth").stat().st_mode) == 0o600
    assert stat.S_IMODE(stand.room.stat().st_mode) == 0o700
    assert [path.name for path in stand.room.glob("*.log") if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def test_the_password_is_printed_when_it_is_asked_for_only(stand: Stand):
    assert stand.bensbot("up", "--show-password").stdout == stand.auth + "\n"
    assert stand.auth.partition(":")[2] not in stand.bensbot("up").stdout


def test_nobody_gets_in_without_the_password(stand: Stand):
    with httpx.Client(base_url=stand.address, timeout=60, trust_env=False) as stranger:
        assert stranger.get(f"/deployments/name/{LOOP}").status_code == 401
        assert stranger.get("/admin/settings", auth=("bensbot", "guessed")).status_code == 401
        assert stranger.get("/health").status_code == 200


def test_a_page_of_another_site_cannot_switch_the_loop(stand: Stand):
    user, _, password = stand.auth.partition(":")
    with httpx.Client(base_url=stand.address, auth=(user, password), timeout=60, trust_env=False) as browser:
        assert browser.post("/deployments/filter", json={}).status_code == 403


def test_the_server_listens_on_this_machine_only(stand: Stand):
    port = f"{stand.port:04X}"
    lines = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]

    assert {local for _, local, _, status, *_ in lines if status == LISTENING and local.endswith(":" + port)} == {
        f"{LOOPBACK}:{port}"
    }


def test_the_password_stands_in_no_log_no_argument_and_no_database(stand: Stand):
    run_id = stand.trigger()
    until("the cycle ends", lambda: stand.run_state(run_id) == "Completed")
    stand.bensbot("status")
    password = stand.auth.partition(":")[2].encode()
    arguments = [path.read_bytes() for pid in stand.processes() for path in [Path(f"/proc/{pid}/cmdline")]]
    files = [path for path in stand.folder.rglob("*") if path.is_file() and path != stand.room / "auth"]

    assert len(arguments) >= 2
    assert {"prefect.db", "server.log", "serve.log", "bensbot.db"} <= {path.name for path in files}
    assert [words for words in arguments if password in words] == []
    assert [path for path in files if password in path.read_bytes()] == []


# ── pause, stop and what undoes them ──────────────────────────────────────────────────────────────


def test_a_pause_is_in_the_book_and_in_prefect_until_the_resume(stand: Stand):
    stand.bensbot("pause", "--because", "lunch")

    assert (state_of(stand), is_paused(stand)) == (TradingState.PAUSED, True)

    stand.bensbot("resume")

    assert (state_of(stand), is_paused(stand)) == (TradingState.ACTIVE, False)


def test_a_pause_in_the_ui_is_seen_and_ended_by_start(stand: Stand):
    stand.set_paused_as_the_ui_does(True)

    seen = stand.bensbot("status", "--check", code=3)
    assert "Loop     stopped, to go on: bensbot start; served" in seen.stdout
    assert stand.status()["loop"]["paused"] is True

    said = stand.bensbot("start").stderr

    assert said.startswith("The loop goes on; the next run is due at ")
    assert "Trading is" not in said
    assert stand.status()["loop"]["paused"] is False


def test_a_start_does_not_end_a_pause_and_says_so(stand: Stand):
    stand.bensbot("pause")

    said = stand.bensbot("start").stderr

    assert "Trading is paused, so it will not trade yet" in said
    assert state_of(stand) is TradingState.PAUSED


def test_a_halt_wants_to_be_acknowledged(stand: Stand):
    stand.bensbot("halt", "--because", "smoke")

    assert "HALTED" not in stand.bensbot("status", "--check", code=4).stderr
    assert "bensbot resume --ack" in stand.bensbot("resume", code=2).stderr
    assert is_paused(stand)
    stand.bensbot("resume", "--ack")
    assert stand.bensbot("status", "--check").stdout.startswith("Trading  active since ")


def test_a_stop_waits_for_the_running_cycle(stand: Stand):
    run_id = stand.held_cycle()

    with stand.begin("stop") as stopping:
        assert stopping.stderr is not None
        assert stopping.stderr.readline().startswith("Waiting for the running cycle to end: ")
        stand.let_go()
        said = stopping.stderr.read()

    assert (stopping.returncode, said) == (0, "The loop is stopped. To go on: bensbot start\n")
    assert stand.run_state(run_id) == "Completed"
    assert is_paused(stand)


def test_a_stop_at_once_cancels_the_running_cycle_and_counts_no_failure(stand: Stand):
    run_id = stand.held_cycle()

    stand.bensbot("stop", "--now")

    assert stand.run_state(run_id) == "Cancelled"
    assert stand.unfinished() == []
    assert stand.status()["consecutive_errors"] == 0


# ── from another machine ──────────────────────────────────────────────────────────────────────────


def test_elsewhere_a_pause_and_a_resume_reach_the_book(stand: Stand, elsewhere: Elsewhere):
    paused = elsewhere.bensbot("pause", "--because", "lunch")

    assert paused.returncode == 0, paused.stderr
    assert paused.stderr.startswith("Asked for a run of halt: ")
    assert (state_of(stand), is_paused(stand)) == (TradingState.PAUSED, True)

    resumed = elsewhere.bensbot("resume", "--because", "fed")

    assert resumed.returncode == 0, resumed.stderr
    assert (state_of(stand), is_paused(stand)) == (TradingState.ACTIVE, False)
    assert not (elsewhere.folder / ".bensbot").exists()


def test_elsewhere_the_status_is_the_document_of_the_book_and_the_metrics_are_seen(stand: Stand, elsewhere: Elsewhere):
    run_id = stand.trigger()
    until("the cycle ends", lambda: stand.run_state(run_id) == "Completed")

    document = json.loads(elsewhere.bensbot("status", "--json").stdout)
    metrics = elsewhere.bensbot("metrics")

    with stand.book() as book:
        here = json.loads(standing_as_json(read_standing(book)))
    assert {name: document.get(name) for name in here} == here
    assert set(document) - set(here) == {"version", "updated_at", "loop"}
    assert document["loop"]["last_run"]["state"] == "Completed"
    assert "cycles.completed" in metrics.stdout


def test_elsewhere_a_refusal_is_told_in_the_flows_own_words(stand: Stand, elsewhere: Elsewhere):
    assert elsewhere.bensbot("halt", "--because", "smoke").returncode == 0

    refused = elsewhere.bensbot("resume")

    assert refused.returncode == 1
    assert "bensbot: Trading is halted since " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert state_of(stand) is TradingState.HALTED


def test_elsewhere_a_wrong_password_is_told_in_one_sentence(elsewhere: Elsewhere):
    said = elsewhere.bensbot("status", PREFECT_API_AUTH_STRING="bensbot:guessed")

    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "Set PREFECT_API_AUTH_STRING to its user:password" in said.stderr


def test_elsewhere_a_server_that_is_down_is_told_in_one_sentence(elsewhere: Elsewhere):
    said = elsewhere.bensbot("pause", PREFECT_API_URL="http://127.0.0.1:9/api")

    assert said.returncode == 1
    assert said.stderr.startswith("bensbot: The Prefect server http://127.0.0.1:9/api does not answer.")


def test_where_the_book_is_it_counts_when_the_server_is_down(stand: Stand):
    done = subprocess.run(
        [*COMMAND, "pause"],
        cwd=stand.folder,
        env=environment(stand.folder, PREFECT_API_URL="http://127.0.0.1:9/api"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 0
    assert "http://127.0.0.1:9/api does not answer" in done.stderr
    assert "The book counts." in done.stderr
    assert state_of(stand) is TradingState.PAUSED


# ── up and down ───────────────────────────────────────────────────────────────────────────────────


def test_up_twice_starts_nothing_more(stand: Stand):
    before = sorted(stand.processes())

    assert stand.bensbot("up").stdout.startswith("BensBot is up already.")
    assert "End that first: bensbot down" in stand.bensbot("up", "--foreground", code=2).stderr
    assert sorted(stand.processes()) == before


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stand]:
    """A folder in which nothing runs yet."""
    stand = make_stand(tmp_path)
    try:
        yield stand
    finally:
        stand.clear()


def test_down_lets_the_running_cycle_finish_and_leaves_no_process(own: Stand):
    own.bensbot("up", "--port", str(own.port))
    own.held_cycle()

    with own.begin("down") as ending:
        assert ending.stderr is not None
        assert ending.stderr.readline().startswith("Waiting for the running cycle to end: ")
        own.let_go()
        ending.stderr.read()

    assert ending.returncode == 0
    assert own.processes() == []
    with own.book() as book:
        assert str(book.cycles.last_traded_session()) == "2022-01-03"
    assert own.bensbot("down").stderr == "Nothing is up here.\n"
    own.bensbot("up", "--port", str(own.port))
    assert not is_paused(own)


def test_after_a_power_cut_up_starts_anew(own: Stand):
    own.bensbot("up", "--port", str(own.port))
    for pid in own.processes():
        os.kill(pid, signal.SIGKILL)

    assert "Check    " in own.bensbot("status", "--check", code=5).stdout
    assert own.bensbot("up", "--port", str(own.port)).stdout.startswith("BensBot is up.\n")
    own.bensbot("down", "--now")
    assert own.processes() == []


def test_in_the_foreground_both_end_with_the_command(own: Stand):
    with own.begin("up", "--foreground", "--port", str(own.port)) as staying:
        assert staying.stderr is not None
        until("the loop is started", (own.room / "serve.json").exists)
        until("all is well", lambda: own.bensbot("status", "--check", code=None).returncode == 0)
        staying.send_signal(signal.SIGTERM)
        staying.stderr.read()

    assert staying.returncode == 0
    assert own.processes() == []


@pytest.mark.parametrize(("ending", "code"), [("down", 0), ("kill", 1)])
def test_in_the_foreground_a_down_is_no_failure_and_a_death_is_one(own: Stand, ending: str, code: int):
    with own.begin("up", "--foreground", "--port", str(own.port)) as staying:
        assert staying.stderr is not None
        until("the loop is started", (own.room / "serve.json").exists)
        until("all is well", lambda: own.bensbot("status", "--check", code=None).returncode == 0)
        if ending == "down":
            own.bensbot("down", "--now")
        else:
            os.kill(json.loads((own.room / "serve.json").read_text())["pid"], signal.SIGKILL)
        staying.stderr.read()

    assert staying.returncode == code
    assert own.processes() == []


def test_a_wrong_setting_stops_up_before_anything_is_started(tmp_path: Path):
    wrong = make_stand(tmp_path, data={"source": "hled"})

    said = wrong.bensbot("up", code=2)

    assert "There is no price source called 'hled'." in said.stderr
    assert not (tmp_path / "state").exists()
