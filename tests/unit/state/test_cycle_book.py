from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.state.books import FRIDAY, MONDAY, NOON, Desk, approved
from trading_bot.domain.cycle import SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, StateError, WrongAccount
from trading_bot.state import AccountBinding, BegunCycle, UnfinishedCycle


def skip(desk: Desk, cycle_id: str = "monday") -> None:
    desk.book.cycles.skip(
        cycle_id, session=MONDAY, scheduled_at=NOON, reason=SkipReason.BACKING_OFF, message="Waiting after a failure."
    )


def statuses(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("SELECT status, skipped_because FROM cycles")


def test_a_cycle_begins_with_its_first_attempt(desk: Desk):
    assert desk.begin() == BegunCycle(attempt=1, decided=False)


def test_a_failed_cycle_is_begun_again_under_its_name(desk: Desk):
    desk.begin()
    desk.book.control.record_failure("run-monday", error="boom")

    assert desk.begin() == BegunCycle(attempt=2, decided=False)
    assert desk.rows("SELECT status, message, ended_at FROM cycles") == [("running", "", None)]


def test_a_cycle_that_died_while_running_is_begun_again(desk: Desk):
    desk.begin()

    assert desk.begin() == BegunCycle(attempt=2, decided=False)


def test_a_cycle_that_was_skipped_may_still_trade(desk: Desk):
    skip(desk)

    assert desk.begin() == BegunCycle(attempt=1, decided=False)
    assert statuses(desk) == [("running", None)]


def test_a_later_attempt_hears_that_decisions_are_made(desk: Desk):
    desk.begin()
    desk.decide(approved())
    desk.book.cycles.cancel("run-monday", "Ctrl-C")

    assert desk.begin() == BegunCycle(attempt=2, decided=True)


def test_a_later_attempt_keeps_the_state_its_decisions_rest_on(desk: Desk):
    desk.begin(state=TradingState.ACTIVE)
    desk.decide(approved())

    desk.begin(state=TradingState.REDUCING)

    assert desk.rows("SELECT state FROM cycles") == [("active",)]


def test_a_completed_cycle_never_begins_again(desk: Desk):
    desk.begin()
    desk.complete()

    with pytest.raises(CycleSkipped, match="Cycle monday traded 2024-01-08 already") as skipped:
        desk.begin()

    assert skipped.value.code == SkipReason.ALREADY_TRADED


def test_a_skipped_cycle_says_why(desk: Desk):
    skip(desk)

    assert desk.rows("SELECT status, skipped_because, message, attempt FROM cycles") == [
        ("skipped", "backing_off", "Waiting after a failure.", 0)
    ]


def test_a_skip_leaves_running_and_completed_cycles_alone(desk: Desk):
    desk.begin()
    skip(desk)
    assert statuses(desk) == [("running", None)]

    desk.complete()
    skip(desk)
    assert statuses(desk) == [("completed", None)]


def test_an_interrupted_cycle_is_cancelled_and_no_failure(desk: Desk):
    desk.begin()

    desk.book.cycles.cancel("run-monday", "Ctrl-C")

    assert desk.rows("SELECT status, message FROM cycles") == [("cancelled", "Ctrl-C")]
    assert desk.book.control.read().consecutive_errors == 0


def test_a_cycle_that_never_ended_is_unfinished(desk: Desk):
    desk.begin("monday")
    desk.begin("tuesday")
    desk.complete("tuesday")

    assert desk.book.cycles.unfinished() == (UnfinishedCycle("monday", "run-monday", MONDAY, NOON),)


def test_only_a_running_cycle_can_be_completed(desk: Desk):
    with pytest.raises(StateError, match="Cycle monday is not in the book, wanted running"):
        desk.complete()


def test_the_last_traded_session_is_the_newest_completed_one(desk: Desk):
    assert desk.book.cycles.last_traded_session() is None
    for cycle_id, session in (("monday", MONDAY), ("friday", FRIDAY)):
        desk.begin(cycle_id, session=session)
        desk.complete(cycle_id)
    desk.begin("tuesday", session=MONDAY.replace(day=9))

    assert desk.book.cycles.last_traded_session() == MONDAY


def test_the_opening_cash_is_deposited_once(desk: Desk):
    desk.book.cycles.bind_account("PA1", "paper", Decimal(99_999))

    assert desk.book.cycles.binding() == AccountBinding("PA1", "paper", Decimal("10000.00"))
    assert desk.rows("SELECT number, kind, amount, balance FROM cash_ledger") == [
        (1, "DEPOSIT", "10000.00", "10000.00")
    ]


@pytest.mark.parametrize(("account_id", "mode"), [("PA1", "live"), ("PA2", "paper")])
def test_fault_55_a_book_of_another_account_is_refused_with_both_names(desk: Desk, account_id: str, mode: str):
    with pytest.raises(WrongAccount) as refused:
        desk.book.cycles.bind_account(account_id, mode, Decimal(10_000))

    assert "belongs to the paper account PA1" in str(refused.value)
    assert f"the broker is the {mode} account {account_id}" in str(refused.value)
    assert "Point the database setting at another file" in str(refused.value)
