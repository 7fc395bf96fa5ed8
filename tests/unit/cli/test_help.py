"""What `bensbot` says of itself and of settings, as a user meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import Bensbot, bensbot, logs_as_before, traded

__all__ = ["bensbot", "logs_as_before", "traded"]  # fixtures


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("status", "4 it is halted, 5 it should trade and does not."),
        ("flatten", "Nothing is bought until bensbot resume."),
        ("halt", "Stop at once, as in an emergency, until bensbot resume --ack."),
        ("resume", "Trade again: after a pause, a halt (with --ack), failed cycles, or a portfolio stop."),
        ("up", "Both outlive this terminal; bensbot down ends them."),
        ("backtest", "Each session goes through the same steps, strategies, risk rules and paper broker"),
        (
            "tournament",
            "Each candidate trades all symbols on its own over the last rotation.windows sessions, after costs.",
        ),
        ("automations", "Let the Prefect server watch the loop: apply, list, remove."),
    ],
)
def test_the_help_of_a_command_is_all_that_its_docstring_says(bensbot: Bensbot, command: str, sentence: str):
    said = bensbot(command, "--help")

    assert said.code == 0
    assert sentence in " ".join(said.out.split())


def test_the_list_of_commands_needs_neither_prefect_nor_the_deployments(tmp_path: Path):
    told = "lambda: print([name in sys.modules for name in ('prefect', 'deployments')])"
    code = f"import atexit, sys; atexit.register({told}); from trading_bot import cli; cli.main()"

    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "Show the trading state, the loop, open orders and positions." in done.stdout
    assert done.stdout.endswith("[False, False]\n")


def test_config_check_says_which_interval_no_schedule_can_keep(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "odd.yaml").write_text("orchestrator: {loop_interval_seconds: 45}\n")

    said = bensbot("config", "check", "odd.yaml")

    assert said.code == 0
    assert said.err.startswith(
        "odd.yaml is fine for `bensbot run`, but not for `bensbot up`: orchestrator.loop_interval_seconds is 45, "
        "which no schedule can keep."
    )


def test_config_check_praises_an_odd_interval_where_there_are_no_market_hours(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "odd.yaml").write_text("orchestrator: {loop_interval_seconds: 45, market_hours_only: false}\n")

    assert bensbot("config", "check", "odd.yaml").err == "odd.yaml is fine.\n"


def test_a_misspelt_setting_leaves_the_file_for_workers_as_it_was(bensbot: Bensbot, tmp_path: Path):
    (tmp_path / "config.yaml").write_text("orchestrator: {loop_interval_secnds: 60}\n")
    (tmp_path / "prefect.yaml").write_text("name: mine\n")

    said = bensbot("deployments", "--write", "prefect.yaml")

    assert said.code == 2
    assert said.is_one_paragraph
    assert (tmp_path / "prefect.yaml").read_text() == "name: mine\n"


def test_a_folder_that_is_not_there_is_a_sentence(bensbot: Bensbot):
    said = bensbot("deployments", "--write", "nowhere/prefect.yaml")

    assert (said.code, said.err) == (2, "bensbot: nowhere/prefect.yaml cannot be written: No such file or directory.\n")


@pytest.mark.parametrize("words", [["halt"], ["pause"], ["resume"], ["flatten", "--yes"]])
def test_a_cause_without_a_word_is_refused(traded: Bensbot, words: list[str]):
    said = traded(*words, "--because", " ")

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("bensbot: --because is empty, and the journal wants to know why.")
    assert traded("status", "--json").document["state"] == "active"


def test_down_says_that_nothing_is_up(bensbot: Bensbot):
    said = bensbot("down")

    assert (said.code, said.err) == (0, "Nothing is up here.\n")


def test_serving_with_a_misspelt_setting_is_a_sentence(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("orchestrator: {loop_interval_secnds: 60}\n")
    script = Path(__file__).resolve().parents[3] / "deployments" / "serve.py"

    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("bensbot: ")
    assert "loop_interval_seconds" in done.stderr
    assert "Traceback" not in done.stderr
