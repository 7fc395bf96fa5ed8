from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from tests.unit.state.books import NOON, update
from trading_bot.domain.orders import ClientOrderId, OrderStatus
from trading_bot.state.transitions import MAY_FOLLOW, Standing, after_booking, after_update

ID = ClientOrderId("bb-1")
FINAL = [status for status in OrderStatus if status.is_final]
THE_BROKERS_WORD = [status for status in FINAL if status is not OrderStatus.EXPIRED_UNSENT]


def standing(status: OrderStatus, *, reported: str = "0", filled: str = "0", minute: int | None = None) -> Standing:
    at = None if minute is None else NOON + timedelta(minutes=minute)
    return Standing(status, Decimal(filled), Decimal(reported), "B1", "", at)


def test_every_status_has_its_row_in_the_table():
    assert set(MAY_FOLLOW) == set(OrderStatus)


@pytest.mark.parametrize("old", THE_BROKERS_WORD)
@pytest.mark.parametrize("new", OrderStatus)
def test_a_final_status_is_never_left(old: OrderStatus, new: OrderStatus):
    before = standing(old, reported="10", minute=0)

    assert after_update(before, update(ID, new, filled="10", minute=5)) == before


@pytest.mark.parametrize("new", [OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED])
def test_an_order_that_was_given_up_is_what_the_broker_says_when_it_came_late(new: OrderStatus):
    given_up = replace(standing(OrderStatus.EXPIRED_UNSENT), reason="never reached the broker")

    after = after_update(given_up, update(ID, new, filled="4", minute=5))

    assert (after.status, after.reported, after.settled, after.reason) == (new, 4, False, "")


def test_an_order_that_was_given_up_is_not_sent_again():
    assert MAY_FOLLOW[OrderStatus.EXPIRED_UNSENT].isdisjoint({OrderStatus.INTENDED, OrderStatus.UNKNOWN})


@pytest.mark.parametrize("old", [status for status in OrderStatus if not status.is_final])
def test_an_order_never_becomes_intended_again(old: OrderStatus):
    assert OrderStatus.INTENDED not in MAY_FOLLOW[old]


def test_shares_filled_never_shrink():
    before = standing(OrderStatus.PARTIALLY_FILLED, reported="6", minute=0)

    assert after_update(before, update(ID, OrderStatus.CANCELED, filled="4", minute=1)).reported == 6


def test_fault_16_a_status_nobody_knows_is_kept_open():
    after = after_update(standing(OrderStatus.ACCEPTED, minute=0), update(ID, OrderStatus.UNKNOWN, minute=1))

    assert after.status is OrderStatus.UNKNOWN
    assert not after.settled


def test_an_end_counts_even_when_its_time_is_old():
    before = standing(OrderStatus.ACCEPTED, minute=5)

    after = after_update(before, update(ID, OrderStatus.FILLED, filled="10", minute=1))

    assert (after.status, after.updated_at) == (OrderStatus.FILLED, before.updated_at)


def test_every_order_of_three_events_ends_filled():
    events = [
        update(ID, OrderStatus.ACCEPTED, minute=1),
        update(ID, OrderStatus.PARTIALLY_FILLED, filled="4", minute=2),
        update(ID, OrderStatus.FILLED, filled="10", minute=3),
    ]
    for shuffled in permutations(events):
        after = standing(OrderStatus.UNKNOWN)
        for event in shuffled:
            after = after_update(after, event)
        assert (after.status, after.reported) == (OrderStatus.FILLED, 10)


@pytest.mark.parametrize("status", [OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.CANCELED])
def test_a_fill_counts_shares_and_leaves_the_status_to_the_broker(status: OrderStatus):
    after = after_booking(standing(status, reported="3"), Decimal(4))

    assert (after.status, after.filled, after.reported) == (status, 4, 4)


def test_an_order_is_settled_when_it_ended_and_its_shares_are_booked():
    assert standing(OrderStatus.CANCELED, reported="4", filled="4").settled
    assert not standing(OrderStatus.CANCELED, reported="4", filled="3").settled
    assert not standing(OrderStatus.PARTIALLY_FILLED, reported="4", filled="4").settled
