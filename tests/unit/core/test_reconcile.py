"""Reconciling between two cycles: what fills in between is booked, and nothing is traded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import Desk, change, finished_process, open_desk, owner
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.reconcile import account_now, reconcile
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import CycleSkipped, StateBusy, StateError
from trading_bot.domain.money import ZERO
from trading_bot.state.audit import check_ledger


@pytest.fixture
def traded(desk: Desk) -> Desk:
    """A desk after two sessions: positions, and orders that wait for the next one."""
    for number in range(2):
        cycle.run_cycle(desk.bot, run_id=f"run-{number}")
    return desk


def test_books_that_agree_say_so_and_stay_as_they_are(traded: Desk):
    before = traded.rows("SELECT * FROM orders"), traded.rows("SELECT * FROM cycles")

    done = reconcile(traded.bot, run_id="reconcile")

    assert (done.differences, done.settlement.fills, done.state) == ((), (), TradingState.ACTIVE)
    assert done.ours == done.theirs
    assert (traded.rows("SELECT * FROM orders"), traded.rows("SELECT * FROM cycles")) == before
    assert traded.bot.book.control.current_lease() is None


def test_the_next_cycle_goes_on_as_if_nothing_had_been(traded: Desk, folder: Path, tmp_path: Path):
    reconcile(traded.bot, run_id="reconcile")

    report = cycle.run_cycle(traded.bot, run_id="next")

    assert report.cycle_id == "20220105T210000Z"
    assert check_ledger(traded.bot.book.engine) == ()


def test_a_fill_that_was_not_booked_yet_is_booked(traded: Desk):
    change(traded.paper_file, "UPDATE paper_account SET session = '2022-01-03'")  # it trades the 4th again
    change(
        traded.book_file,
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM cash_ledger WHERE execution_id IS NOT NULL",
        "DELETE FROM fills",
        "UPDATE positions SET quantity = '0'",
        "UPDATE orders SET status = 'accepted', filled = '0', reported = '0', settled = 0",
    )

    done = reconcile(traded.bot, run_id="reconcile")

    assert {fill.symbol for fill in done.settlement.fills} == {"AAPL", "AMD", "HD", "LLY", "RRC"}
    assert done.differences == ()


def test_money_that_nobody_can_explain_lets_exits_through_only(traded: Desk):
    change(traded.paper_file, "UPDATE paper_account SET cash = '1.00'")

    done = reconcile(traded.bot, run_id="reconcile")

    assert done.state is TradingState.REDUCING
    assert len(done.differences) == 1
    assert done.differences[0].endswith("in our book, $1.00 at the broker")
    assert traded.notices.titles()[-1] == "Books differ"


def test_before_the_first_cycle_there_is_nothing_to_reconcile(desk: Desk):
    with pytest.raises(StateError, match="Nothing was traded yet"):
        reconcile(desk.bot, run_id="reconcile")

    assert desk.bot.book.control.current_lease() is None


def test_a_cycle_that_has_not_ended_goes_first(traded: Desk):
    admit(traded.bot, run_id="killed")
    change(traded.book_file, f"UPDATE lease SET owner = '{owner(finished_process())}'")

    with pytest.raises(StateBusy, match="the next one goes on with it"):
        reconcile(traded.bot, run_id="reconcile")


def test_a_running_cycle_is_not_disturbed(traded: Desk):
    admit(traded.bot, run_id="running")

    with pytest.raises(CycleSkipped, match="Another cycle is running"):
        reconcile(traded.bot, run_id="reconcile")


def test_the_account_is_shown_beside_the_book(traded: Desk):
    now = account_now(traded.bot)

    assert now.differences == ()
    assert now.ours == now.theirs
    assert now.account.cash == now.theirs.cash > ZERO


def test_without_a_book_of_the_account_there_is_nothing_to_compare(folder: Path):
    with open_desk(folder) as desk:
        now = account_now(replace(desk.bot))

    assert (now.ours, now.differences, now.account.cash) == (None, (), Decimal("100000.00"))
