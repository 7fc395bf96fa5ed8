"""Which day is reported, what its notice says, and that it is told once."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import FIRST, SECOND, THIRD, Desk, LiveSample, WallClock, change, open_desk
from trading_bot.core.bot import Bot
from trading_bot.core.cycle import run_cycle
from trading_bot.core.end_of_day import (
    CHORE,
    NotDue,
    clean_up,
    day_in_book,
    mark_reported,
    read_day,
    send_notice,
    session_due,
)
from trading_bot.core.failures import handle_failure
from trading_bot.domain.cycle import SkipReason, TradingState
from trading_bot.domain.errors import SettingsError, SourceUnavailable, StateError
from trading_bot.domain.market import Symbol
from trading_bot.domain.ports import RawBars

WEDNESDAY = date(2022, 3, 16)
THURSDAY = date(2022, 3, 17)
HALF_DAY = date(2022, 11, 25)


class Silent(LiveSample):
    """A source that does not answer."""

    def bars(self, as_of: date) -> RawBars:
        raise SourceUnavailable("the source did not answer")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def trade(desk: Desk, times: int = 1) -> None:
    for _ in range(times):
        run_cycle(desk.bot, run_id=f"run-{desk.bot.book.cycles.last_traded_session()}")


def trade_live(desk: Desk, tick: datetime) -> Bot:
    """Trade one tick of the packaged prices as if they came in now."""
    desk.clock.instant = tick
    bot = desk.live()
    run_cycle(bot, run_id=str(tick), scheduled=tick)
    return bot


def report_due(bot: Bot) -> date | NotDue:
    """Do what the flow does, and return what was due."""
    due = session_due(bot)
    if not isinstance(due, NotDue):
        send_notice(bot, read_day(bot, due))
        mark_reported(bot, due, run_id="a run")
    return due


# ── which day ─────────────────────────────────────────────────────────────────────────────────────


def test_a_new_book_has_nothing_to_report(desk: Desk):
    assert session_due(desk.bot) == NotDue("No session was traded yet.")


def test_a_session_that_is_replayed_is_due_as_soon_as_it_traded(desk: Desk):
    trade(desk)

    assert session_due(desk.bot) == FIRST


def test_a_day_is_told_once(desk: Desk):
    trade(desk)

    assert report_due(desk.bot) == FIRST
    assert report_due(desk.bot) == NotDue("The newest one that traded, 2022-01-03, was reported.")
    assert desk.notices.titles().count("Day of 2022-01-03") == 1


def test_a_run_that_died_after_the_notice_repeats_it_once(desk: Desk):
    trade(desk)
    send_notice(desk.bot, read_day(desk.bot, FIRST))  # and the power fails

    report_due(desk.bot)
    report_due(desk.bot)

    assert desk.notices.titles().count("Day of 2022-01-03") == 2


def test_of_several_days_the_newest_is_reported_and_the_others_get_a_line(desk: Desk):
    trade(desk)
    report_due(desk.bot)
    trade(desk, 3)

    report = read_day(desk.bot, date(2022, 1, 6))

    assert session_due(desk.bot) == date(2022, 1, 6)
    assert [(day.session, day.fills) for day in report.earlier] == [(SECOND, 5), (THIRD, 0)]
    assert report.earlier[0].equity == Decimal("99993.96")


def test_days_before_the_first_report_ever_get_a_line_too(desk: Desk):
    trade(desk, 3)

    assert [day.session for day in read_day(desk.bot, THIRD).earlier] == [FIRST, SECOND]


def test_a_day_that_was_listed_is_not_reported_later(desk: Desk):
    trade(desk, 3)
    report_due(desk.bot)

    assert isinstance(session_due(desk.bot), NotDue)


def test_a_person_may_ask_for_a_day_again(desk: Desk):
    trade(desk, 3)
    report_due(desk.bot)

    assert session_due(desk.bot, SECOND) == SECOND


def test_a_day_that_was_asked_for_tells_of_itself_alone(desk: Desk):
    trade(desk, 3)

    assert read_day(desk.bot, THIRD, again=True).earlier == ()


def test_a_day_that_never_traded_cannot_be_asked_for(desk: Desk):
    trade(desk, 2)

    with pytest.raises(SettingsError) as refused:
        session_due(desk.bot, date(2022, 1, 8))
    assert str(refused.value) == (
        "No cycle of session 2022-01-08 completed, so the book has no result of it. "
        "It traded 2 sessions from 2022-01-03 to 2022-01-04."
    )


def test_a_cycle_that_failed_makes_no_day(desk: Desk):
    trade(desk)
    change(desk.book_file, "UPDATE cycles SET status = 'failed'")

    assert session_due(desk.bot) == NotDue("No session was traded yet.")


# ── by the wall clock ─────────────────────────────────────────────────────────────────────────────


def test_a_live_day_is_due_after_its_close_only(desk: Desk):
    bot = trade_live(desk, at(WEDNESDAY, 19, 59))
    assert session_due(bot) == NotDue("Session 2022-03-16 is not over yet: it closes at 2022-03-16 20:00 UTC.")

    desk.clock.instant = at(WEDNESDAY, 20, 1)

    assert session_due(bot) == WEDNESDAY


def test_a_half_day_is_due_in_the_early_afternoon(desk: Desk):
    bot = trade_live(desk, at(HALF_DAY, 18, 0))

    desk.clock.instant = at(HALF_DAY, 18, 1)

    assert session_due(bot) == HALF_DAY


def test_a_day_missed_while_the_machine_was_off_is_reported_in_the_next_session(desk: Desk):
    bot = trade_live(desk, at(WEDNESDAY, 20, 0))
    trade_live(desk, at(THURSDAY, 14, 0))

    assert session_due(bot) == WEDNESDAY


def test_a_day_that_a_person_asks_for_must_be_over(desk: Desk):
    bot = trade_live(desk, at(WEDNESDAY, 19, 59))

    assert session_due(bot, WEDNESDAY) == NotDue(
        "Session 2022-03-16 is not over yet: it closes at 2022-03-16 20:00 UTC."
    )


def test_on_a_holiday_there_is_nothing_to_report(desk: Desk):
    bot = trade_live(desk, at(WEDNESDAY, 20, 0))
    desk.clock.instant = at(WEDNESDAY, 20, 1)
    report_due(bot)

    desk.clock.instant = at(date(2022, 4, 15), 20, 1)  # Good Friday

    assert session_due(bot) == NotDue(
        "2022-04-15 is no session of the exchange. The newest one that traded, 2022-03-16, was reported."
    )


def test_a_session_without_trade_says_what_became_of_its_cycles(desk: Desk):
    bot, tick = desk.live(), at(WEDNESDAY, 19, 30)
    for number in range(2):
        name = f"tick {number}"
        bot.book.cycles.skip(
            name, session=WEDNESDAY, scheduled_at=tick, reason=SkipReason.BACKING_OFF, message="not now"
        )
    desk.clock.instant = at(WEDNESDAY, 20, 1)

    assert session_due(bot) == NotDue(
        "No cycle of session 2022-03-16 completed (skipped: backing off 2). No session was traded yet."
    )


# ── what it says ──────────────────────────────────────────────────────────────────────────────────


def test_positions_have_the_last_price_of_the_day(desk: Desk):
    trade(desk, 2)

    held = {holding.symbol: (holding.quantity, holding.price) for holding in read_day(desk.bot, SECOND).holdings}

    assert held[Symbol("AAPL")] == (Decimal(9), Decimal("178.14"))
    assert list(held) == ["AAPL", "AMD", "HD", "LLY", "RRC"]


def test_cash_and_positions_come_to_the_equity(desk: Desk):
    trade(desk, 6)

    report = read_day(desk.bot, date(2022, 1, 10))

    assert report.worth.cash + sum(held.value or 0 for held in report.holdings) == report.worth.equity


def test_without_prices_the_day_is_reported_all_the_same_and_says_so(desk: Desk):
    trade(desk, 2)
    cut_off = replace(desk.bot, data=replace(desk.bot.data, source=Silent()))

    report = read_day(cut_off, SECOND)

    assert [holding.price for holding in report.holdings] == [None] * 5
    assert report.warnings == ("Holdings are shown without prices: the source did not answer.",)


def test_a_book_alone_has_the_day_without_prices(desk: Desk):
    trade(desk, 2)

    report = day_in_book(desk.bot.book)

    assert (report.session, report.worth.equity) == (SECOND, Decimal("99993.96"))
    assert {holding.price for holding in report.holdings} == {None}
    assert report.warnings == ()


def test_an_earlier_day_can_be_read_from_the_book(desk: Desk):
    trade(desk, 2)

    assert day_in_book(desk.bot.book, FIRST).session == FIRST


def test_a_book_without_a_day_says_how_to_get_one(desk: Desk):
    with pytest.raises(StateError, match="No session was traded yet, so there is no day to report"):
        day_in_book(desk.bot.book)


def test_the_notice_has_the_result_first(desk: Desk):
    trade(desk, 2)

    report_due(desk.bot)

    assert desk.notices.sent[-1] == (
        "info",
        "Day of 2022-01-04",
        "Equity $99,993.96, -$6.04 (-0.01%) since 2022-01-03, -$6.04 (-0.01%) since the start on 2022-01-03. "
        "Cash $88,682.85, 5 positions. 5 fills, fees $0.00.",
        "Trade      buy 9 AAPL at $178.23: $1,604.07, fees $0.00\n"
        "Trade      buy 22 AMD at $144.50: $3,179.00, fees $0.00\n"
        "Trade      buy 4 HD at $397.16: $1,588.64, fees $0.00\n"
        "Trade      buy 6 LLY at $261.82: $1,570.92, fees $0.00\n"
        "Trade      buy 183 RRC at $18.44: $3,374.52, fees $0.00\n"
        "Slippage   91.2 basis points better than the prices decided at, over 5 fills.\n"
        "Decisions  1 signal: 0 approved, 0 trimmed, 1 refused (max_open_trades 1).\n"
        "Cycles     1 completed.\n"
        "Holding    9 AAPL, bought at $178.23 on average, now $1,603.26 (-$0.81)\n"
        "Holding    22 AMD, bought at $144.50 on average, now $3,177.24 (-$1.76)\n"
        "Holding    4 HD, bought at $397.16 on average, now $1,587.84 (-$0.80)\n"
        "Holding    6 LLY, bought at $261.82 on average, now $1,570.08 (-$0.84)\n"
        "Holding    183 RRC, bought at $18.44 on average, now $3,372.69 (-$1.83)\n"
        "Earlier    2022-01-03: equity $100,000.00, 0 fills",
    )


def test_a_halt_makes_the_notice_a_warning(desk: Desk):
    trade(desk)
    desk.bot.book.control.set_state(TradingState.HALTED, cause="looks odd", who="the owner")

    report_due(desk.bot)

    level, message = desk.notices.told("Day of 2022-01-03")
    assert level == "warning"
    assert message.endswith("Trading is halted.")
    assert "Warning    Trading is halted since 2026-11-23 17:00 UTC: looks odd." in desk.notices.sent[-1][3]


# ── what it leaves alone ──────────────────────────────────────────────────────────────────────────


def test_reporting_takes_no_lease_and_changes_nothing_but_its_own_row(desk: Desk):
    trade(desk, 2)
    before = everything(desk)

    report_due(desk.bot)

    assert everything(desk) == before
    assert desk.rows("SELECT chore, session, run_id FROM chores") == [(CHORE, "2022-01-04", "a run")]


def test_a_day_can_be_reported_beside_a_cycle_that_trades(desk: Desk):
    trade(desk)
    lease = desk.bot.book.control.acquire_lease("a cycle", ttl_seconds=600)
    assert lease is not None

    assert report_due(desk.bot) == FIRST
    desk.bot.book.control.check_lease(lease)


def test_failures_in_a_row_are_not_forgotten_by_a_report(desk: Desk):
    trade(desk)
    handle_failure(desk.bot, run_id="broken", error="it broke")

    report_due(desk.bot)

    assert desk.bot.book.control.read().consecutive_errors == 1


def test_a_book_that_was_reported_stays_so_after_a_restart(folder: Path):
    with open_desk(folder) as first:
        trade(first)
        report_due(first.bot)
    with open_desk(folder, WallClock(datetime(2026, 11, 24, 17, 0, tzinfo=UTC))) as second:
        assert isinstance(session_due(second.bot), NotDue)


# ── cleaning up ───────────────────────────────────────────────────────────────────────────────────


def test_what_is_old_goes_to_the_archive(folder: Path):
    with open_desk(folder, state={"keep_days": 1}) as desk:
        trade(desk)
        run_cycle(desk.bot, run_id="much later", as_of=WEDNESDAY)

        clean_up(desk.bot)

    assert sorted(path.name for path in (folder / "archive").iterdir()) == ["2022-01"]


def test_where_nothing_is_old_nothing_is_archived_and_the_lease_stays_where_it_is(desk: Desk):
    trade(desk, 2)
    lease = desk.bot.book.control.acquire_lease("a cycle", ttl_seconds=600)
    assert lease is not None

    clean_up(desk.bot)

    desk.bot.book.control.check_lease(lease)
    assert not (desk.bot.settings.state.folder / "archive").exists()


def test_who_has_nothing_old_needs_no_pyarrow(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    trade(desk)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    clean_up(desk.bot)

    assert "stay in the book" not in caplog.text


def test_while_a_cycle_runs_the_archive_waits_for_another_day(folder: Path, caplog: pytest.LogCaptureFixture):
    with open_desk(folder, state={"keep_days": 1}) as desk:
        trade(desk)
        run_cycle(desk.bot, run_id="much later", as_of=WEDNESDAY)
        lease = desk.bot.book.control.acquire_lease("a cycle", ttl_seconds=600)
        assert lease is not None

        clean_up(desk.bot)

        desk.bot.book.control.check_lease(lease)
    assert not (folder / "archive").exists()
    assert "Old decisions stay in the book for now: A cycle is running" in caplog.text


def everything(desk: Desk) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of the book except those of chores."""
    names = [name for (name,) in desk.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'chores'")]
    return {name: desk.rows(f"SELECT * FROM {name}") for name in names}
