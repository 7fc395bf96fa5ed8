from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.state.books import FRIDAY, MONDAY, NOON, Desk, approved
from trading_bot.domain.cycle import CycleStatus, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, StateError, WrongAccount
from trading_bot.state.records import AccountBinding, BegunCycle, CycleEnd, UnfinishedCycle


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


# ── the newest cycle ──────────────────────────────────────────────────────────────────────────────


def test_a_new_book_has_no_newest_cycle(desk: Desk):
    assert (desk.book.cycles.newest(), desk.book.cycles.newest_completed()) == (None, None)


def test_the_newest_cycle_is_the_one_that_began_last(desk: Desk):
    desk.begin("later", session=MONDAY)
    desk.clock.sleep(30)
    desk.begin("earlier", session=FRIDAY)  # its name and its session are older
    desk.clock.sleep(5)
    desk.book.control.record_failure("run-earlier", error="boom")

    assert desk.book.cycles.newest() == CycleEnd(
        cycle_id="earlier",
        session=FRIDAY,
        status=CycleStatus.FAILED,
        scheduled_at=NOON,
        started_at=NOON + timedelta(seconds=30),
        ended_at=NOON + timedelta(seconds=35),
        message="boom",
    )


def test_a_cycle_that_was_only_skipped_is_not_the_newest(desk: Desk):
    desk.begin()
    desk.clock.sleep(60)
    skip(desk, "tuesday")

    newest = desk.book.cycles.newest()

    assert newest is not None
    assert (newest.cycle_id, newest.status, newest.ended_at) == ("monday", CycleStatus.RUNNING, None)


def test_a_cycle_that_failed_and_was_skipped_then_is_the_newest(desk: Desk):
    desk.begin()
    desk.book.control.record_failure("run-monday", error="boom")
    skip(desk)

    newest = desk.book.cycles.newest()

    assert newest is not None
    assert (newest.status, newest.message) == (CycleStatus.SKIPPED, "Waiting after a failure.")


def test_the_newest_completed_cycle_is_the_last_of_the_last_session(desk: Desk):
    for cycle_id, session in (("friday", FRIDAY), ("morning", MONDAY), ("afternoon", MONDAY)):
        desk.begin(cycle_id, session=session)
        desk.complete(cycle_id)
        desk.clock.sleep(60)
    desk.begin("tuesday", session=MONDAY.replace(day=9))
    desk.book.control.record_failure("run-tuesday", error="boom")

    newest = desk.book.cycles.newest_completed()

    assert newest is not None
    assert (newest.cycle_id, newest.started_at) == ("afternoon", NOON + timedelta(seconds=120))


# ── durations ─────────────────────────────────────────────────────────────────────────────────────


def test_durations_come_back_bit_for_bit_and_a_second_word_overwrites(desk: Desk):
    desk.begin()
    desk.book.cycles.record_steps("monday", {"settle_orders": 9.0, "old": 1.0})

    desk.book.cycles.record_steps("monday", {"settle_orders": 0.1 + 0.2})

    assert desk.rows("SELECT * FROM cycle_steps") == [("monday", "settle_orders", "0.30000000000000004")]


def test_no_durations_are_no_reason_to_write(desk: Desk):
    desk.begin()
    desk.book.cycles.record_steps("monday", {})

    assert desk.rows("SELECT * FROM cycle_steps") == []


def test_durations_belong_to_a_cycle_of_the_book(desk: Desk):
    with pytest.raises(StateError, match="refused a row that contradicts another"):
        desk.book.cycles.record_steps("nobody", {"settle_orders": 1.0})


# ── the account ───────────────────────────────────────────────────────────────────────────────────


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
