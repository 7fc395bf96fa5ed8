"""A served run's process uses the seconds before its time."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATE_IMPORTS = "import sys, flows.cycle; print('trading_bot.strategies.sma_cross' in sys.modules)"


@pytest.mark.parametrize(("served", "ready"), [("7ef15d79-0bec-4658-9934-5075b0740b1d", "True"), ("", "False")])
def test_only_the_process_of_one_served_run_gets_ready_on_import(
    served: str, ready: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", served)

    done = subprocess.run(
        [sys.executable, "-c", LATE_IMPORTS], capture_output=True, text=True, check=False, timeout=300
    )

    assert done.stdout.strip() == ready, done.stderr
