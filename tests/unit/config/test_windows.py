"""Windows of trading hours: bare names, and mappings with times, strategies and exits only."""

from __future__ import annotations

import json

import pytest

from trading_bot.config.typed_settings import TradingBotSettings, WindowSettings, explain_config, load_config

LUNCH = """
hours:
  windows:
    - name: lunch
      from: "12:00"
      to: "13:00"
      strategies: [sma_cross]
      exits_only: true
    - regular
"""


def windows_of(*windows: object) -> TradingBotSettings:
    return TradingBotSettings.model_validate({"hours": {"windows": windows}})


def test_a_window_may_have_a_name_times_a_team_and_let_exits_through_only(config):
    config(LUNCH)

    lunch, regular = load_config().hours.windows

    assert (lunch.name, lunch.starts, lunch.ends) == ("lunch", "12:00", "13:00")
    assert (lunch.strategies, lunch.exits_only) == (("sma_cross",), True)
    assert (regular.name, regular.starts, regular.strategies, regular.exits_only) == ("regular", None, (), False)


def test_a_bare_pair_of_times_is_its_own_name():
    (window,) = windows_of("09:45-15:30").hours.windows

    assert (window.name, window.starts, window.ends) == ("09:45-15:30", "09:45", "15:30")


def test_a_mapping_may_be_named_by_its_times():
    (window,) = windows_of({"name": "09:45-15:30", "exits_only": True}).hours.windows

    assert (window.starts, window.ends, window.exits_only) == ("09:45", "15:30", True)


def test_a_named_window_of_the_exchange_may_have_a_team_of_its_own():
    (window,) = windows_of({"name": "pre-market", "strategies": ["momentum"]}).hours.windows

    assert (window.name, window.starts, window.strategies) == ("pre-market", None, ("momentum",))


@pytest.mark.parametrize("text", ["pre-market,09:45-15:30", '["pre-market", "09:45-15:30"]'])
def test_a_variable_names_windows(monkeypatch, text: str):
    monkeypatch.setenv("BENSBOT_HOURS__WINDOWS", text)

    assert [window.name for window in load_config().hours.windows] == ["pre-market", "09:45-15:30"]


def test_a_variable_may_hold_a_mapping(monkeypatch):
    monkeypatch.setenv("BENSBOT_HOURS__WINDOWS", '[{"name": "regular", "exits_only": true}]')

    (window,) = load_config().hours.windows
    assert (window.name, window.exits_only) == ("regular", True)


@pytest.mark.parametrize(
    ("window", "fix"),
    [
        ("{name: lunch}", 'say when lunch begins and ends, like from: "12:00" and to: "13:00"'),
        ('{name: lunch, from: "12:00"}', "say when lunch begins and ends"),
        ('{name: lunch, from: "13:00", to: "12:00"}', "13:00 is not before 12:00"),
        ('{name: lunch, from: "12:00", to: "12:00"}', "12:00 is not before 12:00"),
        ('{name: regular, from: "10:00", to: "15:00"}', "regular has its own times; leave out from and to"),
        ("{name: lunch, from: 12:00, to: 13:00}", 'YAML reads a time without quotes as a number. Write "12:00"'),
        ('{name: lunch, from: "9:00", to: "13:00"}', "windows.0.from is '9:00' (config.yaml, line 1): write \"09:00\""),
        ('{name: lunch, form: "12:00"}', "Did you mean hours.windows.0.from?"),
        ('{from: "12:00", to: "13:00"}', "hours.windows.0.name (config.yaml, line 1) is missing"),
        ("{name: regular, strategies: [momentum, momentum]}", "momentum is listed twice"),
        ("930", 'it must be a name like regular, two times like "09:30-16:00", or a mapping with a name'),
        ("lunch", "hours.windows.0 is 'lunch' (config.yaml, line 1): it must be one of regular, pre-market"),
    ],
)
def test_a_window_that_makes_no_sense_says_what_to_write(config, refusal, window: str, fix: str):
    config(f"hours: {{windows: [{window}]}}")

    assert fix in refusal()


def test_a_strategy_that_is_not_in_the_team_is_refused(config, refusal):
    config("hours: {windows: [{name: regular, strategies: [momentum, sma]}]}")

    assert refusal() == (
        "hours.windows: regular wants the strategy sma, which neither strategy.team nor rotation.candidates has; there "
        "are sma_cross, rsi_reversion, momentum, donchian_breakout, bollinger_reversion. Add it there, or name another "
        "one here."
    )


def test_without_rotation_a_window_has_the_team_of_the_settings_to_choose_from(config, refusal):
    config(
        "orchestrator: {enable_strategy_rotation: false}\nstrategy: {team: [sma_cross]}\n"
        "hours: {windows: [{name: regular, strategies: [momentum]}]}"
    )

    assert "the strategy momentum, which strategy.team does not have; there are sma_cross." in refusal()


def test_a_window_may_name_a_strategy_that_may_join_the_team(config):
    config("strategy: {team: [sma_cross]}\nhours: {windows: [{name: regular, strategies: [momentum]}]}")

    assert load_config().hours.windows[0].strategies == ("momentum",)


def test_plain_windows_are_text_in_the_fingerprint_as_they_always_were():
    hours = windows_of("pre-market", "09:45-15:30").model_dump()["hours"]

    assert hours == {"windows": ("pre-market", "09:45-15:30"), "closed_dates": ()}


@pytest.mark.parametrize(
    "window",
    [
        {"name": "regular", "exits_only": True},
        {"name": "regular", "strategies": ["momentum"]},
        {"name": "lunch", "from": "12:00", "to": "13:00"},
    ],
)
def test_what_a_window_lets_happen_changes_the_fingerprint(window: dict[str, object]):
    assert windows_of(window).fingerprint() != windows_of("regular").fingerprint()


def test_settings_are_shown_as_they_are_written(config):
    config(LUNCH)

    (shown,) = [setting.value for setting in explain_config() if setting.key == "hours.windows"]

    lunch = {"name": "lunch", "from": "12:00", "to": "13:00", "strategies": ["sma_cross"], "exits_only": True}
    assert json.loads(shown) == [lunch, "regular"]


def test_what_is_shown_can_be_read_again():
    window = WindowSettings.model_validate({"name": "lunch", "from": "12:00", "to": "13:00", "exits_only": True})

    assert WindowSettings.model_validate(window.model_dump()) == window
