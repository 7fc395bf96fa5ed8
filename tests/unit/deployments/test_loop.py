from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from deployments.loop import Asked, Expectation, Loop, Run, find, loop_lines
from deployments.switching import refusal
from trading_bot.domain.cycle import TradingState

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
TICK = timedelta(minutes=1)
TRADED = Run(
    id=UUID(int=1),
    name="brave-owl",
    state="Completed",
    message="",
    due=NOON - TICK,
    ended_at=NOON - TICK,
    has_ended=True,
    went_well=True,
)
CRASHED = replace(TRADED, state="Crashed", message="the process was killed", went_well=False)
ON_SCHEDULE = Loop(
    paused=False, served=True, last_polled=NOON, next_run=NOON + TICK, late=0, under_way=(), newest=(TRADED,)
)
UP_TO_DATE = Expectation(last_completed=NOON - TICK, completed_since=NOON - 3 * TICK)
SERVER = "http://127.0.0.1:4200/api"


def seen(**changes: object) -> Asked:
    return Asked(SERVER, replace(ON_SCHEDULE, **changes))  # pyright: ignore[reportArgumentType]


def test_a_loop_on_schedule_trades_as_it_should():
    assert find(TradingState.ACTIVE, seen(), UP_TO_DATE).verdict == 0


@pytest.mark.parametrize(
    ("state", "code"), [(TradingState.PAUSED, 3), (TradingState.REDUCING, 3), (TradingState.HALTED, 4)]
)
def test_a_state_that_does_not_trade_is_told_even_when_nothing_serves(state: TradingState, code: int):
    assert find(state, seen(served=False, paused=True), UP_TO_DATE).verdict == code


def test_a_stopped_loop_rests_on_purpose():
    assert find(TradingState.ACTIVE, seen(paused=True, next_run=None), UP_TO_DATE).verdict == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"served": False}, "nothing serves the loop"),
        ({"next_run": None}, "no run is scheduled"),
        ({"newest": (CRASHED, CRASHED, CRASHED)}, "the last 3 runs did not end well"),
    ],
)
def test_a_loop_that_should_trade_and_does_not_is_stale(changes: dict[str, object], reason: str):
    finding = find(TradingState.ACTIVE, seen(**changes), UP_TO_DATE)

    assert (finding.verdict, finding.reason) == (5, reason)


@pytest.mark.parametrize(
    "changes",
    [{"next_run": None, "under_way": (TRADED,)}, {"newest": (CRASHED, CRASHED, TRADED)}, {"newest": (CRASHED,)}],
)
def test_one_bad_end_is_no_reason_to_call_somebody(changes: dict[str, object]):
    assert find(TradingState.ACTIVE, seen(**changes), UP_TO_DATE).verdict == 0


def test_three_intervals_without_a_completed_cycle_are_stale():
    late = replace(UP_TO_DATE, last_completed=NOON - 4 * TICK)

    finding = find(TradingState.ACTIVE, seen(), late)

    assert (finding.verdict, finding.reason) == (5, "no cycle has completed since 2026-11-23 16:56:00 UTC")


def test_a_book_that_never_completed_a_cycle_is_stale():
    finding = find(TradingState.ACTIVE, seen(), Expectation(last_completed=None, completed_since=NOON - 3 * TICK))

    assert (finding.verdict, finding.reason) == (5, "no cycle has ever completed")


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ({"newest": (replace(TRADED, due=NOON - timedelta(hours=20)),)}, 0),  # none was due since the start
        ({"newest": (), "under_way": (replace(TRADED, due=NOON - timedelta(seconds=59)),)}, 0),
        ({"newest": (), "under_way": (replace(TRADED, due=NOON - timedelta(seconds=60)),)}, 5),
        ({"newest": (), "under_way": (replace(TRADED, due=NOON - timedelta(hours=2)),)}, 5),  # it hangs
        ({"newest": (CRASHED,)}, 5),
        ({"newest": (), "late": 1}, 5),
    ],
)
def test_a_loop_that_was_just_started_has_a_minute(runs: dict[str, object], code: int):
    yesterday = Expectation(NOON - timedelta(hours=20), NOON - 3 * TICK, judged_at=NOON)

    assert find(TradingState.ACTIVE, seen(**runs), yesterday).verdict == code


def test_outside_of_our_hours_no_cycle_has_to_complete():
    at_night = Expectation(last_completed=NOON - timedelta(hours=15), completed_since=None)

    assert find(TradingState.ACTIVE, seen(), at_night).verdict == 0


def test_without_a_server_a_book_that_is_up_to_date_speaks_for_the_loop():
    assert find(TradingState.ACTIVE, Asked(), UP_TO_DATE).verdict == 0
    assert find(TradingState.ACTIVE, Asked(), Expectation(None, None)).verdict == 5


def test_why_there_is_no_loop_to_be_seen_is_said():
    silent = Asked(SERVER, None, f"the Prefect server {SERVER} does not answer")

    assert find(TradingState.ACTIVE, silent, Expectation(None, NOON)).reason == silent.trouble
    assert list(loop_lines(silent, TradingState.ACTIVE)) == [f"Loop     {silent.trouble}"]


def test_the_lines_say_when_the_next_run_is_due_and_how_the_last_one_ended():
    skipped = replace(TRADED, state="Skipped", message="The market is closed for us.")

    assert list(loop_lines(seen(newest=(skipped,), late=2), TradingState.ACTIVE)) == [
        f"Loop     on schedule; served (server {SERVER})",
        "Next     2026-11-23 17:01:00 UTC",
        "Late     2 runs",
        "Last     2026-11-23 16:59:00 UTC  skipped: The market is closed for us.",
    ]


def test_a_run_that_waits_for_its_time_is_not_called_running():
    running = replace(TRADED, name="calm-fox", state="Running", has_ended=False)
    submitted = replace(running, name="shy-elk", state="Submitting")

    lines = list(loop_lines(seen(under_way=(running, submitted)), TradingState.ACTIVE))

    assert [line for line in lines if line.startswith("Running")] == ["Running  calm-fox"]


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (TradingState.ACTIVE, f"Loop     stopped, to go on: bensbot start; served (server {SERVER})"),
        (TradingState.PAUSED, f"Loop     stopped; served (server {SERVER})"),
    ],
)
def test_a_stopped_loop_is_told_how_to_go_on_when_start_is_what_helps(state: TradingState, line: str):
    assert next(iter(loop_lines(seen(paused=True), state))) == line


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Flow run encountered an exception: SettingsError: Trading is halted.", "Trading is halted."),
        ("Flow run encountered an exception: Trading is halted.", "Trading is halted."),
        ("Trading is halted.", "Trading is halted."),
        ("", "The run brave-owl ended as Failed; its log in Prefect says why."),
    ],
)
def test_a_refusal_is_told_without_prefects_words_around_it(message: str, said: str):
    assert refusal(replace(TRADED, state="Failed", message=message)) == said
