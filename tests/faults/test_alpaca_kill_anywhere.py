"""The sweep at Alpaca: a process is killed at its first boundary call, its second … until none is left.

Afterwards the next cycles run, and everything ends as if nothing had happened: see `sweeping_alpaca`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.sweeping_alpaca import (
    GUARDED,
    PLAIN,
    WANTED,
    Trial,
    begin,
    begun_like,
    outcome_of,
    run_processes,
    sweep,
)

pytestmark = pytest.mark.slow
A_MINUTE, A_WHILE = timedelta(minutes=1), timedelta(minutes=6)  # what may be on its way is given up after a while
WHOLE = pytest.mark.endurance


def next_tick(trial: Trial) -> None:
    """Let the loop go on: the next cycle a minute later, and another one when nothing can be on its way any more."""
    trial.cycle(*WANTED, after=A_MINUTE)
    trial.cycle(*WANTED, after=A_WHILE)
    trial.cycle(*WANTED, after=A_MINUTE)  # what was bought in that cycle is guarded


def same_tick(trial: Trial) -> None:
    """Start the same cycle again, as a supervisor does."""
    trial.cycle(*WANTED, after=timedelta(seconds=10), again=True)
    trial.cycle(*WANTED, after=A_MINUTE)


@pytest.mark.parametrize(
    ("risk", "goes_on", "step"),
    [
        pytest.param(PLAIN, same_tick, 11, id="the same cycle again, one in 11"),
        pytest.param(GUARDED, next_tick, 13, id="the next cycle with stop orders, one in 13"),
        pytest.param(PLAIN, same_tick, 1, id="the same cycle again", marks=WHOLE),
        pytest.param(PLAIN, next_tick, 1, id="the next cycle", marks=WHOLE),
        pytest.param(GUARDED, next_tick, 1, id="the next cycle with stop orders", marks=WHOLE),
    ],
)
def test_a_process_killed_at_any_call_leaves_nothing_lost_and_nothing_doubled(
    tmp_path: Path, risk: dict[str, Any], goes_on: Any, step: int
):
    first = begin(Trial(tmp_path / "first", 0, risk))
    undisturbed = begun_like(first, 0, tmp_path)
    with undisturbed.sandbox:
        assert run_processes([undisturbed]) == [0]
        goes_on(undisturbed)
    wanted = outcome_of(undisturbed.sandbox.exchange)
    assert set(wanted.held) == set(WANTED)
    assert {order[0] for order in wanted.waiting} == (set(WANTED) if risk is GUARDED else set())

    def check(trial: Trial) -> None:
        goes_on(trial)
        assert outcome_of(trial.sandbox.exchange) == wanted, f"killed at call {trial.number}, {trial.place}"

    places = sweep(first, tmp_path, check, step=step)

    assert len(places) >= 80 // step
    if step == 1:
        orders = {f"{when} POST /v2/orders" for when in ("before", "sent", "after")}
        assert orders | {"before commit bensbot.db", "after commit bensbot.db"} <= set(places)
