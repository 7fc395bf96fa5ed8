from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.core.trading import THIRD, Desk
from trading_bot.core import cycle
from trading_bot.core.book import book_url
from trading_bot.core.metrics import read_metrics
from trading_bot.domain.cycle import CycleStatus
from trading_bot.reporting.metrics_document import metrics_rows
from trading_bot.state import open_read_only


def trade_three_sessions(desk: Desk) -> None:
    for run_id in ("one", "two", "three"):
        cycle.run_cycle(desk.bot, run_id=run_id)


def test_a_book_that_has_not_traded_has_no_performance(desk: Desk):
    found = read_metrics(desk.bot.book)

    assert found.statistics.cycles[CycleStatus.COMPLETED] == 0
    assert (found.performance.profit, found.performance.exposure) == (None, None)


def test_profit_counts_from_the_opening_deposit(desk: Desk):
    trade_three_sessions(desk)

    found = read_metrics(desk.bot.book).performance

    assert desk.rows("SELECT equity FROM equity ORDER BY session") == [("100000.00",), ("99993.96",), ("99647.60",)]
    assert (found.sessions, found.profit) == (3, Decimal("-352.40"))


def test_profit_of_some_sessions_counts_from_the_one_before(desk: Desk):
    trade_three_sessions(desk)

    found = read_metrics(desk.bot.book, since=THIRD)

    assert (found.performance.sessions, found.performance.profit) == (1, Decimal("-346.36"))
    assert found.statistics.cycles[CycleStatus.COMPLETED] == 1


def test_exposure_is_that_of_the_newest_session(desk: Desk):
    trade_three_sessions(desk)

    found = read_metrics(desk.bot.book).performance.exposure

    assert found is not None
    assert found.gross == found.net == pytest.approx(0.11003526)  # 10,964.75 dollars of 99,647.60


def test_every_order_knows_the_price_it_was_decided_at(desk: Desk):
    report = cycle.run_cycle(desk.bot, run_id="run")

    written = dict(desk.rows("SELECT symbol, reference_price FROM intents"))
    assert written["AMD"] == "150.24"
    assert written == {order.symbol: str(report.market.price(order.symbol)) for order in report.orders}


def test_slippage_is_measured_from_the_decision_to_the_fill(desk: Desk):
    trade_three_sessions(desk)

    found = read_metrics(desk.bot.book).statistics.slippage

    # 22 AMD at 144.50 instead of 150.24, 183 RRC at 18.44 instead of 18.15, 9 AAPL at 178.23 instead of 180.43,
    # 4 HD at 397.16 instead of 392.92, 6 LLY at 261.82 instead of 266.51: 104.19 dollars better, of 11,421.34
    assert found is not None
    assert (found.fills, round(found.bps, 2)) == (5, -91.22)


def test_a_book_that_is_only_read_has_the_same_metrics(desk: Desk):
    trade_three_sessions(desk)

    with open_read_only(book_url(desk.bot.settings)) as reader:
        assert metrics_rows(read_metrics(reader)) == metrics_rows(read_metrics(desk.bot.book))
