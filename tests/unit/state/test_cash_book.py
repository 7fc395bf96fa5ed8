"""Money that moves without a trade: booked once, corrected when it is corrected, and never taken for a profit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.state.books import FRIDAY, MONDAY, NOON, TUESDAY, WEDNESDAY, Desk, activity
from trading_bot.domain.cash import BY_OWNER, CashKind
from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import LeaseLost
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.track_record import Worth
from trading_bot.state import check_ledger

TRANSFER = CashKind.TRANSFER


def cash(desk: Desk) -> Decimal:
    return desk.book.ledger.portfolio().cash


def mark(desk: Desk, session: date, equity: str) -> None:
    """Mark the equity of a session; what is not cash is in positions."""
    desk.book.ledger.mark_equity(desk.lease, EquityPoint(session, cash(desk), Decimal(equity)), str(session))


def test_what_is_listed_twice_is_booked_once(desk: Desk):
    listed = [activity("div-1", "5.94"), activity("fee-1", "-0.02", kind=CashKind.FEE)]

    assert desk.book.cash.book(desk.lease, [*listed, *listed]) == tuple(listed)
    assert desk.book.cash.book(desk.lease, listed) == ()

    assert cash(desk) == Decimal("10005.92")
    assert desk.rows("SELECT session, kind, symbol, amount, note FROM v_cash WHERE number > 1") == [
        ("2024-01-10", "DIVIDEND", "AAPL", "5.94", "DIVIDEND/note"),
        ("2024-01-10", "FEE", None, "-0.02", "FEE/note"),
    ]
    assert check_ledger(desk.book.engine) == ()


@pytest.mark.parametrize(("amount", "then"), [("0", "10000.00"), ("6.00", "10006.00")], ids=["back", "corrected"])
def test_what_the_broker_takes_back_or_corrects_is_booked_by_the_difference(desk: Desk, amount: str, then: str):
    desk.book.cash.book(desk.lease, [activity("div-1", "5.94")])

    (difference,) = desk.book.cash.book(desk.lease, [activity("div-1", amount)])

    assert difference.amount == Decimal(amount) - Decimal("5.94")
    assert cash(desk) == Decimal(then)
    assert check_ledger(desk.book.engine) == ()


def test_what_was_listed_before_the_account_was_bound_is_in_the_deposit(desk: Desk):
    assert desk.book.cash.book(desk.lease, [activity("div-0", "5.94", day=FRIDAY, minute=0)]) == ()
    assert cash(desk) == Decimal("10000.00")


def test_the_broker_is_asked_for_a_week_before_the_newest_but_never_for_what_was_before_the_book(desk: Desk):
    assert desk.book.cash.ask_after() == NOON

    desk.book.cash.book(desk.lease, [activity("div-1", "5.94", minute=10 * 24 * 60)])

    assert (desk.book.cash.ask_after() - NOON).days == 3


def test_who_lost_the_lease_books_nothing(desk: Desk):
    with pytest.raises(LeaseLost):
        desk.book.cash.book(Lease(desk.lease.token - 1, "another", desk.lease.expires_at), [activity("div-1", "5.94")])
    assert cash(desk) == Decimal("10000.00")


# ── deposits are no profit ────────────────────────────────────────────────────────────────────────


def test_a_deposit_moves_no_drawdown(desk: Desk):
    mark(desk, MONDAY, "12000")
    mark(desk, TUESDAY, "9000")  # a quarter below the high
    desk.book.cash.book(desk.lease, [activity("in", "9000", kind=TRANSFER)])

    assert desk.book.ledger.high_water() == Decimal("24000.00")  # 18,000 is a quarter below that

    mark(desk, WEDNESDAY, "18000")
    assert desk.book.ledger.high_water() == Decimal("24000.00")
    assert desk.book.ledger.worths_before(WEDNESDAY, 1) == (Worth(TUESDAY, Decimal("18000.00")),)
    assert desk.book.ledger.worths_before(WEDNESDAY, 21)[0] == Worth(MONDAY, Decimal("24000.00"))


def test_a_withdrawal_is_no_loss(desk: Desk):
    mark(desk, MONDAY, "12000")
    desk.book.cash.book(desk.lease, [activity("out", "-6000", kind=TRANSFER)])
    mark(desk, TUESDAY, "6000")

    assert desk.book.ledger.high_water() == Decimal("6000.00")
    assert desk.book.ledger.worths_before(WEDNESDAY, 2) == (
        Worth(MONDAY, Decimal("6000.00")),
        Worth(TUESDAY, Decimal(6000)),
    )
    assert [point.paid_in for point in desk.book.ledger.equity_curve()] == [0, -6000]


@pytest.mark.parametrize("kind", sorted(set(CashKind) - BY_OWNER))
def test_everything_else_is_profit_or_loss(desk: Desk, kind: CashKind):
    mark(desk, MONDAY, "10000")
    desk.book.cash.book(desk.lease, [activity("one", "500", kind=kind)])
    mark(desk, TUESDAY, "10500")

    assert desk.book.ledger.high_water() == Decimal(10500)
    assert desk.book.ledger.worths_before(WEDNESDAY, 2)[0] == Worth(MONDAY, Decimal(10000))
