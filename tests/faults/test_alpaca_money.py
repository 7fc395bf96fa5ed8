"""Money at Alpaca that is not a fill: the book follows it to the cent, whatever comes first, and goes on trading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults.alpaca_trading import Trading, trading_at_alpaca
from trading_bot.core.reconcile import Word, account_now, reconcile
from trading_bot.domain.cash import CashKind
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import StateError
from trading_bot.reporting.cash import cash_line

NEXT_DAY = timedelta(days=1)


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Trading]:
    with trading_at_alpaca(tmp_path / "state") as opened:
        yield opened


def cash(trading: Trading) -> tuple[Decimal, Decimal]:
    """Return dollars in our book and at the broker."""
    return trading.bot.book.ledger.portfolio().cash, trading.exchange.cash()


@pytest.mark.parametrize("fees", ["accrued", "overnight"])
def test_the_fees_of_a_sale_are_booked_when_they_are_charged_and_stop_nothing(trading: Trading, fees: str):
    trading.behave(fees=fees)
    trading.wants("AAPL").cycle()
    trading.wants().cycle()  # sells 27 shares
    same_day = trading.wants("MSFT").cycle()
    ours, theirs = cash(trading)

    assert ours - theirs == (Decimal("0.15") if fees == "accrued" else 0)  # 0.14 SEC and 0.01 FINRA, rounded up
    assert (same_day.warnings, same_day.cash, trading.held("MSFT")) == ((), (), 15)

    report = trading.cycle(after=NEXT_DAY)

    assert [(booked.kind, booked.amount, booked.note) for booked in report.cash] == [
        (CashKind.FEE, Decimal("-0.14"), "FEE/REG"),
        (CashKind.FEE, Decimal("-0.01"), "FEE/TAF"),
    ]
    ours, theirs = cash(trading)
    assert ours == theirs
    assert (report.warnings, trading.state()) == ((), "active")


def test_fees_that_are_taken_before_they_are_listed_are_waited_for(trading: Trading):
    trading.behave(fees="overnight", late_activities=True)
    trading.wants("AAPL").cycle()
    trading.wants().cycle()
    taken = trading.cycle(after=NEXT_DAY)
    ours, theirs = cash(trading)

    assert (ours - theirs, taken.warnings, trading.state()) == (Decimal("0.15"), (), "active")

    trading.behave(late_activities=False)
    trading.cycle()
    ours, theirs = cash(trading)
    assert ours == theirs


def test_dividends_interest_and_transfers_are_booked_once_with_symbol_and_kind(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.clock.instant += timedelta(seconds=1)
    trading.exchange.pay_dividend("AAPL", Decimal("0.22"))
    trading.exchange.move_cash("DIVNRA", Decimal("-0.89"), symbol="AAPL")
    trading.exchange.move_cash("INT", Decimal("0.31"), sub_type="CDT")
    trading.exchange.deposit(Decimal(5000))
    trading.exchange.deposit(Decimal("-2000.50"))
    trading.exchange.move_cash("SOMETHING_NEW", Decimal("1.23"))
    report = trading.cycle()
    again = trading.cycle()

    assert [(booked.kind.value, booked.symbol, booked.amount) for booked in report.cash] == [
        ("DIVIDEND", "AAPL", Decimal("5.94")),
        ("DIVIDEND", "AAPL", Decimal("-0.89")),
        ("INTEREST", None, Decimal("0.31")),
        ("TRANSFER", None, Decimal("5000.00")),
        ("TRANSFER", None, Decimal("-2000.50")),
        ("OTHER", None, Decimal("1.23")),
    ]
    ours, theirs = cash(trading)
    assert (again.cash, ours, trading.state()) == ((), theirs, "active")
    assert report.equity_curve[-1].paid_in == Decimal("2999.50")


def test_what_the_broker_takes_back_leaves_the_book_again(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.clock.instant += timedelta(seconds=1)
    paid = trading.exchange.pay_dividend("AAPL", Decimal("0.22"))
    trading.cycle()
    trading.exchange.take_back(paid.id)
    report = trading.cycle()

    assert [booked.amount for booked in report.cash] == [Decimal("-5.94")]
    assert cash(trading)[0] == cash(trading)[1]


def test_more_movements_than_a_page_holds_are_all_booked(trading: Trading):
    trading.wants().cycle()
    trading.clock.instant += timedelta(seconds=1)
    for _ in range(205):
        trading.exchange.move_cash("INT", Decimal("0.01"))
    report = trading.cycle()

    assert (len(report.cash), cash(trading)[0]) == (205, Decimal("100002.05"))
    assert trading.sandbox.sent("GET", "/v2/account/activities") == 1 + 3


def test_the_account_beside_the_book_agrees_before_the_next_cycle_books_it(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.clock.instant += timedelta(seconds=1)
    trading.exchange.pay_dividend("AAPL", Decimal("0.22"))

    assert account_now(trading.bot).differences == ()
    assert [booked.amount for booked in reconcile(trading.bot, run_id="now").settlement.cash] == [Decimal("5.94")]


def test_money_that_nobody_lists_stops_entries_and_says_how_much(trading: Trading):
    trading.wants().cycle()
    trading.behave(fields={"cash": "99988.00"})
    report = trading.wants("AAPL").cycle()

    assert report.warnings == (
        "Our book and the broker's differ. cash: $100,000.00 in our book, $99,988.00 at the broker",
    )
    assert (trading.state(), trading.at_broker()) == ("reducing", ())


OWNER = Word("ann", "the broker's help desk says so")


def test_money_that_nobody_lists_is_booked_on_the_owners_word_and_the_bot_goes_on(trading: Trading):
    trading.wants().cycle()
    trading.behave(fields={"cash": "99988.00"})
    trading.cycle()
    done = reconcile(trading.bot, run_id="now", word=OWNER)

    assert [cash_line(activity) for activity in done.settlement.cash] == [
        "unexplained -$12.00 (accepted by ann: the broker's help desk says so)"
    ]
    assert (done.differences, done.state) == ((), TradingState.REDUCING)
    trading.bot.book.control.set_state(TradingState.ACTIVE, cause="seen", who="ann")
    assert (trading.cycle().warnings, trading.state()) == ((), "active")
    assert cash(trading)[0] == Decimal("99988.00")


def test_what_was_accepted_explains_no_later_difference_of_the_same_size(trading: Trading):
    trading.wants().cycle()
    trading.behave(fields={"cash": "100012.00"})
    assert reconcile(trading.bot, run_id="now", word=OWNER).differences == ()
    trading.behave(fields={"cash": "100000.00"})

    assert reconcile(trading.bot, run_id="later").differences == (
        "cash: $100,012.00 in our book, $100,000.00 at the broker",
    )


def test_shares_that_differ_are_taken_on_nobodys_word(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.cycle()
    trading.clock.instant += timedelta(seconds=1)
    by_hand = {"symbol": "AAPL", "qty": "2", "type": "market", "time_in_force": "day"}
    trading.exchange.submit({"side": "sell", **by_hand})
    trading.exchange.holdings()
    before = cash(trading)[0]

    with pytest.raises(StateError, match="Only cash can be accepted, and shares differ: AAPL: 27 shares in our book"):
        reconcile(trading.bot, run_id="now", word=OWNER)
    assert cash(trading)[0] == before
    trading.exchange.submit({"side": "buy", **by_hand})  # as it says


def test_the_owners_word_is_not_needed_where_nothing_differs(trading: Trading):
    trading.wants().cycle()

    assert reconcile(trading.bot, run_id="now", word=OWNER).settlement.cash == ()


def test_a_cent_too_much_is_no_fee_and_stops_entries(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.wants().cycle()  # sells: fees of a cent or more may be due
    ours, _ = cash(trading)
    trading.behave(fields={"cash": str(ours + Decimal("0.01"))})
    report = trading.wants("MSFT").cycle()

    assert report.warnings == (
        f"Our book and the broker's differ. cash: ${ours:,.2f} in our book, "
        f"${ours + Decimal('0.01'):,.2f} at the broker",
    )
    assert (trading.state(), trading.held("MSFT")) == ("reducing", 0)
