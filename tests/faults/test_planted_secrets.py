"""Fault 67: secrets are planted wherever a user may write one, and looked for wherever the bot writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot, Said
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.registry import BROKERS
from trading_bot.domain.errors import BrokerUnavailable
from trading_bot.domain.market import MarketState

TOKEN = "Tk7hQ2vXwZ9pLm4sRb8nYc3d"
PASSWORD = "s3cr3t-p%40ss-w0rd"
PLAIN_PASSWORD = "s3cr3t-p@ss-w0rd"
CHANNEL = f"json://ben:{PASSWORD}@127.0.0.1:1/{TOKEN}"  # nobody listens there
POSTGRES = f"postgresql+psycopg://ben:{PASSWORD}@127.0.0.1:1/books"
SECRETS = (TOKEN, PASSWORD, PLAIN_PASSWORD)

CHATTY = "chatty"


@pytest.fixture
def chatty_broker() -> Iterator[str]:
    """A broker whose errors quote everything it was told."""

    class Chatty(PaperBroker):
        def advance(self, market: MarketState) -> None:
            try:
                raise ConnectionError(f"GET https://ben:{PLAIN_PASSWORD}@api.example.com/{TOKEN}/orders")
            except ConnectionError as error:
                raise BrokerUnavailable(f"no answer: {error} (channel {CHANNEL})") from error

    BROKERS.names()
    BROKERS.register(CHATTY)(Chatty)
    yield CHATTY
    del BROKERS._classes[CHATTY]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENSBOT_NOTIFICATION__URLS", CHANNEL)


def leaks(said: list[Said], folder: Path) -> list[str]:
    """Return where a secret shows: standard output, standard error, or a file in the folder."""
    places = {f"stdout {n}": one.out for n, one in enumerate(said)} | {f"stderr {n}": s.err for n, s in enumerate(said)}
    texts = {name: text.encode() for name, text in places.items()}
    texts |= {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(name.endswith(".log") for name in texts)
    return [f"{secret} in {name}" for name, text in texts.items() for secret in SECRETS if secret.encode() in text]


@pytest.mark.usefixtures("planted")
def test_fault_67_a_cycle_that_succeeds_shows_no_secret(bensbot: Bensbot, tmp_path: Path):
    said = [bensbot("run", "--once"), bensbot("run", "--sessions", "2", "--json")]

    assert [one.code for one in said] == [0, 0]
    assert leaks(said, tmp_path) == []


@pytest.mark.usefixtures("planted")
def test_fault_67_a_channel_that_is_down_is_logged_without_its_address(bensbot: Bensbot, tmp_path: Path):
    bensbot("run", "--once")

    log = (tmp_path / ".bensbot" / "bensbot.log").read_text()
    assert "Not sent 'Cycle of 2022-01-03' to notification channel 1 (json://" in log
    assert leaks([], tmp_path) == []


@pytest.mark.usefixtures("planted")
def test_fault_67_a_cycle_that_fails_shows_no_secret(
    bensbot: Bensbot, config: Callable[[str], None], tmp_path: Path, chatty_broker: str
):
    config(f"broker: {{name: {chatty_broker}}}\norchestrator: {{recovery_backoff_seconds: 0, logging_level: DEBUG}}\n")

    said = [bensbot("run", "--once"), bensbot("run", "--once", "--json"), bensbot("status"), bensbot("doctor")]

    assert [one.code for one in said] == [1, 1, 0, 0]
    assert "no answer: GET https://ben:****@api.example.com/****/orders" in said[0].err
    assert leaks(said, tmp_path) == []


@pytest.mark.usefixtures("planted")
def test_fault_67_tracebacks_in_the_log_are_masked(
    bensbot: Bensbot, config: Callable[[str], None], tmp_path: Path, chatty_broker: str
):
    config(f"broker: {{name: {chatty_broker}}}\n")

    bensbot("run", "--once")

    log = (tmp_path / ".bensbot" / "bensbot.log").read_text()
    assert "ConnectionError: GET https://ben:****@api.example.com/****/orders" in log


@pytest.mark.usefixtures("planted")
def test_fault_67_an_emergency_shows_no_secret(
    bensbot: Bensbot, config: Callable[[str], None], tmp_path: Path, chatty_broker: str
):
    config(f"broker: {{name: {chatty_broker}}}\norchestrator: {{max_consecutive_errors: 1}}\n")

    said = [bensbot("run"), bensbot("run", "--once"), bensbot("resume"), bensbot("status"), bensbot("status", "--json")]

    assert [one.code for one in said] == [1, 0, 2, 0, 0]
    assert "halted" in said[-1].out
    assert leaks(said, tmp_path) == []


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("words", [("config", "show"), ("config", "show", "--json")])
def test_fault_67_config_show_masks(bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]):
    monkeypatch.setenv("BENSBOT_STATE__URL", POSTGRES)
    monkeypatch.setenv("BENSBOT_BROKER__PAPER_URL", POSTGRES)

    said = bensbot(*words)

    assert said.code == 0
    assert "**" in said.out
    assert not any(secret in said.out + said.err for secret in SECRETS)


@pytest.mark.parametrize("variable", ["BENSBOT_STATE__URL", "BENSBOT_BROKER__PAPER_URL"])
@pytest.mark.parametrize("words", [("run", "--once"), ("run", "--once", "--json"), ("status",), ("halt",), ("doctor",)])
def test_fault_67_the_password_of_a_database_shows_nowhere(
    bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, words: tuple[str, ...]
):
    bensbot("run", "--once")
    monkeypatch.setenv(variable, POSTGRES)

    said = bensbot(*words)

    assert "Traceback" not in said.err
    assert leaks([said], tmp_path) == []


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg"])
@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_fault_67_a_password_behind_the_question_mark_shows_nowhere(
    bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, driver: str, name: str
):
    bensbot("run", "--once")
    monkeypatch.setenv("BENSBOT_STATE__URL", f"{driver}://ben@127.0.0.1:1/books?{name}={PASSWORD}")

    said = bensbot("run", "--once")

    assert f"{driver.partition('+')[0]}+psycopg://ben@127.0.0.1:1/books" in said.err
    assert leaks([said], tmp_path) == []


@pytest.mark.parametrize(
    "url", [f"sqlite://ben:{PASSWORD}@/x", f"nonsense://ben:{PASSWORD}@x", f"{PASSWORD}://", PASSWORD]
)
def test_fault_67_a_database_address_that_is_none_is_not_quoted(
    bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
):
    bensbot("run", "--once")
    monkeypatch.setenv("BENSBOT_STATE__URL", url)

    said = [bensbot("run", "--once"), bensbot("status")]

    assert {one.code for one in said} <= {1, 2}
    assert not any("Traceback" in one.err for one in said)
    assert leaks(said, tmp_path) == []


@pytest.mark.parametrize("url", [f"nosuchservice://{TOKEN}", TOKEN, f"tgram://{TOKEN}"])
def test_fault_67_a_channel_address_that_is_none_is_not_quoted(
    bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch, url: str
):
    monkeypatch.setenv("BENSBOT_NOTIFICATION__URLS", url)

    said = bensbot("run", "--once")

    assert said.code == 2
    assert said.is_one_paragraph
    assert TOKEN not in said.out + said.err
