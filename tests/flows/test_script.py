from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import command
from flows.server import StartedServer
from tests.patience import PATIENCE, within
from trading_bot.config.sections import StateSettings
from trading_bot.config.typed_settings import load_config
from trading_bot.core.book import open_book
from trading_bot.domain.cycle import TradingState

SCRIPT = Path(command.__file__).with_name("cycle.py")
STARTING, UP, TRADING = "Starting a Prefect server", "The server is up", "1 of 40"


def environment(home: Path) -> dict[str, str]:
    """A machine without settings of its own, on which no Prefect server runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BENSBOT_"))}
    return {**kept, "PREFECT_HOME": str(home / "prefect"), "PREFECT_SERVER_API_PORT": "9"}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**environment(folder), **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that runs already, for the tests in which starting one is not the matter."""
    home = tmp_path_factory.mktemp("server")
    started = StartedServer(environment(home))
    try:
        started.wait(own_database=home / "prefect.db")
        yield started.address
    finally:
        started.stop()


def servers_of(folder: Path) -> list[int]:
    """Return every living process that was started with this Prefect home."""
    wanted = f"PREFECT_HOME={folder / 'prefect'}".encode()
    found: list[int] = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:  # it ended while we looked, or it is none of ours
            continue
    return found


def within_a_while(folder: Path) -> list[int]:
    """Return the processes that are still there after a minute; sooner when none is."""
    within(60, lambda: not servers_of(folder))
    return servers_of(folder)


@pytest.mark.slow
def test_fault_56_without_key_network_and_server_one_command_trades_a_session(tmp_path: Path):
    ended = run(tmp_path, "--json", http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["session"] == "2022-01-03"
    assert ended.stderr.startswith("BensBot: trading the next session with the settings of this folder.\n")
    assert servers_of(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--sessions", "0"], "BensBot: argument --sessions: '0' is not a number of sessions; write 1 or more"),
        (["--sessions", "two"], "BensBot: argument --sessions: 'two' is not a number of sessions; write 1 or more"),
        (["--as-of", "03/16/2020"], "BensBot: argument --as-of: '03/16/2020' is not a date; write it like 2020-03-16"),
        (["--as-of", "2022-03-16", "--sessions", "2"], "BensBot: --as-of names one session, so leave out --sessions"),
        (["--session", "--typo"], "BensBot: "),
        (["--config", "nowhere.yaml"], "BensBot: "),
    ],
)
def test_a_wrong_argument_is_told_in_one_paragraph(tmp_path: Path, arguments: list[str], complaint: str):
    ended = run(tmp_path, *arguments)

    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_wrong_variable_stops_before_anything_is_started(tmp_path: Path):
    ended = run(tmp_path, BENSBOT_RISK__MAX_POSITION_PCT="5%")

    assert ended.returncode == 2
    assert "max_position_pct" in ended.stderr.lower()
    assert "Starting a Prefect server" not in ended.stderr


def test_the_first_line_comes_before_anything_heavy_is_imported():
    loaded = "import sys, flows.command; print({'prefect', 'pandas', 'sqlalchemy', 'pydantic'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert ended.stdout == "set()\n"


def test_an_abbreviated_option_is_refused(tmp_path: Path):
    assert run(tmp_path, "--sess", "1").returncode == 2


@pytest.mark.slow
def test_several_sessions_are_one_line_each_and_one_report(tmp_path: Path, server: str):
    ended = run(tmp_path, "--sessions", "3", PREFECT_API_URL=server)

    assert ended.returncode == 0, ended.stderr
    assert re.findall(r"^(\d) of 3: (\S+):", ended.stderr, re.MULTILINE) == [
        ("1", "2022-01-03"),
        ("2", "2022-01-04"),
        ("3", "2022-01-05"),
    ]
    assert "3 sessions, 2022-01-03 to 2022-01-05" in ended.stdout


@pytest.mark.slow
def test_a_reader_who_has_read_enough_ends_it_as_other_commands(tmp_path: Path, server: str):
    unread, written = os.pipe()
    os.close(unread)

    ended = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**environment(tmp_path), "PREFECT_API_URL": server},
        cwd=tmp_path,
        stdout=written,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    os.close(written)
    assert ended.returncode == 141
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_cycle_that_may_not_trade_says_why_and_what_helps(tmp_path: Path, server: str):
    with open_book(load_config().model_copy(update={"state": StateSettings(folder=tmp_path / ".bensbot")})) as book:
        book.control.set_state(TradingState.PAUSED, cause="a test", who="Ben")

    ended = run(tmp_path, PREFECT_API_URL=server)

    assert ended.returncode == 0
    assert "BensBot did not trade: Trading is paused" in ended.stderr
    assert "`bensbot resume`" in ended.stderr


@pytest.mark.slow
def test_a_failed_cycle_says_so_without_a_traceback(tmp_path: Path):
    (tmp_path / ".bensbot").mkdir()
    (tmp_path / ".bensbot" / "bensbot.db").write_text("not a database, but somebody's file")

    ended = run(tmp_path)

    assert ended.returncode == 1
    assert "BensBot: the cycle failed. " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert servers_of(tmp_path) == []


@pytest.mark.slow
def test_a_date_that_is_no_session_is_a_wrong_argument(tmp_path: Path, server: str):
    ended = run(tmp_path, "--as-of", "2022-01-08", PREFECT_API_URL=server)  # a Saturday

    assert ended.returncode == 2
    assert "2022-01-08" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert run(tmp_path, "--as-of", "2022-01-07", "--json", PREFECT_API_URL=server).returncode == 0


@pytest.mark.slow
def test_a_configured_server_elsewhere_that_is_silent_stops_the_run(tmp_path: Path):
    ended = run(tmp_path, PREFECT_API_URL="http://prefect.invalid:4200/api")

    assert ended.returncode == 1
    assert "does not answer" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "moment"),
    [
        (signal.SIGTERM, 143, TRADING),
        (signal.SIGKILL, -9, TRADING),
        pytest.param(signal.SIGINT, 130, STARTING, marks=pytest.mark.endurance),
        pytest.param(signal.SIGINT, 130, TRADING, marks=pytest.mark.endurance),
        pytest.param(signal.SIGHUP, 129, UP, marks=pytest.mark.endurance),
        pytest.param(signal.SIGTERM, 143, STARTING, marks=pytest.mark.endurance),
        pytest.param(signal.SIGTERM, 143, UP, marks=pytest.mark.endurance),
        pytest.param(signal.SIGKILL, -9, STARTING, marks=pytest.mark.endurance),
        pytest.param(signal.SIGKILL, -9, UP, marks=pytest.mark.endurance),
    ],
)
def test_whatever_ends_the_command_leaves_no_process_and_the_next_run_trades(
    tmp_path: Path, number: signal.Signals, code: int, moment: str
):
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), "--sessions", "40"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stderr is not None
        while moment not in (line := command.stderr.readline()):
            assert line, "it ended too early"
        time.sleep(0.3)
        command.send_signal(number)
        rest = command.stderr.read()
        command.wait(PATIENCE)

    assert command.returncode == code
    assert "Traceback" not in rest
    assert within_a_while(tmp_path) == []
    if number is not signal.SIGKILL:  # a killed cycle counts as a failure, and the bot backs off
        again = [str(Path(sys.executable).with_name("bensbot")), "run", "--once", "--json"]
        assert subprocess.check_output(again, env=environment(tmp_path), cwd=tmp_path, text=True).startswith("{")
