from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.state.books import FRIDAY, MONDAY, NOON, Desk, TurnedClock
from trading_bot.domain.cycle import StateChange, TradingState
from trading_bot.domain.errors import LeaseLost, StateError
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.state import StateManager


def test_a_new_book_is_active_and_has_no_failures(desk: Desk):
    state = desk.book.control.read()

    assert (state.state, state.consecutive_errors, state.next_allowed_at) == (TradingState.ACTIVE, 0, None)


def test_every_change_of_state_is_journalled(desk: Desk):
    desk.book.control.set_state(TradingState.HALTED, cause="drawdown", who="bot")
    desk.book.control.set_state(TradingState.ACTIVE, cause="looked into it", who="owner", acknowledged=True)

    assert desk.rows("SELECT old_state, new_state, cause, changed_by FROM state_changes ORDER BY number") == [
        ("active", "halted", "drawdown", "bot"),
        ("halted", "active", "looked into it", "owner"),
    ]


def test_changes_are_listed_newest_first_by_day_and_number(desk: Desk):
    desk.book.control.set_state(TradingState.PAUSED, cause="lunch", who="Ben")
    desk.clock.instant += timedelta(days=1)
    desk.book.control.set_state(TradingState.PAUSED, cause="a long one", who="Ben")

    lunch = StateChange(NOON, TradingState.ACTIVE, TradingState.PAUSED, "Ben", "lunch")
    still = StateChange(NOON + timedelta(days=1), TradingState.PAUSED, TradingState.PAUSED, "Ben", "a long one")
    day, changes = NOON.date(), desk.book.control.changes
    assert changes() == (still, lunch)
    assert changes(limit=1) == (still,)
    assert changes(until=day) == (lunch,)
    assert changes(since=day + timedelta(days=1)) == (still,)
    assert changes(since=day + timedelta(days=2)) == ()


@pytest.mark.parametrize("weaker", [TradingState.ACTIVE, TradingState.PAUSED, TradingState.REDUCING])
def test_a_halt_is_ended_only_by_somebody_who_acknowledges_it(desk: Desk, weaker: TradingState):
    desk.book.control.set_state(TradingState.HALTED, cause="drawdown", who="bot")

    with pytest.raises(StateError, match=r"HALTED \(drawdown\)"):
        desk.book.control.set_state(weaker, cause="pause", who="bot")

    assert desk.book.control.read().state is TradingState.HALTED


def test_the_first_cause_of_a_halt_stands(desk: Desk):
    desk.book.control.set_state(TradingState.HALTED, cause="drawdown", who="bot")

    assert desk.book.control.set_state(TradingState.HALTED, cause="5 failures", who="hook").cause == "drawdown"


def test_somebody_who_acknowledges_may_soften_a_halt_and_the_failures_are_forgotten(desk: Desk):
    desk.book.control.record_failure("run", error="boom")
    desk.book.control.hold_until(NOON)
    desk.book.control.set_state(TradingState.HALTED, cause="drawdown", who="bot")

    control = desk.book.control.set_state(TradingState.REDUCING, cause="flatten", who="Ben", acknowledged=True)

    assert (control.state, control.consecutive_errors, control.next_allowed_at) == (TradingState.REDUCING, 0, None)


@pytest.mark.parametrize("found", [TradingState.PAUSED, TradingState.HALTED])
def test_a_change_that_is_meant_for_one_state_leaves_the_others_alone(desk: Desk, found: TradingState):
    desk.book.control.set_state(found, cause="lunch", who="Ben")

    control = desk.book.control.set_state(
        TradingState.REDUCING, cause="the books differ", who="bot", only_from=TradingState.ACTIVE
    )

    assert (control.state, control.cause) == (found, "lunch")
    assert desk.rows("SELECT new_state FROM state_changes") == [(str(found),)]


def test_a_change_that_is_meant_for_one_state_is_made_in_it(desk: Desk):
    control = desk.book.control.set_state(
        TradingState.REDUCING, cause="the books differ", who="bot", only_from=TradingState.ACTIVE
    )

    assert (control.state, control.cause) == (TradingState.REDUCING, "the books differ")


def test_a_halt_survives_a_restart(desk: Desk, path: Path):
    desk.book.control.set_state(TradingState.HALTED, cause="drawdown", who="bot")
    desk.book.close()

    with StateManager.open(f"sqlite:///{path}", clock=TurnedClock()) as again:
        assert again.control.read().state is TradingState.HALTED


def test_a_resume_forgets_failures_and_waiting(desk: Desk):
    desk.book.control.record_failure("run-1", error="boom")
    desk.book.control.hold_until(NOON + timedelta(hours=1))
    desk.book.control.set_state(TradingState.HALTED, cause="failures", who="hook")

    state = desk.book.control.set_state(TradingState.ACTIVE, cause="fixed", who="owner", acknowledged=True)

    assert (state.consecutive_errors, state.next_allowed_at) == (0, None)


def test_failures_are_counted_in_a_row(desk: Desk):
    counts = [desk.book.control.record_failure(run, error="boom") for run in ("run-1", "run-2", "run-3")]

    assert counts == [1, 2, 3]
    assert desk.book.control.read().consecutive_errors == 3


def test_a_failure_reported_twice_counts_once(desk: Desk):
    assert desk.book.control.record_failure("run-1", error="boom") == 1
    assert desk.book.control.record_failure("run-1", error="boom again") is None
    assert desk.book.control.read().consecutive_errors == 1


def test_a_failure_ends_the_running_cycle_with_its_words(desk: Desk):
    desk.begin("monday")

    desk.book.control.record_failure("run-monday", error="SourceUnavailable: no answer")

    assert desk.rows("SELECT status, message FROM cycles") == [("failed", "SourceUnavailable: no answer")]


def test_a_failure_leaves_a_completed_cycle_alone(desk: Desk):
    desk.begin("monday")
    desk.complete("monday")

    desk.book.control.record_failure("run-monday", error="the hook came late")

    assert desk.rows("SELECT status FROM cycles") == [("completed",)]


def test_waiting_time_is_kept_until_failures_are_forgotten(desk: Desk):
    until = NOON + timedelta(minutes=7)
    desk.book.control.hold_until(until)
    assert desk.book.control.read().next_allowed_at == until

    desk.book.control.forget_failures()

    assert desk.book.control.read().next_allowed_at is None


def test_a_process_that_lost_its_lease_forgets_no_failures(desk: Desk):
    ours = desk.lease
    desk.book.control.acquire_lease("them", ttl_seconds=60, owner_is_dead=lambda _: True)
    desk.book.control.record_failure("run-of-theirs", error="no answer")

    desk.book.control.forget_failures(ours)

    assert desk.book.control.read().consecutive_errors == 1


def test_a_process_that_lost_its_lease_does_not_change_the_state(desk: Desk):
    ours = desk.lease
    desk.book.control.acquire_lease("them", ttl_seconds=60, owner_is_dead=lambda _: True)

    with pytest.raises(LeaseLost):
        desk.book.control.set_state(TradingState.REDUCING, cause="the books differ", who="bot", lease=ours)

    assert desk.book.control.read().state is TradingState.ACTIVE
    assert desk.rows("SELECT * FROM state_changes") == []


@pytest.mark.parametrize("stopped", [TradingState.HALTED, TradingState.ACTIVE])
def test_the_high_water_mark_counts_from_the_resume(desk: Desk, stopped: TradingState):
    for session, equity in ((FRIDAY, "12000"), (MONDAY, "9000")):
        desk.book.ledger.mark_equity(desk.lease, EquityPoint(session, Decimal(10_000), Decimal(equity)), "c")
    assert desk.book.ledger.high_water() == Decimal(12_000)

    if stopped is not TradingState.ACTIVE:  # a portfolio stop refuses entries and leaves the state active
        desk.book.control.set_state(stopped, cause="drawdown of 25 %", who="bot")
    desk.book.control.set_state(TradingState.ACTIVE, cause="accepted", who="owner", acknowledged=True)

    assert desk.book.ledger.high_water() == Decimal(9_000)


def test_the_high_water_mark_starts_at_the_opening_cash(desk: Desk):
    assert desk.book.ledger.high_water() == Decimal(10_000)
