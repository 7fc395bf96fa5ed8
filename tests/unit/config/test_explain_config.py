import json

import pytest

from trading_bot.config.show import origins_as_json, origins_as_text
from trading_bot.config.typed_settings import SettingOrigin, TradingBotSettings, explain_config
from trading_bot.domain.errors import SettingsError


def explained() -> dict[str, tuple[str, str]]:
    return {origin.key: (origin.value, origin.origin) for origin in explain_config()}


def test_every_setting_is_explained_once_in_the_order_of_the_models():
    sections = {name: type(section).model_fields for name, section in TradingBotSettings()}

    assert [origin.key for origin in explain_config()] == [
        f"{section}.{key}" for section, keys in sections.items() for key in keys
    ]


def test_each_value_names_the_layer_it_came_from(config, folder, monkeypatch):
    config("risk: {max_open_trades: 2, max_correlated_positions: 2, max_risk_pct: 0.02}")
    (folder / ".env").write_text("BENSBOT_RISK__MAX_CORRELATED_POSITIONS=4\n")
    monkeypatch.setenv("BENSBOT_RISK__MAX_OPEN_TRADES", "5")

    told = explained()

    assert told["risk.max_open_trades"] == ("5", "environment BENSBOT_RISK__MAX_OPEN_TRADES")
    assert told["risk.max_correlated_positions"] == ("4", ".env")
    assert told["risk.max_risk_pct"] == ("0.02", "file config.yaml")
    assert told["risk.max_portfolio_risk"] == ("0.25", "default")


def test_an_empty_section_of_the_file_sets_nothing(config):
    config("risk:\n")

    assert explained()["risk.max_open_trades"] == ("5", "default")


def test_each_option_of_a_plug_in_has_its_own_origin(config, monkeypatch):
    config("broker: {options: {region: us, retries: 1}}")
    monkeypatch.setenv("BENSBOT_BROKER__OPTIONS__RETRIES", "3")

    told = explained()

    assert told["broker.options.region"] == ("us", "file config.yaml")
    assert told["broker.options.retries"] == ("3", "environment BENSBOT_BROKER__OPTIONS__RETRIES")


def test_options_replaced_by_a_variable_no_longer_come_from_the_file(config, monkeypatch):
    config("broker: {options: {region: us}}")
    monkeypatch.setenv("BENSBOT_BROKER__OPTIONS", '{"region": "eu"}')

    assert explained()["broker.options.region"] == ("eu", "environment BENSBOT_BROKER__OPTIONS")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("orchestrator.market_hours_only", "true"),
        ("orchestrator.rotation_time", "16:30"),
        ("hours.windows", '["regular"]'),
        ("broker.starting_cash", "100000"),
        ("broker.paper_url", "null"),
        ("data.start", "2022-01-03"),
        ("state.folder", ".bensbot"),
    ],
)
def test_values_are_told_as_they_are_written(key, value):
    assert explained()[key] == (value, "default")


def test_wrong_settings_are_refused_here_too(config):
    config("risk: {max_open_trades: 0}")

    with pytest.raises(SettingsError, match=r"risk.max_open_trades is 0"):
        explain_config()


def test_the_text_has_a_line_for_each_setting_in_columns():
    text = origins_as_text((SettingOrigin("a.b", "1", "default"), SettingOrigin("a.long", "true", ".env")))

    assert text == "a.b     1     default\na.long  true  .env"


def test_the_json_is_a_list_of_objects():
    text = origins_as_json((SettingOrigin("a.b", "1", "default"),))

    assert json.loads(text) == [{"key": "a.b", "value": "1", "origin": "default"}]


def test_no_setting_at_all_is_an_empty_text():
    assert origins_as_text(()) == ""
