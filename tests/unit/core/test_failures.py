from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.core.trading import NOON, Desk, WallClock, change, open_desk, settings_in
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.bot import open_bot, open_clerk
from trading_bot.core.failures import handle_failure, handle_interruption
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import CredentialsRefused, StateCorrupt, StateError, StateFull


def test_a_failure_is_counted_once_however_often_it_is_reported(desk: Desk):
    assert handle_failure(desk.bot, run_id="run", error="boom") == 1
    assert handle_failure(desk.bot, run_id="run", error="boom") is None

    assert desk.bot.book.control.read().consecutive_errors == 1
    assert desk.notices.titles() == ["Trading loop error"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(1), "SystemExit: 1"),
        (RuntimeError("boom"), "boom"),
        (RuntimeError(), "RuntimeError"),
        ("gone", "gone"),
    ],
)
def test_a_failure_is_told_in_words_that_say_something(desk: Desk, error: BaseException | str, told: str):
    handle_failure(desk.bot, run_id="run", error=error)

    assert desk.rows("SELECT error FROM failures") == [(told,)]


def test_the_wait_counts_from_the_failure(desk: Desk):
    handle_failure(desk.bot, run_id="run", error="boom", failed_at=NOON - timedelta(seconds=45))

    assert desk.bot.book.control.read().next_allowed_at == NOON + timedelta(seconds=15)


def test_each_failure_in_a_row_waits_twice_as_long(desk: Desk):
    waits: list[timedelta] = []
    for number in range(4):
        handle_failure(desk.bot, run_id=f"run-{number}", error="boom")
        until = desk.bot.book.control.read().next_allowed_at
        assert until is not None
        waits.append(until - NOON)

    assert [wait.total_seconds() for wait in waits] == [60, 120, 240, 480]


def test_a_completed_cycle_forgets_the_failures_before_it(desk: Desk):
    handle_failure(desk.bot, run_id="run", error="boom")
    desk.clock.sleep(60)

    cycle.run_cycle(desk.bot, run_id="again")

    control = desk.bot.book.control.read()
    assert (control.consecutive_errors, control.next_allowed_at) == (0, None)


def test_a_failure_ends_its_cycle_and_gives_the_lease_back(desk: Desk):
    admit(desk.bot, run_id="run")

    handle_failure(desk.bot, run_id="run", error=RuntimeError("boom"))

    assert desk.rows("SELECT status, message FROM cycles") == [("failed", "boom")]
    assert desk.rows("SELECT owner FROM lease") == [(None,)]


def test_a_failure_leaves_the_lease_of_another_run_alone(desk: Desk):
    lease = admit(desk.bot, run_id="run").lease

    handle_failure(desk.bot, run_id="other", error="boom")

    desk.bot.book.control.check_lease(lease)


def test_an_error_without_words_gives_its_name(desk: Desk):
    handle_failure(desk.bot, run_id="run", error=ZeroDivisionError())

    assert desk.notices.told("Trading loop error") == ("error", "Error in main trading loop: ZeroDivisionError")


@pytest.mark.parametrize("error", [CredentialsRefused("401"), StateFull("no room")])
def test_some_errors_halt_at_once(desk: Desk, error: Exception):
    handle_failure(desk.bot, run_id="run", error=error)

    control = desk.bot.book.control.read()
    assert control.state is TradingState.HALTED
    assert control.cause == f"{type(error).__name__}: {error}"
    assert desk.notices.titles() == ["Trading loop error", "EMERGENCY SHUTDOWN"]


def test_the_emergency_names_the_last_error_and_the_way_out(desk: Desk):
    for number in range(5):
        handle_failure(desk.bot, run_id=f"run-{number}", error=f"boom {number}")

    (details,) = [details for _, title, _, details in desk.notices.sent if title == "EMERGENCY SHUTDOWN"]
    assert details == (
        "5 failed cycles in a row; the last error: boom 4\nTrading stays halted until: bensbot resume --ack"
    )


def test_a_failure_that_cannot_be_written_down_is_still_told(desk: Desk):
    change(desk.book_file, "DROP TABLE failures")

    with pytest.raises(StateError, match="no such table"):
        handle_failure(desk.bot, run_id="run", error="boom")

    (details,) = [details for _, title, _, details in desk.notices.sent if title == "EMERGENCY SHUTDOWN"]
    assert details.endswith("The failure it could not count: boom")


def test_secrets_do_not_reach_the_book(folder: Path):
    token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    with open_desk(folder, notification={"urls": [f"tgram://{token}/42"]}) as desk:
        handle_failure(desk.bot, run_id="run", error=f"POST https://api.example.com/bot{token} failed")

        ((error,),) = desk.rows("SELECT error FROM failures")
        assert token not in error
        assert error.startswith("POST https://api.example.com/bot****")


def test_an_interrupted_cycle_is_resumed_without_counting_an_error(desk: Desk):
    first = admit(desk.bot, run_id="run")
    handle_interruption(desk.bot, run_id="run")

    report = cycle.run_cycle(desk.bot, run_id="again")

    assert report.cycle_id == first.cycle_id
    assert desk.rows("SELECT * FROM failures") == []
    assert desk.rows("SELECT attempt, status FROM cycles") == [(2, "completed")]


def test_an_interruption_says_who_interrupted_and_gives_the_lease_back(desk: Desk):
    admit(desk.bot, run_id="run")

    handle_interruption(desk.bot, run_id="run")

    assert desk.rows("SELECT status, message FROM cycles") == [("cancelled", "interrupted by the owner")]
    assert desk.rows("SELECT owner FROM lease") == [(None,)]


def test_a_failure_is_counted_where_the_broker_cannot_be_opened(folder: Path):
    (folder / "paper.db").write_bytes(b"garbage" * 1000)
    settings = settings_in(folder)

    with pytest.raises(StateCorrupt, match=r"paper\.db") as caught, open_bot(settings) as bot:
        bot.broker.account()
    with open_clerk(settings, clock=WallClock()) as clerk:
        assert handle_failure(clerk, run_id="run", error=caught.value) == 1

        assert clerk.book.control.read().next_allowed_at == NOON + timedelta(seconds=60)
