"""Splits while a stock is held: shares, cash, orders and both books, from real and from made prices."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import open_desk
from trading_bot.core.cycle import run_cycle
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.market import Symbol
from trading_bot.state import check_ledger

AAA = Symbol("AAA")
# 17 January 2022 was Martin Luther King Day; the price halves on the session after it.
PRICES = {
    "2022-01-05": 100, "2022-01-06": 101, "2022-01-07": 102, "2022-01-10": 103, "2022-01-11": 104,
    "2022-01-12": 105, "2022-01-13": 106, "2022-01-14": 107, "2022-01-18": 54, "2022-01-19": 54.5,
    "2022-01-20": 55, "2022-01-21": 55.5,
}  # fmt: skip
QUICK = [{"name": "sma_cross", "options": {"fast": 2, "slow": 3}}]


def trade(folder: Path, prices: Path, sessions: int) -> list[CycleReport]:
    sections = {
        "data": {"source": "files", "folder": str(prices), "start": "2022-01-10", "symbols": []},
        "strategy": {"team": QUICK},
        "risk": {"position_stop": False},
    }
    with open_desk(folder, **sections) as desk:
        reports = [run_cycle(desk.bot, run_id=f"run {number}") for number in range(sessions)]
        assert check_ledger(desk.bot.book.engine) == ()
    return reports


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "AAA.csv").write_text("date,close\n" + "".join(f"{day},{price}\n" for day, price in PRICES.items()))
    return folder


def shares(reports: Sequence[CycleReport]) -> list[Decimal]:
    return [report.portfolio.held(AAA) for report in reports]


def test_a_split_dated_on_a_holiday_takes_effect_on_the_next_session(folder: Path, prices: Path):
    (prices / "splits.csv").write_text("symbol,date,ratio\nAAA,2022-01-17,2\n")

    before, after = trade(folder, prices, 6)[-2:]

    assert (str(before.session), str(after.session)) == ("2022-01-14", "2022-01-18")
    assert shares([before, after]) == [9, 18]
    assert after.equity - before.equity == 18 * 54 - 9 * 107
    assert not after.warnings


def test_a_split_that_is_learned_of_late_is_booked_in_both_books(folder: Path, prices: Path):
    unaware = trade(folder, prices, 6)[-1]  # the price seems to have halved, so the strategy sells its 9 shares
    (prices / "splits.csv").write_text("symbol,date,ratio\nAAA,2022-01-18,2\n")

    (late,) = trade(folder, prices, 1)

    assert shares([unaware, late]) == [9, 18 - 9]
    assert [(fill.side, fill.quantity) for fill in late.fills] == [("sell", 9)]
    assert not late.warnings


def test_a_real_split_doubles_the_shares_and_changes_no_money(folder: Path):
    team = [{"name": "momentum", "options": {"top": 1.0}}]
    sections = {"data": {"source": "sample-ohlcv", "start": "2005-02-23", "symbols": []}, "strategy": {"team": team}}
    with open_desk(folder, **sections) as desk:
        reports = [run_cycle(desk.bot, run_id=f"run {number}") for number in range(4)]

    friday, monday = reports[-2:]
    apple = Symbol("AAPL")
    assert (str(friday.session), str(monday.session)) == ("2005-02-25", "2005-02-28")
    assert monday.portfolio.held(apple) == 2 * friday.portfolio.held(apple) > 0
    assert monday.portfolio.cash == friday.portfolio.cash
    paid = friday.portfolio.positions[apple].average_price, monday.portfolio.positions[apple].average_price
    assert paid[1] == paid[0] / 2
    assert not monday.warnings
