"""Secrets are planted wherever a user may write one, and looked for in everything that Prefect stores."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.flows.prefect_side import deploy, events, run_of
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.errors import SourceUnavailable
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars

Desk = Any  # the fixture's record; see conftest.py
TOKEN = "Tk7hQ2vXwZ9pLm4sRb8nYc3d"
PASSWORD = "s3cr3t-p%40ss-w0rd"
PLAIN_PASSWORD = "s3cr3t-p@ss-w0rd"
CHANNEL = f"json://ben:{PASSWORD}@127.0.0.1:1/{TOKEN}"  # nobody listens there
SECRETS = (TOKEN, PASSWORD, PLAIN_PASSWORD)


@dataclass(frozen=True, slots=True)
class Chatty:
    """A price source whose errors quote everything it was told."""

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        try:
            raise ConnectionError(f"GET https://ben:{PLAIN_PASSWORD}@api.example.com/{TOKEN}/bars")
        except ConnectionError as error:
            error.add_note(f"the key was {TOKEN}")
            raise SourceUnavailable(f"no answer: {error} (channel {CHANNEL})") from error

    def sessions(self) -> SessionAxis:
        return Sample().sessions()


@pytest.fixture
def chatty() -> Iterator[str]:
    PRICE_SOURCES.names()
    PRICE_SOURCES.register("chatty")(Chatty)
    yield "chatty"
    del PRICE_SOURCES._classes["chatty"]


@pytest.fixture(autouse=True)
def _ask_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.market import update_market_data

    monkeypatch.setattr(update_market_data, "retry_delay_seconds", 0)
    monkeypatch.setattr(update_market_data, "retry_jitter_factor", None)


def server_files() -> dict[str, bytes]:
    """Return everything in the folder of the server's database, once logs and events have arrived."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL

    APILogWorker.drain_all(timeout=60)
    EventsWorker.drain_all(timeout=60)
    database = Path(str(PREFECT_API_DATABASE_CONNECTION_URL.value()).partition(":///")[2])
    with closing(sqlite3.connect(database)) as server:
        server.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return {path.name: path.read_bytes() for path in database.parent.iterdir() if path.is_file()}


def leaks(files: dict[str, bytes]) -> list[str]:
    return [
        f"{secret} in {name}" for name, content in files.items() for secret in SECRETS if secret.encode() in content
    ]


def test_fault_67_nothing_that_prefect_stores_of_a_failed_run_holds_a_secret(
    desk: Callable[..., Desk], chatty: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("BENSBOT_NOTIFICATION__URLS", CHANNEL)
    mine = desk(data={"source": chatty}, orchestrator={"max_consecutive_errors": 1, "logging_level": "DEBUG"})
    deployment = deploy(mine.config)

    ended = run_of(deployment, mine.config)

    assert ended.is_failed()
    assert "SourceUnavailable: no answer: GET https://ben:****@api.example.com/****/bars" in ended.message
    assert events("prefect.flow-run.Failed", of_run=deployment)
    files = server_files()
    assert any(b"no answer: GET https://ben:****@api.example.com/****/bars" in content for content in files.values())
    assert leaks(files) == []
    assert leaks({"log": caplog.text.encode()}) == []


@pytest.mark.parametrize("variable", ["BENSBOT_STATE__URL", "BENSBOT_BROKER__PAPER_URL"])
def test_fault_67_the_password_of_a_database_that_is_not_there_is_stored_nowhere(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, variable: str
):
    monkeypatch.setenv(variable, f"postgresql+psycopg://ben:{PASSWORD}@127.0.0.1:1/books")

    assert desk().trade().is_failed()
    assert leaks(server_files()) == []


def test_fault_67_nothing_that_prefect_stores_of_a_good_run_holds_a_secret(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BENSBOT_NOTIFICATION__URLS", CHANNEL)

    assert desk().trade().is_completed()
    assert leaks(server_files()) == []
