from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.core.trading import Desk, change
from trading_bot.core import cycle
from trading_bot.core.failures import handle_failure
from trading_bot.core.stopwatch import Stopwatch
from trading_bot.domain.errors import DataError

STEPS = [
    "update_market_data",
    "settle_orders",
    "generate_signals",
    "apply_risk_checks",
    "execute_signals",
    "update_portfolio_state",
    "send_status_updates",
]


def stopwatch(*ticks: float) -> Stopwatch:
    """Return a stopwatch that reads these seconds, one after the other."""
    return Stopwatch(iter(ticks).__next__)


def measure(watch: Stopwatch, steps: Sequence[str]) -> dict[str, float]:
    for step in steps:
        with watch.measuring(step):
            pass
    return dict(watch.seconds)


def test_a_step_takes_from_its_beginning_to_its_end():
    assert measure(stopwatch(10.0, 10.5, 20.0, 23.0), ["look", "think"]) == {"look": 0.5, "think": 3.0}


def test_a_step_that_is_tried_again_counts_all_its_attempts():
    assert measure(stopwatch(0.0, 1.0, 5.0, 7.0), ["look", "look"]) == {"look": 3.0}


def test_a_step_that_fails_has_taken_its_time_as_well():
    watch = stopwatch(0.0, 2.0)
    with pytest.raises(DataError), watch.measuring("look"):
        raise DataError("no prices")

    assert dict(watch.seconds) == {"look": 2.0}


def test_another_lease_starts_from_nought_and_the_same_goes_on():
    watch = stopwatch(0.0, 1.0, 2.0, 4.0, 5.0, 9.0)
    watch.begin(1)
    measure(watch, ["look"])
    watch.begin(1)
    assert measure(watch, ["look"]) == {"look": 3.0}

    watch.begin(2)
    assert measure(watch, ["think"]) == {"think": 4.0}


# ── in a cycle ────────────────────────────────────────────────────────────────────────────────────


def test_a_cycle_leaves_the_duration_of_each_step_in_the_book(desk: Desk):
    clocked = replace(desk.bot, stopwatch=Stopwatch(iter(range(100)).__next__))  # a second from tick to tick

    report = cycle.run_cycle(clocked, run_id="run")

    found = desk.rows("SELECT cycle_id, step, seconds FROM cycle_steps")
    assert sorted(found) == sorted((report.cycle_id, step, "1.0") for step in STEPS)


def test_each_cycle_is_measured_by_itself(desk: Desk):
    clocked = replace(desk.bot, stopwatch=Stopwatch(iter(range(100)).__next__))
    for run_id in ("one", "two"):
        cycle.run_cycle(clocked, run_id=run_id)

    assert desk.rows("SELECT step, COUNT(*), MAX(seconds) FROM cycle_steps GROUP BY step ORDER BY step") == [
        (step, 2, "1.0") for step in sorted(STEPS)
    ]


def test_a_failed_attempt_does_not_count_towards_the_one_that_ends_well(desk: Desk):
    clocked = replace(desk.bot, stopwatch=Stopwatch(iter(range(100)).__next__))
    ticket = cycle.admit(clocked, run_id="failed")
    market = cycle.update_market_data(clocked, ticket)
    cycle.settle_orders(clocked, ticket, market)
    handle_failure(clocked, run_id="failed", error="boom")
    desk.clock.sleep(60)

    cycle.run_cycle(clocked, run_id="again")

    assert desk.rows("SELECT DISTINCT seconds FROM cycle_steps") == [("1.0",)]


def test_durations_that_cannot_be_kept_fail_nothing(desk: Desk, caplog: pytest.LogCaptureFixture):
    change(desk.book_file, "DROP TABLE cycle_steps")

    cycle.run_cycle(desk.bot, run_id="run")

    assert desk.rows("SELECT status FROM cycles") == [("completed",)]
    assert "The durations of cycle 20220103T210000Z were not kept" in caplog.text
