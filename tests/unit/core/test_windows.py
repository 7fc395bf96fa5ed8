"""Cycles inside windows that have a team of their own, or let exits through only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.core.trading import FIRST, Desk, WallClock, open_desk
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.orders import Rejected, Side
from trading_bot.state.audit import check_ledger

TEN, NOON, ONE = (datetime(2022, 3, 16, hour, 0, tzinfo=UTC) for hour in (14, 16, 17))  # 10:00, 12:00, 13:00
LUNCH = {"name": "lunch", "from": "12:00", "to": "13:00"}
EXITS_ONLY = {**LUNCH, "exits_only": True}
ALL_DAY = "regular"


def trade(desk: Desk, at: datetime, run_id: str) -> CycleReport:
    desk.clock.instant = at
    return cycle.run_cycle(desk.live(), run_id=run_id, scheduled=at)


def reasons(report: CycleReport) -> set[str]:
    return {decision.signal.strategy for decision in report.decisions}


def test_the_ticket_names_the_window(folder: Path):
    with open_desk(folder, WallClock(ONE), hours={"windows": [{**LUNCH, "strategies": ["momentum"]}, ALL_DAY]}) as desk:
        ticket = admit(desk.live(), run_id="run", scheduled=ONE)

    assert (ticket.window, ticket.strategies, ticket.exits_only) == ("lunch", ("momentum",), False)
    assert ticket.state is TradingState.ACTIVE


def test_the_ticket_of_a_plain_window_asks_the_whole_team(folder: Path):
    with open_desk(folder, WallClock(NOON), hours={"windows": [EXITS_ONLY, ALL_DAY]}) as desk:
        ticket = admit(desk.live(), run_id="run", scheduled=NOON)

    assert (ticket.window, ticket.strategies, ticket.exits_only) == ("regular", (), False)


def test_a_history_is_replayed_in_the_window_that_holds_the_close(folder: Path):
    with open_desk(folder, hours={"windows": [EXITS_ONLY, {"name": "regular", "strategies": ["momentum"]}]}) as desk:
        ticket = admit(desk.bot, run_id="run")

    assert (ticket.session, ticket.window, ticket.strategies) == (FIRST, "regular", ("momentum",))


def test_windows_that_leave_out_the_close_are_named_in_the_refusal(folder: Path):
    with (
        open_desk(folder, hours={"windows": [LUNCH]}) as desk,
        pytest.raises(SettingsError, match=r"hours.windows = \['lunch'\] leaves out the close"),
    ):
        admit(desk.bot, run_id="run")


def test_only_the_strategies_of_the_window_have_an_opinion(folder: Path):
    with open_desk(folder, hours={"windows": [{**LUNCH, "strategies": ["momentum"]}, ALL_DAY]}) as desk:
        report = trade(desk, ONE, "lunch")

    assert reasons(report) == {"momentum"}


def test_nothing_is_entered_in_a_window_for_exits(folder: Path):
    with open_desk(folder, hours={"windows": [EXITS_ONLY, ALL_DAY]}) as desk:
        report = trade(desk, ONE, "lunch")

        assert desk.rows("SELECT state FROM cycles") == [("reducing",)]
        assert desk.rows("SELECT * FROM intents") == []
        assert check_ledger(desk.bot.book.engine) == ()
        assert desk.bot.book.control.read().state is TradingState.ACTIVE
    assert {decision.reason for decision in report.decisions} == {"the window lunch lets exits through only"}
    assert all(isinstance(decision, Rejected) for decision in report.decisions)


def test_a_window_for_exits_sells_what_is_held(folder: Path):
    with open_desk(folder, hours={"windows": [{**EXITS_ONLY, "strategies": ["rsi_reversion"]}, ALL_DAY]}) as desk:
        trade(desk, TEN - timedelta(days=1), "the day before")
        trade(desk, TEN, "filled")
        held = desk.bot.book.ledger.portfolio().positions
        report = trade(desk, ONE, "lunch")

    let_through = [decision for decision in report.decisions if not isinstance(decision, Rejected)]
    assert held
    assert let_through
    assert {decision.signal.side for decision in let_through} == {Side.SELL}


def test_entries_go_on_after_a_window_for_exits(folder: Path):
    with open_desk(folder, hours={"windows": [EXITS_ONLY, ALL_DAY]}) as desk:
        trade(desk, ONE, "lunch")
        report = trade(desk, ONE + timedelta(minutes=1), "after")

        assert desk.rows("SELECT state FROM cycles ORDER BY cycle_id") == [("reducing",), ("active",)]
    assert any(not isinstance(decision, Rejected) for decision in report.decisions)


def test_a_book_that_is_reducing_says_so_itself(folder: Path):
    with open_desk(folder, hours={"windows": [EXITS_ONLY]}) as desk:
        desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")
        report = trade(desk, ONE, "lunch")

    assert {decision.reason for decision in report.decisions} == {"the bot is reducing: exits only"}


def test_a_window_counts_though_market_hours_do_not_matter(folder: Path):
    with open_desk(folder, hours={"windows": [EXITS_ONLY]}, orchestrator={"market_hours_only": False}) as desk:
        night = datetime(2022, 3, 16, 3, 0, tzinfo=UTC)
        first, second = trade(desk, night, "night"), trade(desk, ONE, "lunch")

        assert desk.rows("SELECT state FROM cycles ORDER BY cycle_id") == [("active",), ("reducing",)]
    assert (first.session, second.session) == (date(2022, 3, 15), date(2022, 3, 16))
