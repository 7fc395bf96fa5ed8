from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import (
    FIRST,
    NOON,
    SECOND,
    THIRD,
    Desk,
    WallClock,
    change,
    finished_process,
    open_desk,
    owner,
)
from trading_bot.core.admission import admit
from trading_bot.core.bot import Bot
from trading_bot.core.cycle import run_cycle
from trading_bot.core.failures import handle_failure, handle_interruption
from trading_bot.domain.cycle import CycleTicket, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, SettingsError, StateCorrupt, WrongAccount
from trading_bot.domain.ports import BrokerAccount

MARKET_NOON = datetime(2022, 3, 16, 16, 0, tzinfo=UTC)  # a Wednesday, noon in New York
AT_NIGHT = datetime(2022, 3, 17, 3, 0, tzinfo=UTC)


def refused(bot: Bot, *, as_of: date | None = None, scheduled: datetime | None = None) -> tuple[str, str]:
    """Ask to be let in; return the reason and the words of the refusal."""
    with pytest.raises(CycleSkipped) as caught:
        admit(bot, run_id="run", as_of=as_of, scheduled=scheduled)
    return caught.value.code, str(caught.value)


def admit_and_die(desk: Desk, run_id: str = "run") -> CycleTicket:
    """Begin a cycle in a process that dies: its lease names a process that is no more."""
    ticket = admit(desk.bot, run_id=run_id)
    change(desk.book_file, f"UPDATE lease SET owner = '{owner(finished_process(), run_id)}'")
    return ticket


# ── let in ────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_cycle_trades_the_first_session_of_the_settings(desk: Desk):
    ticket = admit(desk.bot, run_id="run")

    assert ticket.session == FIRST
    assert ticket.at == datetime(2022, 1, 3, 21, 0, tzinfo=UTC)  # the close
    assert ticket.cycle_id == "20220103T210000Z"
    assert ticket.state is TradingState.ACTIVE
    assert not ticket.decided


def test_the_next_cycle_trades_the_session_after(desk: Desk):
    run_cycle(desk.bot, run_id="one")

    assert admit(desk.bot, run_id="two").session == SECOND


def test_as_of_names_the_session(desk: Desk):
    assert admit(desk.bot, run_id="run", as_of=date(2022, 3, 16)).session == date(2022, 3, 16)


def test_a_live_source_trades_the_present(folder: Path):
    with open_desk(folder, WallClock(MARKET_NOON)) as desk:
        ticket = admit(desk.live(), run_id="run")

    assert (ticket.at, ticket.session) == (MARKET_NOON, date(2022, 3, 16))


def test_fault_46_a_cycle_is_named_by_the_time_it_was_scheduled_for(folder: Path):
    with open_desk(folder, WallClock(MARKET_NOON + timedelta(seconds=7))) as desk:
        assert admit(desk.live(), run_id="run", scheduled=MARKET_NOON).cycle_id == "20220316T160000Z"


def test_the_book_is_tied_to_the_account_at_the_first_cycle(desk: Desk):
    admit(desk.bot, run_id="run")

    assert desk.rows("SELECT account_id, mode, opening_cash FROM account") == [("PAPER", "paper", "100000.00")]


def test_the_lease_names_this_process_and_the_run(desk: Desk):
    admit(desk.bot, run_id="run")

    ((holder,),) = desk.rows("SELECT owner FROM lease")
    assert holder.startswith(f"{platform.node()}:{os.getpid()}:")
    assert holder.endswith(":run")


def test_a_lease_of_an_earlier_process_with_our_number_is_taken_at_once(desk: Desk):
    # A container's process has the same number after every restart.
    desk.bot.book.control.acquire_lease(f"{platform.node()}:{os.getpid()}:earlier:run", ttl_seconds=300)

    assert admit(desk.bot, run_id="next").lease.token == 2


def test_too_many_failures_halt_even_when_nobody_was_left_to_halt(desk: Desk):
    for number in range(5):
        desk.bot.book.control.record_failure(f"run {number}", error="boom")

    with pytest.raises(CycleSkipped, match="halted") as skipped:
        admit(desk.bot, run_id="next")

    assert skipped.value.code == SkipReason.HALTED
    assert desk.bot.book.control.read().state is TradingState.HALTED


def test_windows_that_leave_out_the_close_are_a_wrong_setting_on_daily_prices(folder: Path):
    with (
        open_desk(folder, hours={"windows": ["09:45-15:30"]}) as early,
        pytest.raises(SettingsError, match="leaves out the close"),
    ):
        admit(early.bot, run_id="run")


def test_as_of_before_a_cycle_that_has_begun_is_refused(desk: Desk):
    admit(desk.bot, run_id="run", as_of=date(2022, 3, 16))
    handle_interruption(desk.bot, run_id="run")

    with pytest.raises(SettingsError, match="time does not run backwards"):
        admit(desk.bot, run_id="next", as_of=date(2022, 3, 10))


# ── as_of that cannot be ──────────────────────────────────────────────────────────────────────────


def test_as_of_on_a_weekend_names_the_nearest_sessions(desk: Desk):
    with pytest.raises(SettingsError, match=r"--as-of 2022-03-19: .*The nearest: 2022-03-18 or 2022-03-21"):
        admit(desk.bot, run_id="run", as_of=date(2022, 3, 19))


@pytest.mark.parametrize("as_of", [FIRST, SECOND])
def test_as_of_a_traded_session_or_an_older_one_says_that_time_does_not_run_backwards(desk: Desk, as_of: date):
    run_cycle(desk.bot, run_id="one")
    run_cycle(desk.bot, run_id="two")

    with pytest.raises(SettingsError, match=r"traded up to 2022-01-04.*state\.folder"):
        admit(desk.bot, run_id="three", as_of=as_of)


def test_as_of_works_on_a_historical_source_only(folder: Path):
    with (
        open_desk(folder, WallClock(MARKET_NOON)) as desk,
        pytest.raises(SettingsError, match="historical price source only"),
    ):
        admit(desk.live(), run_id="run", as_of=date(2022, 3, 16))


def test_a_refused_as_of_leaves_the_lease_free_and_no_cycle(desk: Desk):
    with pytest.raises(SettingsError):
        admit(desk.bot, run_id="run", as_of=date(2022, 3, 19))

    assert desk.rows("SELECT owner FROM lease") == [(None,)]
    assert desk.rows("SELECT * FROM cycles") == []


# ── every reason to skip ──────────────────────────────────────────────────────────────────────────


def test_halted_says_since_when_why_and_how_to_go_on(desk: Desk):
    desk.bot.book.control.set_state(TradingState.HALTED, cause="smoke", who="alarm")

    assert refused(desk.bot) == (
        SkipReason.HALTED,
        "Trading is halted since 2026-11-23 17:00 UTC: smoke. To go on: `bensbot resume --ack`",
    )


def test_paused_says_by_whom_why_and_how_to_go_on(desk: Desk):
    desk.bot.book.control.set_state(TradingState.PAUSED, cause="lunch", who="Ben")

    assert refused(desk.bot) == (
        SkipReason.PAUSED,
        "Trading is paused by Ben: lunch. To go on: `bensbot resume`",
    )


@pytest.mark.parametrize(
    ("state", "waits", "reason"),
    [
        (TradingState.HALTED, False, SkipReason.HALTED),
        (TradingState.PAUSED, False, SkipReason.PAUSED),
        (TradingState.ACTIVE, True, SkipReason.BACKING_OFF),
    ],
)
def test_a_cycle_that_may_not_trade_leaves_the_broker_alone(
    tmp_path: Path, state: TradingState, waits: bool, reason: SkipReason
):
    tmp_path.joinpath("paper.db").write_bytes(b"garbage" * 1000)  # who asked this one would fail
    with open_desk(tmp_path) as desk:
        desk.bot.book.control.set_state(state, cause="a test", who="Ben")
        if waits:
            desk.bot.book.control.hold_until(NOON + timedelta(minutes=1))

        assert refused(desk.bot)[0] == reason


def test_a_broker_that_cannot_be_opened_fails_the_cycle_and_leaves_the_lease_free(tmp_path: Path):
    tmp_path.joinpath("paper.db").write_bytes(b"garbage" * 1000)
    with open_desk(tmp_path) as desk:
        with pytest.raises(StateCorrupt, match=r"paper\.db"):
            admit(desk.bot, run_id="run")

        assert desk.bot.book.control.current_lease() is None
        assert desk.bot.book.cycles.unfinished() == ()


def test_backing_off_says_until_when_and_how_to_go_on_at_once(desk: Desk):
    desk.bot.book.control.record_failure("other", error="boom")
    desk.bot.book.control.hold_until(NOON + timedelta(seconds=60))

    code, message = refused(desk.bot)

    assert code == SkipReason.BACKING_OFF
    assert message.startswith("Backing off after 1 failed cycle(s) in a row until 2026-11-23 17:01:00 UTC.")
    assert "bensbot resume" in message


@pytest.mark.parametrize(("waited", "let_in"), [(59, False), (60, True), (61, True)])
def test_the_wait_ends_at_its_instant(desk: Desk, waited: int, let_in: bool):
    desk.bot.book.control.hold_until(NOON + timedelta(seconds=60))
    desk.clock.sleep(waited)

    with suppress(CycleSkipped):
        admit(desk.bot, run_id="run")

    assert desk.rows("SELECT status FROM cycles") == [("running" if let_in else "skipped",)]


@pytest.mark.parametrize(("seconds", "stale"), [(60, False), (61, True)])
def test_fault_47_a_tick_that_comes_more_than_an_interval_late_leaves_the_market_to_a_newer_one(
    folder: Path, seconds: int, stale: bool
):
    with open_desk(folder, WallClock(MARKET_NOON + timedelta(seconds=seconds))) as desk:
        if stale:
            assert refused(desk.live(), scheduled=MARKET_NOON) == (
                SkipReason.STALE_TICK,
                "The cycle of 16:00:00 UTC comes 0:01:01 late; a newer one trades.",
            )
        else:
            assert admit(desk.live(), run_id="run", scheduled=MARKET_NOON).session == date(2022, 3, 16)


@pytest.mark.parametrize(("seconds", "stale"), [(20, False), (60, False), (61, True), (50 * 60, True)])
def test_in_a_slow_loop_a_tick_may_come_a_minute_late_as_in_a_quick_one(folder: Path, seconds: int, stale: bool):
    at_the_close = datetime(2022, 3, 16, 20, 0, tzinfo=UTC)
    clock = WallClock(at_the_close + timedelta(seconds=seconds))
    with open_desk(folder, clock, orchestrator={"loop_interval_seconds": 3600}) as desk:
        if stale:
            assert refused(desk.live(), scheduled=at_the_close)[0] == SkipReason.STALE_TICK
        else:
            assert admit(desk.live(), run_id="run", scheduled=at_the_close).at == at_the_close


def test_a_late_tick_of_history_is_traded_until_the_next_one_is_due(folder: Path):
    clock = WallClock(NOON + timedelta(minutes=50))
    with open_desk(folder, clock, orchestrator={"loop_interval_seconds": 3600}) as desk:
        assert admit(desk.bot, run_id="run", scheduled=NOON).session == FIRST


def test_a_live_market_is_closed_before_its_hours_whatever_the_tick_says(folder: Path):
    with open_desk(folder, WallClock(datetime(2022, 3, 16, 8, 0, tzinfo=UTC))) as desk:
        assert refused(desk.live(), scheduled=MARKET_NOON) == (
            SkipReason.MARKET_CLOSED,
            "The market is closed for us at 2022-03-16 08:00 UTC.",
        )


def test_a_tick_that_comes_too_late_leaves_the_lease_to_the_one_that_is_due(folder: Path):
    with open_desk(folder, WallClock(MARKET_NOON + timedelta(minutes=5))) as desk:
        token = desk.rows("SELECT token FROM lease")

        assert refused(desk.live(), scheduled=MARKET_NOON)[0] == SkipReason.STALE_TICK
        assert desk.rows("SELECT token FROM lease") == token


def test_outside_our_hours_the_market_is_closed_for_us(folder: Path):
    with open_desk(folder, WallClock(AT_NIGHT)) as desk:
        assert refused(desk.live()) == (
            SkipReason.MARKET_CLOSED,
            "The market is closed for us at 2022-03-17 03:00 UTC.",
        )


def test_with_market_hours_off_the_night_is_let_in(folder: Path):
    with open_desk(folder, WallClock(AT_NIGHT), orchestrator={"market_hours_only": False}) as desk:
        assert admit(desk.live(), run_id="run").session == date(2022, 3, 16)


def test_with_market_hours_off_a_sunday_trades_the_session_before(folder: Path):
    sunday = datetime(2022, 3, 20, 16, 0, tzinfo=UTC)
    with open_desk(folder, WallClock(sunday), orchestrator={"market_hours_only": False}) as desk:
        report = run_cycle(desk.live(), run_id="run", scheduled=sunday)

    assert (report.session, report.cycle_id) == (date(2022, 3, 18), "20220320T160000Z")


def test_the_same_tick_trades_once(folder: Path):
    with open_desk(folder, WallClock(MARKET_NOON)) as desk:
        run_cycle(desk.live(), run_id="one", scheduled=MARKET_NOON)

        assert refused(desk.live(), scheduled=MARKET_NOON) == (
            SkipReason.ALREADY_TRADED,
            "Cycle 20220316T160000Z traded 2022-03-16 already.",
        )


def test_after_the_last_session_the_data_is_at_its_end(folder: Path):
    with open_desk(folder) as desk:
        run_cycle(desk.bot, run_id="one", as_of=date(2022, 12, 28))

        code, message = refused(desk.bot)

    assert code == SkipReason.END_OF_DATA
    assert "from 1990-01-02 to 2022-12-28" in message


def test_a_skipped_cycle_is_in_the_book_with_its_reason(desk: Desk):
    desk.bot.book.control.set_state(TradingState.PAUSED, cause="lunch", who="Ben")
    refused(desk.bot)

    assert desk.rows("SELECT cycle_id, status, skipped_because FROM cycles") == [
        ("20220103T210000Z", "skipped", "paused")
    ]


@pytest.mark.parametrize("state", [TradingState.PAUSED, TradingState.HALTED])
def test_a_skipped_cycle_gives_the_lease_back(desk: Desk, state: TradingState):
    desk.bot.book.control.set_state(state, cause="lunch", who="Ben")
    refused(desk.bot)

    assert desk.rows("SELECT owner FROM lease") == [(None,)]


def test_a_skipped_session_is_traded_once_it_may_be(desk: Desk):
    desk.bot.book.control.set_state(TradingState.PAUSED, cause="lunch", who="Ben")
    refused(desk.bot)
    desk.bot.book.control.set_state(TradingState.ACTIVE, cause="eaten", who="Ben")

    assert admit(desk.bot, run_id="run").session == FIRST


# ── the lease ─────────────────────────────────────────────────────────────────────────────────────


def test_a_living_process_keeps_its_lease(desk: Desk):
    held = desk.bot.book.control.acquire_lease(owner(os.getppid()), ttl_seconds=300)
    assert held is not None

    code, message = refused(desk.bot)

    assert code == SkipReason.LEASE_TAKEN
    assert message == f"Another cycle is running: the lease is held by {held.owner} until 2026-11-23 17:05:00 UTC."
    assert desk.bot.book.control.current_lease() == held


def test_the_lease_of_a_dead_process_is_taken_over_at_once(desk: Desk):
    dead = desk.bot.book.control.acquire_lease(owner(finished_process()), ttl_seconds=300)
    assert dead is not None

    assert admit(desk.bot, run_id="run").lease.token == dead.token + 1


def test_a_process_of_another_machine_may_live_whatever_our_processes_do(desk: Desk):
    desk.bot.book.control.acquire_lease(f"elsewhere:{finished_process()}:other", ttl_seconds=300)

    assert refused(desk.bot)[0] == SkipReason.LEASE_TAKEN


@pytest.mark.parametrize(("waited", "let_in"), [(299, False), (300, True)])
def test_a_lease_ends_by_itself(desk: Desk, waited: int, let_in: bool):
    desk.bot.book.control.acquire_lease("elsewhere:1:other", ttl_seconds=300)
    desk.clock.sleep(waited)

    if let_in:
        assert admit(desk.bot, run_id="run").session == FIRST
    else:
        assert refused(desk.bot)[0] == SkipReason.LEASE_TAKEN


def test_a_session_that_failed_is_still_next_after_it_was_put_off(desk: Desk):
    run_cycle(desk.bot, run_id="monday")
    admit(desk.bot, run_id="march", as_of=date(2022, 3, 16))
    handle_failure(desk.bot, run_id="march", error="no answer")
    assert refused(desk.bot)[0] == SkipReason.BACKING_OFF

    desk.clock.sleep(60)

    assert admit(desk.bot, run_id="again").session == date(2022, 3, 16)


# ── what a dead cycle left behind ─────────────────────────────────────────────────────────────────


def test_a_cycle_without_an_end_is_counted_once_as_failed(desk: Desk):
    admit_and_die(desk)

    code, message = refused(desk.bot)

    assert code == SkipReason.BACKING_OFF
    assert "after 1 failed cycle(s) in a row" in message
    assert desk.notices.titles() == ["Trading loop error"]
    assert desk.rows("SELECT run_id, error FROM failures") == [
        ("run", "cycle 20220103T210000Z was killed or its process died")
    ]
    assert refused(desk.bot)[0] == SkipReason.BACKING_OFF
    assert desk.bot.book.control.read().consecutive_errors == 1


def test_the_wait_for_a_dead_cycle_counts_from_when_it_began(desk: Desk):
    admit_and_die(desk)
    desk.clock.sleep(60)

    assert admit(desk.bot, run_id="again").session == FIRST


def test_a_dead_cycle_is_resumed_under_its_name(desk: Desk):
    dead = admit_and_die(desk)
    desk.clock.sleep(3600)

    ticket = admit(desk.bot, run_id="again")

    assert ticket.cycle_id == dead.cycle_id
    assert desk.rows("SELECT attempt, run_id, status FROM cycles") == [(2, "again", "running")]


def test_the_fifth_dead_cycle_in_a_row_halts(desk: Desk):
    for number in range(4):
        admit_and_die(desk, f"run-{number}")
        desk.clock.sleep(3600)
    admit_and_die(desk, "run-4")

    assert refused(desk.bot)[0] == SkipReason.HALTED
    assert desk.bot.book.control.read().cause.startswith("5 failed cycles in a row")


def test_the_dead_are_counted_even_while_trading_is_paused(desk: Desk):
    admit_and_die(desk)
    desk.bot.book.control.set_state(TradingState.PAUSED, cause="lunch", who="Ben")

    assert refused(desk.bot)[0] == SkipReason.PAUSED
    assert desk.bot.book.control.read().consecutive_errors == 1


# ── state and account ─────────────────────────────────────────────────────────────────────────────


def test_halted_survives_reopening(folder: Path):
    with open_desk(folder) as desk:
        desk.bot.book.control.set_state(TradingState.HALTED, cause="smoke", who="alarm")

    with open_desk(folder, WallClock(NOON + timedelta(days=30))) as desk:
        assert refused(desk.bot)[0] == SkipReason.HALTED


def test_a_resume_ends_the_halt_and_the_wait(desk: Desk):
    desk.bot.book.control.record_failure("other", error="boom")
    desk.bot.book.control.hold_until(NOON + timedelta(hours=1))
    desk.bot.book.control.set_state(TradingState.HALTED, cause="smoke", who="alarm")
    desk.bot.book.control.set_state(TradingState.ACTIVE, cause="no fire", who="Ben", acknowledged=True)

    assert admit(desk.bot, run_id="run").session == FIRST
    assert desk.bot.book.control.read().consecutive_errors == 0


def test_reducing_is_let_in_for_its_exits(desk: Desk):
    desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")

    assert admit(desk.bot, run_id="run").state is TradingState.REDUCING


@dataclass
class AccountOf:
    """A broker of which only the account is asked."""

    account_id: str = "PAPER"
    mode: str = "paper"
    blocked: bool = False

    def account(self) -> BrokerAccount:
        cash = Decimal(100_000)
        return BrokerAccount(self.account_id, self.mode, cash, cash, blocked=self.blocked)


def with_account(desk: Desk, account: AccountOf) -> Bot:
    return replace(desk.bot, broker=account)  # pyright: ignore[reportArgumentType]


def test_a_blocked_account_halts(desk: Desk):
    code, message = refused(with_account(desk, AccountOf(blocked=True)))

    assert (code, message) == (SkipReason.HALTED, "The broker has blocked account PAPER.")
    assert desk.bot.book.control.read().state is TradingState.HALTED
    assert desk.notices.titles() == ["EMERGENCY SHUTDOWN"]


def test_a_book_trades_for_its_own_account_only(desk: Desk):
    run_cycle(desk.bot, run_id="one")

    with pytest.raises(WrongAccount, match="belongs to the paper account PAPER; the broker is the paper account OTHER"):
        admit(with_account(desk, AccountOf("OTHER")), run_id="two")


def test_a_third_session_follows_the_second(desk: Desk):
    sessions = [run_cycle(desk.bot, run_id=str(number)).session for number in range(3)]

    assert sessions == [FIRST, SECOND, THIRD]
