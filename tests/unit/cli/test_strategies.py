"""`bensbot strategies` as a user meets it. Called in this process."""

from __future__ import annotations

import pytest

from tests.unit.cli.test_cli import Bensbot, bensbot, logs_as_before, traded

__all__ = ["bensbot", "logs_as_before", "traded"]  # fixtures


def test_before_the_first_cycle_the_team_is_that_of_the_settings(bensbot: Bensbot):
    said = bensbot("strategies")

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Team, from the settings (strategy.team)\n  33.3%  sma_cross")
    assert said.out.endswith("No rotation yet.\n")


def test_after_a_rotation_team_and_reason_are_shown(traded: Bensbot):
    assert traded("run", "--once").code == 0

    said, document = traded("strategies"), traded("strategies", "--json").document

    assert said.out.startswith("Team, chosen by the rotation after 2022-01-03\n  33.3%  ")
    assert "\nLast rotations\n  2022-01-03  The team is now " in said.out
    (rotation,) = document["rotations"]
    assert (document["rotation"], document["since"]) == ("on", "2022-01-03")
    assert (rotation["session"], rotation["criterion"], rotation["changed"]) == ("2022-01-03", "sharpe", True)
    assert rotation["new"] == document["team"]
    assert [seat["strategy"] for seat in rotation["old"]] == ["sma_cross", "rsi_reversion", "momentum"]


def test_turned_off_it_says_so_and_the_settings_decide(traded: Bensbot, monkeypatch: pytest.MonkeyPatch):
    assert traded("run", "--once").code == 0
    monkeypatch.setenv("BENSBOT_ORCHESTRATOR__ENABLE_STRATEGY_ROTATION", "false")

    said = traded("strategies")

    assert said.out.startswith("Team, from the settings (strategy.team)\n")
    assert "Last rotations, before it was turned off" in said.out
