"""What a trading day comes to, computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.reporting.cycle_reports import SESSION, curve
from tests.unit.reporting.day_reports import booked_day, busy_day, control, day_fill, positions, quiet_day
from trading_bot.domain.day import DayFill
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Side
from trading_bot.domain.statistics import Slippage
from trading_bot.reporting.day import DayTrade, EarlierDay, day_report, slippage_of, trades_of
from trading_bot.reporting.metrics import EquityChange


def test_fills_of_one_symbol_and_side_are_one_trade_at_the_average_price():
    cvx, ge = busy_day().trades

    # 50 at 109.00 and 30 at 109.60 are 5,450 + 3,288 = 8,738 dollars for 80 shares
    assert cvx == DayTrade(
        Side.BUY, Symbol("CVX"), Decimal(80), Decimal("109.225"), Decimal("8738.00"), fees=Decimal("2.00"), fills=2
    )
    assert (ge.side, ge.shares, ge.amount, ge.fills) == (Side.SELL, Decimal(1200), Decimal("22200.00"), 1)


def test_buys_and_sales_of_one_symbol_are_two_trades():
    trades = trades_of([day_fill("KO", 10, "60"), day_fill("KO", 10, "61", side=Side.SELL), day_fill("BA", 1, "200")])

    assert [(done.side, done.symbol) for done in trades] == [("buy", "BA"), ("buy", "KO"), ("sell", "KO")]


def test_fees_are_added_up_to_the_cent_as_they_were_booked():
    fills = (day_fill("KO", 1, "60", fee="0.35"), day_fill("PG", 1, "60", fee="0.004"))

    assert quiet_day(fills=fills).fees == Decimal("0.35")


def test_the_days_change_is_counted_from_the_session_before():
    report = busy_day()

    assert report.today == EquityChange(date(2012, 1, 3), Decimal("-104.30"), Decimal("-104.30") / Decimal("100300.00"))


def test_the_change_in_all_is_counted_from_the_opening_deposit():
    report = quiet_day(opening_cash=Decimal("90000.00"))

    assert report.since_start == EquityChange(SESSION, Decimal("10000.00"), Decimal("10000.00") / Decimal("90000.00"))


def test_a_books_first_day_has_no_day_before():
    assert quiet_day().today is None


@pytest.mark.parametrize(
    ("fills", "bps"),
    [
        # bought 10 dearer by a dollar: 100 basis points of 1,000 dollars
        ([day_fill("KO", 10, "101", "100")], 100.0),
        # sold 10 cheaper by a dollar is as bad
        ([day_fill("KO", 10, "99", "100", side=Side.SELL)], 100.0),
        # sold dearer is better
        ([day_fill("KO", 10, "101", "100", side=Side.SELL)], -100.0),
        # 10 dollars lost on 1,000 and nothing on 3,000
        ([day_fill("KO", 10, "101", "100"), day_fill("PG", 30, "100", "100")], 25.0),
    ],
)
def test_slippage_is_weighted_by_dollars_and_positive_when_it_costs_us(fills: list[DayFill], bps: float):
    assert slippage_of(fills) == Slippage(len(fills), bps)


def test_a_fill_without_a_price_to_compare_with_is_left_out_of_the_slippage():
    assert slippage_of([day_fill("KO", 10, "101", "100"), day_fill("PG", 10, "500")]) == Slippage(1, 100.0)
    assert slippage_of([day_fill("PG", 10, "500")]) is None
    assert slippage_of([]) is None


def test_sessions_without_a_report_of_their_own_get_a_line_each():
    assert busy_day().earlier == (
        EarlierDay(
            date(2012, 1, 3),
            Decimal("100300.00"),
            EquityChange(date(2012, 1, 2), Decimal("300.00"), Decimal("0.003")),
            fills=4,
        ),
    )


def test_nobody_asked_for_other_sessions():
    booked = booked_day(equity_curve=curve("1.00", "2.00", "3.00"))

    assert day_report(booked, control(), prices={}).earlier == ()


def test_holdings_are_in_alphabetical_order_and_valued_where_there_is_a_price():
    cvx, ge, zz = busy_day().holdings

    assert (cvx.symbol, cvx.value, cvx.unrealised) == ("CVX", Decimal("8800.00"), Decimal("62.00"))
    assert (ge.symbol, ge.unrealised) == ("GE", Decimal("-95.10"))
    assert (zz.symbol, zz.value) == ("ZZ", None)


def test_everything_a_person_should_know_is_a_warning():
    assert busy_day().warnings == (
        "The price source does not know ZZ.",
        "Trading is reducing since 2012-01-04 21:00 UTC: looks odd.",
        "A cycle failed: the source did not answer.",
        "buy 900 F: rejected. no borrow.",
        "Whether the broker has buy 49 AAPL is unknown; the next cycle asks.",
        "2 fills came after the equity of 2012-01-04 was marked; that of the next session counts them.",
    )


def test_a_quiet_day_warns_of_nothing():
    assert quiet_day(positions=positions(KO=(1, "60"))).warnings == ()
