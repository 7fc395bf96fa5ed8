import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from trading_bot.config.typed_settings import (
    OrchestratorSettings,
    TeamMember,
    TradingBotSettings,
    load_config,
)


def test_without_a_file_the_defaults_hold():
    assert load_config() == TradingBotSettings()


def test_the_orchestrator_has_the_eight_settings_that_are_promised():
    assert OrchestratorSettings().model_dump() == {
        "loop_interval_seconds": 60,
        "market_hours_only": True,
        "enable_strategy_rotation": True,
        "rotation_time": "16:30",
        "enable_emergency_shutdown": True,
        "max_consecutive_errors": 5,
        "recovery_backoff_seconds": 60,
        "logging_level": "INFO",
    }


def test_the_default_team_has_three_strategies_of_equal_weight():
    team = load_config().strategy.team

    assert [(member.name, member.weight) for member in team] == [
        ("sma_cross", 1.0),
        ("rsi_reversion", 1.0),
        ("momentum", 1.0),
    ]


def test_config_yaml_in_the_current_folder_is_read_unasked(config):
    config("risk: {max_open_trades: 7}")

    assert load_config().risk.max_open_trades == 7


def test_a_named_file_is_read_instead_of_config_yaml(config, folder):
    config("risk: {max_open_trades: 7}")
    (folder / "live.yml").write_text("risk: {max_open_trades: 8}")

    assert load_config("live.yml").risk.max_open_trades == 8


def test_a_json_file_means_the_same_as_yaml(folder):
    (folder / "bot.json").write_text('{"risk": {"max_position_pct": 0.1}, "data": {"symbols": ["AAPL"]}}')

    settings = load_config(folder / "bot.json")

    assert settings.risk.max_position_pct == Decimal("0.1")
    assert settings.data.symbols == ("AAPL",)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "risk:\n", "risk:\n  # max_open_trades: 3\n"])
def test_an_empty_file_or_section_means_the_defaults(config, text):
    config(text)

    assert load_config() == TradingBotSettings()


@pytest.mark.parametrize("text", ["", "{}", '{"risk": null}'])
def test_an_empty_json_file_or_section_means_the_defaults(folder, text):
    (folder / "bot.json").write_text(text)

    assert load_config("bot.json") == TradingBotSettings()


def test_a_byte_order_mark_is_no_part_of_the_first_key(folder):
    (folder / "config.yaml").write_bytes(b"\xef\xbb\xbfrisk: {max_open_trades: 7}")

    assert load_config().risk.max_open_trades == 7


def test_the_environment_wins_over_dotenv_over_the_file_over_the_default(config, folder, monkeypatch):
    config("risk: {max_open_trades: 2, max_correlated_positions: 2, max_risk_pct: 0.02}")
    (folder / ".env").write_text("BENSBOT_RISK__MAX_OPEN_TRADES=3\nBENSBOT_RISK__MAX_CORRELATED_POSITIONS=4\n")
    monkeypatch.setenv("BENSBOT_RISK__MAX_OPEN_TRADES", "5")

    risk = load_config().risk

    assert (risk.max_open_trades, risk.max_correlated_positions) == (5, 4)
    assert (risk.max_risk_pct, risk.max_portfolio_risk) == (Decimal("0.02"), Decimal("0.25"))


def test_dotenv_may_hold_other_programs_variables_and_broken_lines(folder):
    (folder / ".env").write_text("OTHER=1\nthis is no assignment\nexport BENSBOT_RISK__MAX_OPEN_TRADES='3'\n")

    assert load_config().risk.max_open_trades == 3


def test_a_folder_called_dotenv_is_a_virtual_environment_and_no_settings(folder):
    (folder / ".env").mkdir()

    assert load_config() == TradingBotSettings()


def test_a_dollar_sign_in_dotenv_is_taken_as_written(folder):
    (folder / ".env").write_text("BENSBOT_STATE__URL='postgresql://bot:a${HOME}b@db/bot'\n")

    url = load_config().state.url

    assert url is not None
    assert url.get_secret_value() == "postgresql://bot:a${HOME}b@db/bot"


def test_variables_may_be_written_in_lower_case(monkeypatch):
    monkeypatch.setenv("bensbot_risk__max_open_trades", "3")

    assert load_config().risk.max_open_trades == 3


@pytest.mark.parametrize("text", ["AAPL,MSFT", " AAPL , MSFT ,", '["AAPL", "MSFT"]'])
def test_a_list_variable_takes_commas_or_json(monkeypatch, text):
    monkeypatch.setenv("BENSBOT_DATA__SYMBOLS", text)

    assert load_config().data.symbols == ("AAPL", "MSFT")


def test_a_comma_inside_an_address_does_not_split_it(monkeypatch):
    monkeypatch.setenv("BENSBOT_NOTIFICATION__URLS", "mailto://me@home?to=a,b, json://localhost")

    urls = [url.get_secret_value() for url in load_config().notification.urls]

    assert urls == ["mailto://me@home?to=a,b", "json://localhost"]


def test_dates_come_from_commas_too(monkeypatch):
    monkeypatch.setenv("BENSBOT_HOURS__CLOSED_DATES", "2025-01-09,2018-12-05")

    assert load_config().hours.closed_dates == (date(2025, 1, 9), date(2018, 12, 5))


def test_a_team_may_be_named_with_commas(monkeypatch):
    monkeypatch.setenv("BENSBOT_STRATEGY__TEAM", "momentum,sma_cross")

    assert load_config().strategy.team == (TeamMember(name="momentum"), TeamMember(name="sma_cross"))


def test_a_strategy_may_play_twice_with_different_options(config):
    config("strategy: {team: [sma_cross, {name: sma_cross, weight: 2, options: {fast: 5, slow: 20}}]}")

    assert load_config().strategy.team[1] == TeamMember(name="sma_cross", weight=2.0, options={"fast": 5, "slow": 20})


def test_null_in_a_variable_takes_back_what_the_file_says(config, monkeypatch):
    config("state: {url: 'sqlite:///other.db'}")
    monkeypatch.setenv("BENSBOT_STATE__URL", "null")

    assert load_config().state.url is None


def test_one_option_of_a_plug_in_can_be_set_by_variable(config, monkeypatch):
    config("broker: {options: {region: us, retries: 1}}")
    monkeypatch.setenv("BENSBOT_BROKER__OPTIONS__RETRIES", "3")

    assert load_config().broker.options == {"region": "us", "retries": 3}


def test_all_options_of_a_plug_in_can_be_replaced_by_one_json_variable(config, monkeypatch):
    config("risk: {options: {max_spread: {limit: 5}}}")
    monkeypatch.setenv("BENSBOT_RISK__OPTIONS", '{"max_gap": {"limit": 2}}')

    assert load_config().risk.options == {"max_gap": {"limit": 2}}


def test_an_option_that_is_named_like_a_secret_becomes_one_even_when_it_is_all_digits(monkeypatch):
    monkeypatch.setenv("BENSBOT_BROKER__OPTIONS__API_KEY", "0123")

    assert load_config().broker.options == {"api_key": SecretStr("0123")}


@pytest.mark.parametrize("level", ["debug", "Debug", "DEBUG"])
def test_levels_are_taken_in_any_case(monkeypatch, level):
    monkeypatch.setenv("BENSBOT_ORCHESTRATOR__LOGGING_LEVEL", level)

    assert load_config().orchestrator.logging_level == "DEBUG"


def test_an_unquoted_time_in_a_variable_is_just_text(monkeypatch):
    monkeypatch.setenv("BENSBOT_ORCHESTRATOR__ROTATION_TIME", "15:45")

    assert load_config().orchestrator.rotation_time == "15:45"


def test_windows_are_names_or_pairs_of_times(config):
    config("hours: {windows: [pre-market, '09:30-16:00']}")

    assert [window.name for window in load_config().hours.windows] == ["pre-market", "09:30-16:00"]


def test_a_number_of_the_file_keeps_its_decimals(config):
    config("broker: {commission_per_share: 0.005, slippage_bps: 0.1}")

    broker = load_config().broker

    assert (broker.commission_per_share, broker.slippage_bps) == (Decimal("0.005"), Decimal("0.1"))


def test_a_tilde_in_a_path_is_the_home_folder(config, monkeypatch):
    monkeypatch.setenv("HOME", "/home/bot")
    config("state: {folder: ~/books}")

    assert load_config().state.folder == Path("/home/bot/books")


def test_settings_cannot_be_changed_after_loading():
    with pytest.raises(ValidationError, match="frozen"):
        load_config().risk.max_open_trades = 9


def test_settings_built_by_hand_read_no_variable(monkeypatch):
    monkeypatch.setenv("BENSBOT_RISK__MAX_OPEN_TRADES", "9")

    assert TradingBotSettings().risk.max_open_trades == 5


def test_loading_the_defaults_imports_nothing_slow():
    heavy = "numpy pandas sqlalchemy prefect pydantic_settings yaml matplotlib"
    program = (
        "import sys; from trading_bot.config.typed_settings import load_config; load_config(); "
        f"sys.exit(' '.join(set('{heavy}'.split()) & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[3]

    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )

    assert done.stderr.strip() == ""
