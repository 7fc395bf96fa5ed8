"""`bensbot sandbox`: the whole way from a price to a fill, through the Alpaca adapter, without keys and at any hour."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from trading_bot.core.hours import TradingHours
from trading_bot.core.sandbox import prices_of_today, sandbox_of_today, variables
from trading_bot.data.sources.sample import Sample

BENSBOT = str(Path(sys.executable).with_name("bensbot"))
SUNDAY = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def bensbot(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BENSBOT, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_a_cycle_trades_at_the_sandbox_and_the_next_one_agrees_with_it(tmp_path: Path):
    twice = " && ".join(f"{BENSBOT} run --once --json > {number}.json" for number in (1, 2))
    done = bensbot(tmp_path, "sandbox", "--", "bash", "-c", twice)
    first, second = (json.loads((tmp_path / f"{number}.json").read_text()) for number in (1, 2))

    assert done.returncode == 0, done.stderr
    assert {order["status"] for order in first["orders"]} == {"filled"}
    assert len(first["fills"]) == len(first["orders"]) > 0
    assert second["warnings"] == []
    assert len(list((tmp_path / ".bensbot-sandbox").iterdir())) == 1


def test_the_exit_code_is_that_of_the_command(tmp_path: Path):
    assert bensbot(tmp_path, "sandbox", "--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7


def test_a_command_that_is_not_there_is_named(tmp_path: Path):
    done = bensbot(tmp_path, "sandbox", "--", "no-such-command")

    assert (done.returncode, done.stderr) == (2, "bensbot: no-such-command cannot be run: No such file or directory.\n")


def test_it_says_what_to_set_for_another_terminal(tmp_path: Path):
    with subprocess.Popen(
        [BENSBOT, "sandbox", "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(11)]
        process.terminate()
        process.communicate(timeout=30)

    assert lines[0] == "export BENSBOT_BROKER__NAME=alpaca\n"
    assert any(line.startswith("export BENSBOT_BROKER__TRADING_URL=http://127.0.0.1:") for line in lines)


def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with sandbox_of_today(SUNDAY) as taken:
        port = taken.url.rpartition(":")[2]
        done = bensbot(tmp_path, "sandbox", "--port", port)

    assert (done.returncode, done.stderr) == (
        2,
        f"bensbot: --port {port}: Address already in use. Name another port; 0 takes a free one.\n",
    )


def test_its_prices_are_real_moves_on_the_last_four_years_and_the_days_to_come():
    bars = prices_of_today(SUNDAY.date(), TradingHours())
    days, packaged = bars.sessions, Sample().bars(Sample().sessions()[-1].item())

    assert (str(days[0]), str(days[-1])) == ("2022-01-03", "2027-02-19")
    assert np.array_equal(bars.close, packaged.close[-len(days) :])


@pytest.mark.parametrize("name", ["BENSBOT_BROKER__API_KEY", "BENSBOT_BROKER__SECRET_KEY"])
def test_its_keys_are_its_own(name: str):
    assert "SANDBOX" in variables(sandbox_of_today(SUNDAY))[name].upper()
