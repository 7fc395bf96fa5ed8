"""Wrong settings stop the command with exit code 2 and say what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot
from tests.unit.core.trading import open_desk, rows
from trading_bot.brokers.paper import PaperBroker
from trading_bot.brokers.registry import BROKERS
from trading_bot.core.cycle import run_cycle
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.ports import BrokerAccount, BrokerSetup

COMMANDS = [("run", "--once"), ("status",), ("config", "show"), ("doctor",), ("halt",)]


def test_fault_63_an_unknown_key_names_the_nearest(bensbot: Bensbot, config: Callable[[str], None]):
    config("risk: {max_open_trade: 3}\n")

    said = bensbot("run", "--once")

    assert said.code == 2
    assert said.is_one_paragraph
    assert "max_open_trade" in said.err
    assert "max_open_trades" in said.err.replace("max_open_trade:", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_fault_63_every_command_refuses_an_unknown_key(
    bensbot: Bensbot, config: Callable[[str], None], tmp_path: Path, command: tuple[str, ...]
):
    config("riks: {}\n")

    said = bensbot(*command)

    assert said.code == 2
    assert "risk" in said.err
    assert not (tmp_path / ".bensbot").exists()


def test_fault_64_an_unknown_variable_is_an_error(bensbot: Bensbot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BENSBOT_RISK__MAX_OPEN_TRADE", "3")

    said = bensbot("run", "--once")

    assert said.code == 2
    assert said.is_one_paragraph
    assert "BENSBOT_RISK__MAX_OPEN_TRADE" in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("risk: {max_position_pct: 1.5}", "max_position_pct"),
        ("risk: {max_position_pct: .nan}", "max_position_pct"),
        ('risk: {max_position_pct: "5%"}', "0.05"),
        ("orchestrator: {rotation_time: 16:30}", '"16:30"'),
        ("orchestrator: {loop_interval_seconds: 0}", "loop_interval_seconds"),
        ("broker: {starting_cash: -1}", "starting_cash"),
        ("hours: {windows: [lunch]}", "after-hours"),
        ('broker: {stream_url: "https://paper-api.alpaca.markets"}', "wss://paper-api.alpaca.markets/stream"),
        ('broker: {stream_url: "ws://paper-api.alpaca.markets/stream"}', "keys travel encrypted only"),
        ("strategy: {team: []}", "team"),
    ],
)
def test_fault_65_a_wrong_value_says_what_to_write(
    bensbot: Bensbot, config: Callable[[str], None], tmp_path: Path, text: str, told: str
):
    config(text)

    said = bensbot("run", "--once")

    assert said.code == 2
    assert said.is_one_paragraph
    assert told in said.err
    assert not (tmp_path / ".bensbot").exists()


def test_fault_65_a_file_that_does_not_exist_is_an_error(bensbot: Bensbot):
    said = bensbot("run", "--once", "--config", "nowhere.yaml")

    assert said.code == 2
    assert said.is_one_paragraph
    assert "nowhere.yaml" in said.err


def test_fault_65_several_wrong_values_are_told_at_once(bensbot: Bensbot, config: Callable[[str], None]):
    config("risk: {max_position_pct: 7, max_open_trades: 0}\n")

    said = bensbot("config", "check", "config.yaml")

    assert said.code == 2
    assert "max_position_pct" in said.err
    assert "max_open_trades" in said.err


# ── 66: real money on purpose only ────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class LiveName:
    name: str = "pretends-to-be-live"
    account_id: str = "LIVE-123"


@pytest.fixture
def live_broker() -> Iterator[LiveName]:
    """A broker whose account is live; the shares are the paper broker's all the same."""
    live = LiveName()

    class PretendsToBeLive(PaperBroker):
        def __init__(self, setup: BrokerSetup) -> None:
            super().__init__(setup)

        def account(self) -> BrokerAccount:
            return BrokerAccount(live.account_id, "live", Decimal(100_000), Decimal(100_000))

    names = BROKERS.names()
    BROKERS.register(live.name)(PretendsToBeLive)
    yield live
    del BROKERS._classes[live.name]
    assert BROKERS.names() == names


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"live_confirm": "LIVE-123"},  # paper is still true
        {"paper": False},
        {"paper": False, "live_confirm": "LIVE-124"},
        {"paper": False, "live_confirm": "live-123"},
        {"paper": False, "live_confirm": ""},
    ],
)
def test_fault_66_a_live_account_without_full_consent_is_refused(
    folder: Path, live_broker: LiveName, settings: dict[str, object]
):
    with open_desk(folder, broker={"name": live_broker.name, **settings}) as desk:
        with pytest.raises(
            SettingsError, match=r"live account LIVE-123.*broker\.live_confirm: 'LIVE-123'.*Nothing was"
        ):
            run_cycle(desk.bot, run_id="run")

        assert desk.rows("SELECT * FROM account") == []
        assert desk.rows("SELECT * FROM intents") == []
    assert rows(folder / "paper.db", "SELECT * FROM paper_orders") == []


def test_fault_66_a_live_account_is_traded_when_the_settings_say_so_twice(folder: Path, live_broker: LiveName):
    consent = {"paper": False, "live_confirm": live_broker.account_id}
    with open_desk(folder, broker={"name": live_broker.name, **consent}) as desk:
        assert run_cycle(desk.bot, run_id="run").orders
        assert desk.rows("SELECT account_id, mode FROM account") == [("LIVE-123", "live")]


def test_fault_66_the_command_refuses_with_exit_2_and_backs_off_from_nothing(
    bensbot: Bensbot, config: Callable[[str], None], live_broker: LiveName
):
    config(f"broker: {{name: {live_broker.name}}}\n")

    said = bensbot("run", "--once")

    assert said.code == 2
    assert said.is_one_paragraph
    assert "LIVE-123" in said.err
    assert bensbot("status", "--json").document["consecutive_errors"] == 0


def test_fault_66_paper_false_with_a_paper_account_is_a_contradiction(folder: Path):
    with (
        open_desk(folder, broker={"paper": False, "live_confirm": "PAPER"}) as desk,
        pytest.raises(SettingsError, match=r"Set broker\.paper: true, or name a live broker"),
    ):
        run_cycle(desk.bot, run_id="run")
