"""One trading day read back from the book."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.state.books import (
    FRIDAY,
    MONDAY,
    NOON,
    TUESDAY,
    WEDNESDAY,
    Desk,
    approved,
    fill,
    fill_a_book,
    rejected,
    resized,
    signal,
    update,
)
from trading_bot.domain.cycle import SkipReason
from trading_bot.domain.day import BookedDay, DayCycles, DayDecisions
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.orders import OrderStatus, Side
from trading_bot.domain.portfolio import EquityPoint


def mark(desk: Desk, session: date, equity: str = "10000.00") -> None:
    cash = desk.book.ledger.portfolio().cash
    desk.book.ledger.mark_equity(desk.lease, EquityPoint(session, cash, Decimal(equity)), "cycle")


def empty_day(desk: Desk, session: date = MONDAY) -> None:
    desk.begin(str(session), session=session)
    desk.decide(cycle_id=str(session))
    mark(desk, session)
    desk.complete(str(session))


def held(day: BookedDay) -> dict[str, str]:
    return {symbol: f"{position.quantity:f}" for symbol, position in day.positions.items()}


def test_sessions_that_traded_are_those_with_a_completed_cycle(desk: Desk):
    empty_day(desk, MONDAY)
    empty_day(desk, WEDNESDAY)
    desk.begin("tuesday", session=TUESDAY)
    desk.book.control.record_failure("run-tuesday", error="it broke")

    assert desk.book.days.traded() == (MONDAY, WEDNESDAY)
    assert desk.book.days.traded(after=MONDAY) == (WEDNESDAY,)
    assert desk.book.days.traded(after=WEDNESDAY) == ()


def test_a_session_with_many_cycles_is_one_session(desk: Desk):
    empty_day(desk, MONDAY)
    desk.begin("again", session=MONDAY)
    desk.complete("again")

    assert desk.book.days.traded() == (MONDAY,)


def test_the_day_holds_its_own_fills_only(desk: Desk):
    fill_a_book(desk)

    day = desk.book.days.read(MONDAY)

    assert [(done.fill.symbol, done.fill.quantity) for done in day.fills] == [
        ("AAPL", Decimal(3)),
        ("AAPL", Decimal(4)),
        ("IBM", Decimal(4)),
    ]
    assert day.fills_by_session == {MONDAY: 3}
    assert day.opening_cash == Decimal(10_000)


def test_the_equity_curve_ends_with_the_day(desk: Desk):
    fill_a_book(desk)

    assert [point.session for point in desk.book.days.read(MONDAY).equity_curve] == [MONDAY]
    assert [point.session for point in desk.book.days.read(TUESDAY).equity_curve] == [MONDAY, TUESDAY]


def test_positions_are_those_after_the_day_though_they_were_sold_since(desk: Desk):
    fill_a_book(desk)

    assert held(desk.book.days.read(MONDAY)) == {"AAPL": "7", "IBM": "4"}
    assert held(desk.book.days.read(TUESDAY)) == {"AAPL": "10.0", "IBM": "4"}
    mark(desk, WEDNESDAY)
    assert held(desk.book.days.read(WEDNESDAY)) == {"IBM": "4"}


def test_cycles_are_counted_by_their_end(desk: Desk):
    empty_day(desk)
    desk.begin("failing", session=MONDAY)
    desk.book.control.record_failure("run-failing", error="no answer")
    desk.begin("stopped", session=MONDAY)
    desk.book.cycles.cancel("run-stopped", "Ctrl-C")
    for number, reason in enumerate((SkipReason.PAUSED, SkipReason.PAUSED, SkipReason.BACKING_OFF)):
        desk.book.cycles.skip(str(number), session=MONDAY, scheduled_at=NOON, reason=reason, message="not now")

    assert desk.book.days.cycles(MONDAY) == DayCycles(
        completed=1, failed=1, cancelled=1, skipped=(("paused", 2), ("backing_off", 1)), failures=("no answer",)
    )
    assert desk.book.days.cycles(FRIDAY) == DayCycles()


def test_a_cycle_that_succeeded_at_last_counts_its_earlier_attempts(desk: Desk):
    desk.begin()
    desk.book.control.record_failure("run-monday", error="no answer")
    empty = desk.begin()
    desk.complete()

    assert empty.attempt == 2
    assert desk.book.days.cycles(MONDAY) == DayCycles(completed=1, begun_again=1)


def test_orders_that_can_still_fill_are_open(desk: Desk):
    order_id = desk.order(approved("10"))
    desk.book.journal.record_updates(desk.lease, [update(order_id, OrderStatus.ACCEPTED)])
    mark(desk, MONDAY)

    (order,) = desk.book.days.read(MONDAY).open_orders

    assert (order.intent.client_order_id, order.status) == (order_id, OrderStatus.ACCEPTED)


def test_an_order_of_a_later_day_is_not_open_on_this_one(desk: Desk):
    mark(desk, FRIDAY)
    desk.order(approved("10"))

    assert desk.book.days.read(FRIDAY).open_orders == ()


def test_an_order_that_the_broker_refused_is_in_trouble(desk: Desk):
    order_id = desk.order(approved("10"))
    refused = update(order_id, OrderStatus.REJECTED, reason="not shortable")
    desk.book.journal.record_updates(desk.lease, [refused])
    mark(desk, MONDAY)

    (order,) = desk.book.days.read(MONDAY).troubled_orders

    assert (order.client_order_id, order.reason) == (order_id, "not shortable")


def test_a_fill_after_the_equity_was_marked_is_late(desk: Desk):
    order_id = desk.order(approved("10"))
    mark(desk, MONDAY)
    assert desk.book.days.read(MONDAY).booked_late == 0

    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "10", "100", fee="1.00")])

    assert desk.book.days.read(MONDAY).booked_late == 1


def test_a_fill_has_the_price_its_order_was_decided_at(desk: Desk):
    desk.order(approved("10"))
    desk.break_with("UPDATE intents SET reference_price = '99.50'")
    desk.book.ledger.book_fills(desk.lease, [fill(desk.book.journal.intents("monday")[0].client_order_id)])
    mark(desk, MONDAY)

    assert [done.reference_price for done in desk.book.days.read(MONDAY).fills] == [Decimal("99.50")]


def test_a_price_from_before_a_split_is_nothing_to_compare_with(desk: Desk):
    desk.trade(Side.BUY, "10", "100", session=MONDAY)
    desk.book.ledger.apply_splits(desk.lease, [(Split(Symbol("AAPL"), TUESDAY, Decimal(2)), Decimal(50))])
    desk.trade(Side.SELL, "10", "51", session=TUESDAY)
    desk.break_with("UPDATE intents SET reference_price = '100'")
    mark(desk, TUESDAY)

    assert [done.reference_price for done in desk.book.days.read(TUESDAY).fills] == [None]


def test_a_day_that_never_traded_cannot_be_read(desk: Desk):
    empty_day(desk, MONDAY)

    with pytest.raises(StateError, match="The book has no equity of session 2024-01-09: no cycle of it completed"):
        desk.book.days.read(TUESDAY)


def test_decisions_are_counted_by_outcome_and_refusals_by_rule_the_most_frequent_first(desk: Desk):
    desk.begin()
    names = [signal(symbol) for symbol in ("AAPL", "IBM", "MSFT")]
    desk.decide(rejected("5", names[0]), resized("20", "10", names[1]), rejected("5", names[2]))
    desk.break_with("UPDATE decisions SET rule = 'correlated' WHERE number = 0")
    desk.begin("later")
    desk.decide(rejected("5", names[2]), approved("10", names[0]), cycle_id="later")
    mark(desk, MONDAY)

    assert desk.book.days.read(MONDAY).decisions == DayDecisions(
        approved=1, trimmed=1, refused=3, refusals=(("max_position", 2), ("correlated", 1))
    )
