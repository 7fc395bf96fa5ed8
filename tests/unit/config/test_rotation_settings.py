"""The settings of the rotation, and what people write by mistake."""

from __future__ import annotations

import pytest

from trading_bot.config.typed_settings import CandidateSettings, TradingBotSettings, load_config


def test_by_default_the_best_three_of_the_last_90_and_504_sessions_trade_after_each_session():
    found = TradingBotSettings().rotation

    assert (found.frequency, found.windows, found.criterion, found.keep) == ("daily", (90, 504), "sharpe", 3)
    assert (found.weights, found.runner, found.dry_run) == ("equal", "threads", False)


def test_a_candidate_is_a_bare_name_or_has_a_grid(config):
    config("rotation: {candidates: [momentum, {name: sma_cross, grid: {fast: [5, 10]}}]}")

    assert load_config().rotation.candidates == (
        CandidateSettings(name="momentum"),
        CandidateSettings(name="sma_cross", grid={"fast": (5, 10)}),
    )


def test_windows_are_sorted_and_may_come_from_a_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BENSBOT_ROTATION__WINDOWS", "252,60")

    assert load_config().rotation.windows == (60, 252)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "{criterion: sharp}",
            "rotation.criterion is 'sharp' (config.yaml, line 1): it must be one of sharpe, sortino",
        ),
        ("{windows: []}", "rotation.windows (config.yaml, line 1): it must name at least one, like [90, 504]"),
        ("{windows: [90, 90]}", "each window may be listed once"),
        ("{windows: [5]}", "rotation.windows"),
        ("{keep: 0}", "rotation.keep is 0 (config.yaml, line 1): it must be a whole number, at least 1"),
        ("{hysteresis: -0.1}", "it must be a number, at least 0"),
        ("{candidates: []}", "to keep strategy.team, set enable_strategy_rotation: false"),
        ("{candidates: [{name: sma_cross, grid: {fast: 5}}]}", "fast must be a list of the values to try"),
        ("{candidates: [{name: sma_cross, grid: {fast: []}}]}", "fast must list at least one value to try"),
        ("{runner: ray}", "runner: ray needs the address of a cluster that runs already"),
        ("{look_back: 5}", "rotation.look_back (config.yaml, line 1) is no setting."),
    ],
)
def test_what_is_written_by_mistake_is_refused_in_words(config, refusal, written: str, told: str):
    config(f"rotation: {written}")

    assert told in refusal()


def test_who_works_out_the_scores_changes_no_decision():
    dask = TradingBotSettings.model_validate({"rotation": {"runner": "dask", "runner_address": "tcp://dask:8786"}})

    assert dask.fingerprint() == TradingBotSettings().fingerprint()
