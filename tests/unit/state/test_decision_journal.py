from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from tests.unit.state.books import NOON, Desk, approved, fill, intent, rejected, resized, signal, update
from trading_bot.domain.cycle import SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, StateError
from trading_bot.domain.orders import (
    ClientOrderId,
    Decision,
    OpenOrder,
    OrderIntent,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    Signal,
    TimeInForce,
)
from trading_bot.storage.columns import DecimalText

THREE: list[Decision] = [approved("10"), resized("20", "12.50", signal("IBM")), rejected("5", signal("MSFT"))]


def commit(desk: Desk, decisions: list[Decision], intents: list[OrderIntent]) -> None:
    desk.book.journal.commit_decisions("monday", desk.lease, decisions=decisions, intents=intents, market_hash="m")


def test_decisions_come_back_bit_for_bit(desk: Desk):
    desk.begin()
    desk.decide(*THREE)

    read = desk.book.journal.decisions("monday")

    assert list(read) == THREE
    assert repr(list(read)) == repr(THREE)


def test_numpy_s_floats_come_back_as_the_same_numbers(desk: Desk):
    weight = float(np.float64(1) / 3)
    wanted = Signal(
        signal().symbol, Side.BUY, Purpose.ENTRY, np.float64(1) / 3, np.float64(0.1), "s", "r", {"x": np.float64(0.3)}
    )
    desk.begin()
    desk.decide(approved("1", wanted))

    (read,) = desk.book.journal.decisions("monday")

    assert (read.signal.wanted_weight, read.signal.strength, read.signal.evidence) == (weight, 0.1, {"x": 0.3})


def test_intents_come_back_as_they_were_committed(desk: Desk):
    desk.begin()
    wanted = desk.decide(*THREE)

    assert desk.book.journal.intents("monday") == wanted
    assert [(each.type, each.limit_price, each.time_in_force) for each in wanted] == [
        (OrderType.LIMIT, Decimal("187.50"), TimeInForce.DAY)
    ] * 2


def test_a_quiet_day_is_a_decision_too(desk: Desk):
    desk.begin()
    desk.decide()

    assert desk.begin().decided
    assert desk.book.journal.decisions("monday") == ()


def test_a_cycle_decides_once(desk: Desk):
    desk.begin()
    desk.decide(approved())

    with pytest.raises(StateError, match="Cycle monday has decided already"):
        desk.decide(approved())


def test_a_cycle_that_does_not_run_cannot_decide(desk: Desk):
    with pytest.raises(StateError, match="Cycle monday is not in the book"):
        desk.decide(approved())


def test_an_intent_without_an_approval_is_refused(desk: Desk):
    desk.begin()

    with pytest.raises(StateError, match="has no decision that approves just that"):
        commit(desk, [rejected("10")], [intent(approved("10"))])


def test_an_intent_over_more_than_approved_is_refused(desk: Desk):
    desk.begin()

    with pytest.raises(StateError, match="over 11 shares has no decision"):
        commit(desk, [approved("10")], [intent(approved("10"), quantity="11")])


def test_an_approval_without_an_intent_is_refused(desk: Desk):
    desk.begin()

    with pytest.raises(StateError, match="Approved without an intent: AAPL buy entry"):
        commit(desk, [approved("10")], [])


def test_an_intent_of_another_cycle_is_refused(desk: Desk):
    desk.begin()

    with pytest.raises(StateError, match="belongs to cycle tuesday"):
        commit(desk, [approved("10")], [intent(approved("10"), "tuesday")])


def test_the_same_wish_cannot_be_approved_twice(desk: Desk):
    desk.begin()

    with pytest.raises(StateError, match="Two decisions approve the same"):
        commit(desk, [approved("10"), approved("3")], [intent(approved("10"))])


def test_an_entry_is_refused_in_a_cycle_that_began_reducing(desk: Desk):
    desk.begin(state=TradingState.REDUCING)

    with pytest.raises(StateError, match="is an entry, but cycle monday began reducing"):
        desk.decide(approved())


def test_a_refused_commit_writes_nothing(desk: Desk):
    desk.begin(state=TradingState.REDUCING)

    with pytest.raises(StateError):
        desk.decide(approved())

    assert [desk.rows(f"SELECT * FROM {table}") for table in ("signals", "decisions", "intents", "orders")] == [[]] * 4
    assert not desk.begin().decided


def test_an_amount_that_is_no_number_is_refused(desk: Desk):
    desk.begin()

    with pytest.raises(StateError, match="NaN is no amount"):
        commit(desk, [rejected("NaN")], [])


def test_new_orders_are_open_and_intended(desk: Desk):
    desk.begin()
    (wanted,) = desk.decide(approved())

    assert desk.book.journal.open_orders() == (OpenOrder(wanted, OrderStatus.INTENDED, Decimal(0)),)


def test_an_order_is_unknown_from_the_moment_it_is_sent(desk: Desk):
    order_id = desk.order(approved())

    assert [order.status for order in desk.book.journal.open_orders()] == [OrderStatus.UNKNOWN]
    assert desk.rows("SELECT client_order_id FROM orders WHERE sent_at IS NOT NULL") == [(order_id,)]


def test_an_order_nobody_answered_for_is_sent_again_under_the_same_id(desk: Desk):
    order_id = desk.order(approved())

    desk.book.journal.mark_sending(order_id, desk.lease)

    assert len(desk.book.journal.open_orders()) == 1


@pytest.mark.parametrize("status", [OrderStatus.ACCEPTED, OrderStatus.REJECTED])
def test_an_order_the_broker_answered_for_is_never_sent_again(desk: Desk, status: OrderStatus):
    order_id = desk.order(approved())
    desk.book.journal.record_updates(desk.lease, [update(order_id, status)])

    with pytest.raises(StateError, match="may not be sent again"):
        desk.book.journal.mark_sending(order_id, desk.lease)


def test_an_order_without_an_intent_is_never_sent(desk: Desk):
    with pytest.raises(StateError, match="has no intent in the book"):
        desk.book.journal.mark_sending(ClientOrderId("bb-made-up"), desk.lease)


ENTRY = signal()
EXIT = signal(side=Side.SELL, purpose=Purpose.EXIT)
STOP = signal(side=Side.SELL, purpose=Purpose.STOP)


@pytest.mark.parametrize(
    ("state", "wanted", "code"),
    [
        (TradingState.PAUSED, ENTRY, SkipReason.PAUSED),
        (TradingState.PAUSED, EXIT, SkipReason.PAUSED),
        (TradingState.HALTED, ENTRY, SkipReason.HALTED),
        (TradingState.HALTED, STOP, SkipReason.HALTED),
        (TradingState.REDUCING, ENTRY, SkipReason.REDUCING),
    ],
)
def test_the_last_gate_stops_what_the_state_forbids(desk: Desk, state: TradingState, wanted: Signal, code: SkipReason):
    desk.begin()
    (order,) = desk.decide(approved("10", wanted))
    desk.book.control.set_state(state, cause="meanwhile", who="owner")

    with pytest.raises(CycleSkipped, match=f"was not sent: trading is {state.value} now") as skipped:
        desk.book.journal.mark_sending(order.client_order_id, desk.lease)

    assert skipped.value.code == code
    assert desk.rows("SELECT status FROM orders") == [("intended",)]


@pytest.mark.parametrize("wanted", [EXIT, STOP])
def test_exits_pass_while_reducing(desk: Desk, wanted: Signal):
    desk.begin()
    (order,) = desk.decide(approved("10", wanted))
    desk.book.control.set_state(TradingState.REDUCING, cause="meanwhile", who="owner")

    desk.book.journal.mark_sending(order.client_order_id, desk.lease)

    assert desk.rows("SELECT status FROM orders") == [("unknown",)]


def test_updates_that_change_something_are_returned(desk: Desk):
    order_id = desk.order(approved())
    accepted = update(order_id, OrderStatus.ACCEPTED)

    assert desk.book.journal.record_updates(desk.lease, [accepted, accepted]) == (accepted,)
    assert desk.book.journal.record_updates(desk.lease, [accepted]) == ()
    assert desk.book.journal.order_updates("monday") == (accepted,)


def test_fault_20_events_out_of_order_leave_the_order_where_it_was(desk: Desk):
    order_id = desk.order(approved())
    part = update(order_id, OrderStatus.PARTIALLY_FILLED, filled="4", minute=2)
    late = update(order_id, OrderStatus.ACCEPTED, minute=1)

    assert desk.book.journal.record_updates(desk.lease, [part, late]) == (part,)


def test_an_update_for_an_unknown_order_is_named(desk: Desk):
    with pytest.raises(StateError, match="bb-made-up, which is not in the book"):
        desk.book.journal.record_updates(desk.lease, [update(ClientOrderId("bb-made-up"), OrderStatus.ACCEPTED)])


def test_an_order_stays_open_until_its_reported_fills_are_booked(desk: Desk):
    order_id = desk.order(approved())
    desk.book.journal.record_updates(desk.lease, [update(order_id, OrderStatus.FILLED, filled="10")])
    assert [order.status for order in desk.book.journal.open_orders()] == [OrderStatus.FILLED]

    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "10")])

    assert desk.book.journal.open_orders() == ()


def test_the_end_of_an_order_is_news_though_its_fills_are_booked(desk: Desk):
    order_id = desk.order(approved())
    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "10")])
    end = update(order_id, OrderStatus.FILLED, filled="10")

    assert desk.book.journal.record_updates(desk.lease, [end]) == (end,)
    assert desk.book.journal.open_orders() == ()


def test_an_order_with_a_fill_is_never_sent_again(desk: Desk):
    order_id = desk.order(approved())
    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "4")])

    with pytest.raises(StateError, match="the broker has it"):
        desk.book.journal.mark_sending(order_id, desk.lease)


def test_an_order_that_was_never_sent_expires_with_a_reason(desk: Desk):
    desk.begin()
    (wanted,) = desk.decide(approved())

    for _ in range(2):
        desk.book.journal.expire_unsent(wanted.client_order_id, desk.lease, "its day is over")

    assert desk.rows("SELECT status, reason FROM v_orders") == [("expired_unsent", "its day is over")]
    assert desk.book.journal.open_orders() == ()


def test_an_order_does_not_expire_unsent_when_it_was_sent_too_lately(desk: Desk):
    order_id = desk.order(approved())

    assert not desk.book.journal.expire_unsent(order_id, desk.lease, "lost", sent_before=NOON)
    assert desk.rows("SELECT status, reason FROM v_orders") == [("unknown", "")]
    assert desk.book.journal.expire_unsent(order_id, desk.lease, "lost", sent_before=NOON + timedelta(seconds=1))
    assert desk.rows("SELECT status, reason FROM v_orders") == [("expired_unsent", "lost")]


def test_an_order_that_was_never_sent_expires_however_new_it_is(desk: Desk):
    desk.begin()
    (wanted,) = desk.decide(approved())

    assert desk.book.journal.expire_unsent(
        wanted.client_order_id, desk.lease, "late", sent_before=NOON - timedelta(days=1)
    )


def test_an_order_the_broker_has_does_not_expire_unsent(desk: Desk):
    order_id = desk.order(approved())
    desk.book.journal.record_updates(desk.lease, [update(order_id, OrderStatus.ACCEPTED)])

    with pytest.raises(StateError, match="is accepted: the broker has it"):
        desk.book.journal.expire_unsent(order_id, desk.lease, "too late")


def test_open_orders_are_those_of_every_cycle_oldest_first(desk: Desk):
    first = desk.order(approved(), "monday")
    desk.clock.sleep(60)
    second = desk.order(approved(), "a-later-one")

    assert [order.intent.client_order_id for order in desk.book.journal.open_orders()] == [first, second]


@given(value=st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e20", max_value="1e20"))
def test_a_decimal_s_text_is_plain_digits_of_the_same_value(value: Decimal):
    text = DecimalText().process_bind_param(value, sqlite.dialect())

    assert text is not None
    assert Decimal(text) == value
    assert "E" not in text
