"""The commands that switch the loop, against a server that gives Prefect's answers."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments import stack
from deployments.control import flatten, halt, pause, resume, start, status, stop
from deployments.place import Server, ServerRoom
from deployments.up import down
from tests.flows.fake_prefect import FakePrefect, fake_prefect
from trading_bot.config.typed_settings import load_config
from trading_bot.core.book import open_book
from trading_bot.terminal import Stopped


@pytest.fixture
def prefect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePrefect]:
    """A server that this empty folder knows."""
    monkeypatch.chdir(tmp_path)
    with fake_prefect() as known:
        monkeypatch.setenv("PREFECT_API_URL", known.address)
        yield known


@pytest.fixture
def room(tmp_path: Path) -> ServerRoom:
    """The room of a `bensbot down` that was killed while it waited for a cycle to end."""
    made = stack.made(ServerRoom(tmp_path / ".bensbot" / "server"))
    made.drained.touch()
    return made


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put back what `bensbot` does about signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


# ── the pause of a `down` that was killed ─────────────────────────────────────────────────────────


def test_up_ends_the_pause_of_a_down_that_was_killed(prefect: FakePrefect, room: ServerRoom):
    prefect.paused = True

    stack.undrain(room, Server(prefect.address, None))

    assert (prefect.paused, room.drained.exists()) == (False, False)


@pytest.mark.parametrize("switch", [stop, pause, halt])
def test_up_leaves_a_pause_alone_that_its_owner_asked_for_since(
    prefect: FakePrefect, room: ServerRoom, switch: Callable[[], int]
):
    with open_book(load_config()):
        pass

    switch()
    stack.undrain(room, Server(prefect.address, None))

    assert prefect.paused


@pytest.mark.parametrize("switch", [start, resume])
def test_whoever_lets_the_loop_go_on_ends_the_pause_of_a_down_for_good(
    prefect: FakePrefect, room: ServerRoom, monkeypatch: pytest.MonkeyPatch, switch: Callable[[], int]
):
    monkeypatch.setattr("deployments.switching.PATIENCE_SECONDS", 0.0)
    with open_book(load_config()):
        pass
    prefect.paused = True

    switch()

    assert (prefect.paused, room.drained.exists()) == (False, False)


def test_a_server_that_does_not_answer_keeps_the_pause_for_up_to_end(
    room: ServerRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with open_book(load_config()):
        pass

    resume()

    assert room.drained.exists()


@pytest.mark.usefixtures("handlers", "prefect")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_interrupts_down_instead_of_killing_it(number: signal.Signals):
    down()

    with pytest.raises(Stopped):
        os.kill(os.getpid(), number)


def test_a_down_that_is_interrupted_leaves_the_loop_as_it_was(prefect: FakePrefect, room: ServerRoom):
    room.drained.unlink()
    prefect.under_way = True
    paused: list[bool] = []

    def close_the_terminal(_line: str) -> None:
        paused.append(prefect.paused)
        raise Stopped(signal.SIGHUP)

    with pytest.raises(Stopped):
        stack.drain(room, Server(prefect.address, None), close_the_terminal, timeout_seconds=60)

    assert (paused, prefect.paused, room.drained.exists()) == ([True], False, False)


# ── flatten from elsewhere ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "told",
    ["2 orders to close positions: sell 9 AAPL, sell 22 AMD.", "No order was sent. Refused: sell 9 AAPL (late)."],
)
def test_elsewhere_flatten_says_what_came_of_it(prefect: FakePrefect, capsys: pytest.CaptureFixture[str], told: str):
    prefect.ends_as = {"type": "COMPLETED", "name": "Completed", "message": told}

    flatten("aapl", because="going away", yes=True)

    assert capsys.readouterr().err.splitlines()[-1] == f"{told} Nothing is bought until: bensbot resume"
    assert prefect.asked_for == [{"because": "going away", "symbols": ["aapl"], "ack": False}]


# ── watching from elsewhere ───────────────────────────────────────────────────────────────────────

SKIPPED = [
    {"expected_start_time": f"2026-11-23T17:0{minute}:00Z", "end_time": f"2026-11-23T17:0{minute}:02Z"}
    for minute in (3, 2, 1)
]


@pytest.mark.parametrize(
    ("sign_of_life", "changed_at", "code"),
    [
        ("2026-11-23T17:01:01+00:00", "2026-11-20T12:00:00+00:00", 0),  # quiet skips, or one that traded
        ("2026-11-23T17:00:59+00:00", "2026-11-20T12:00:00+00:00", 5),  # backing off, too late, lease taken
        (None, "2026-11-20T12:00:00+00:00", 5),
        (None, "2026-11-23T17:02:30+00:00", 0),  # resumed since
    ],
)
def test_elsewhere_three_runs_without_a_sign_of_life_are_stale(
    prefect: FakePrefect, sign_of_life: str | None, changed_at: str, code: int
):
    prefect.ends_as, prefect.ended = {"type": "COMPLETED", "name": "Skipped"}, SKIPPED
    prefect.sign_of_life, prefect.tables["bensbot-status"] = sign_of_life, {"state": "active", "changed_at": changed_at}

    assert status(check=True) == code


def test_elsewhere_a_halt_where_the_book_is_shows_at_once(
    prefect: FakePrefect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with open_book(load_config()):
        pass
    halt(because="smoke")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    capsys.readouterr()

    code = status(check=True, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert (code, document["state"], document["cause"]) == (4, "halted", "smoke")
