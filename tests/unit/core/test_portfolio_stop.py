"""What follows when the whole portfolio has lost too much, by setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import Desk, change, open_desk
from trading_bot.core.again import decide_again
from trading_bot.core.cycle import run_cycle
from trading_bot.core.switch import resume
from trading_bot.domain.cycle import CycleReport, TradingState

LOOSE = {"daily_loss_pct": 1, "weekly_loss_pct": 1, "monthly_loss_pct": 1}


def after_a_fall(desk: Desk) -> CycleReport:
    """Trade two sessions, raise the high-water mark behind the bot's back, and trade the third."""
    for number in range(2):
        run_cycle(desk.bot, run_id=str(number))
    change(desk.book_file, "UPDATE equity SET equity = '200000.00' WHERE session = (SELECT MIN(session) FROM equity)")
    return run_cycle(desk.bot, run_id="fallen")


def changes(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT old_state, new_state, changed_by, cause FROM state_changes ORDER BY number")


def test_by_default_nothing_is_bought_and_the_state_stays(tmp_path: Path):
    with open_desk(tmp_path, risk=LOOSE) as desk:
        report = after_a_fall(desk)

        assert {d.rule for d in report.decisions if d.signal.purpose.is_entry} == {"portfolio_stop"}
        assert desk.bot.book.control.read().state is TradingState.ACTIVE
        assert "Portfolio stop" not in desk.notices.titles()


@pytest.mark.parametrize("action", ["reducing", "flatten"])
def test_exits_only_until_the_owner_resumes_and_everybody_is_told_why(tmp_path: Path, action: str):
    with open_desk(tmp_path, risk=LOOSE | {"portfolio_stop_action": action}) as desk:
        report = after_a_fall(desk)
        ((old, new, who, cause),) = changes(desk)[-1:]

        assert (old, new, who) == ("active", "reducing", "portfolio_stop")
        assert cause.startswith("equity is 50.")
        assert cause.endswith("below its high of $200,000.00, the limit is 5.0%")
        assert desk.notices.titles().count("Portfolio stop") == 1
        assert {d.rule for d in report.decisions if d.signal.purpose.is_entry} <= {"trading_state"}

        run_cycle(desk.bot, run_id="later")
        assert desk.notices.titles().count("Portfolio stop") == 1
        resume(desk.bot.book, because="I know", who="owner", ack=False)
        assert run_cycle(desk.bot, run_id="resumed").state is TradingState.ACTIVE


def test_flatten_sells_everything_in_the_very_cycle_and_buys_nothing(tmp_path: Path):
    with open_desk(tmp_path, risk=LOOSE | {"portfolio_stop_action": "flatten"}) as desk:
        report = after_a_fall(desk)
        assert report.portfolio.positions
        assert {d.signal.symbol for d in report.decisions} == set(report.portfolio.positions)
        assert {(d.signal.strategy, d.signal.side.value) for d in report.decisions} == {("portfolio_stop", "sell")}
        assert all(d.quantity == report.portfolio.held(d.signal.symbol) for d in report.decisions)
        assert report.decisions[0].signal.reason.startswith("everything is sold, because equity is 50.")

        record = desk.bot.book.recordings.read(report.cycle_id)
        assert decide_again(record, report.decisions) == report.decisions

        empty = run_cycle(desk.bot, run_id="empty")
        assert (empty.portfolio.positions, empty.decisions) == ({}, ())
        assert decide_again(desk.bot.book.recordings.read(empty.cycle_id), ()) == ()


def test_a_halt_is_not_softened(tmp_path: Path):
    with open_desk(tmp_path, risk=LOOSE | {"portfolio_stop_action": "reducing"}) as desk:
        desk.bot.book.control.set_state(TradingState.REDUCING, cause="I am careful", who="owner")
        after_a_fall(desk)

        assert desk.bot.book.control.read().changed_by == "owner"
