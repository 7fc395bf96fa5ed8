from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments import stack
from deployments.place import ServerRoom
from deployments.processes import Unfinished
from deployments.serve import environment_of_runs
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.book import open_book
from trading_bot.core.owner import owner_of
from trading_bot.domain.errors import SettingsError


@pytest.fixture
def settings(tmp_path: Path) -> TradingBotSettings:
    return TradingBotSettings.model_validate({"state": {"folder": tmp_path}})


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_in_use_is_a_wrong_setting(taken: int):
    with pytest.raises(SettingsError, match=f"--port {taken} is in use"):
        stack.chosen_port(taken)


@pytest.mark.parametrize("number", [-5, 0, 99999])
def test_a_number_that_is_no_port_is_a_wrong_setting(number: int):
    with pytest.raises(SettingsError, match=f"--port {number} is no port; write a number from 1 to 65535"):
        stack.chosen_port(number)


def test_where_the_usual_port_is_in_use_another_one_is_taken(taken: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stack, "USUAL_PORT", taken)

    assert stack.chosen_port(None) not in (taken, 0)


def test_a_second_up_of_the_same_book_is_kept_away(tmp_path: Path):
    room = stack.made(ServerRoom(tmp_path / "server"))

    with stack.alone(room), pytest.raises(Unfinished, match="is at work here"), stack.alone(room):
        pytest.fail("both were let in")
    with stack.alone(room):
        pass


@pytest.mark.parametrize(
    ("owner", "is_free"),
    [(owner_of("run"), False), ("elsewhere:1:abc:run", False), (None, True)],
    ids=["held here", "held elsewhere", "free"],  # a process number in the name would differ from run to run
)
def test_whether_a_cycle_runs_is_read_off_the_lease(settings: TradingBotSettings, owner: str | None, is_free: bool):
    with open_book(settings) as book:
        if owner:
            book.control.acquire_lease(owner, ttl_seconds=300)

    assert stack.lease_is_free(settings, timeout_seconds=0) is is_free


def test_a_run_gives_its_sign_of_life_as_often_as_the_watchdog_expects_it_whatever_the_environment_says(tmp_path: Path):
    theirs = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "600", "PREFECT_LOGGING_EXTRA_LOGGERS": "mine"}
    room = stack.made(ServerRoom(tmp_path / "server"))

    served, brought_up = environment_of_runs(theirs), stack.environment_of(room, "http://127.0.0.1:4200/api", theirs)

    assert [found["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] for found in (served, brought_up)] == ["30", "30"]
    assert served["PREFECT_LOGGING_EXTRA_LOGGERS"] == "mine"
