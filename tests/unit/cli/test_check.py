"""`bensbot status --check` where the prices end. Called in this process."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.test_cli import Bensbot, bensbot, let_months_pass, logs_as_before

__all__ = ["bensbot", "logs_as_before"]  # fixtures


def test_a_bot_that_has_traded_all_prices_rests(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "config.yaml").write_text("data: {symbols: [AAPL, AMD], start: 2022-12-28}\n")
    assert bensbot("run", "--sessions", "9").code == 0
    let_months_pass(tmp_path)

    said = bensbot("status", "--check", "--json")

    assert said.code == 3
    assert said.document["check"]["reason"] == "the prices end on 2022-12-28, and all of them are traded"


def test_a_bot_that_has_prices_left_does_not(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "config.yaml").write_text("data: {symbols: [AAPL, AMD]}\n")
    assert bensbot("run", "--sessions", "1").code == 0
    let_months_pass(tmp_path)

    assert bensbot("status", "--check").code == 5
