from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.state.books import MONDAY, NOON, Desk, approved, fill, intent, update
from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import LeaseLost
from trading_bot.domain.orders import OrderStatus
from trading_bot.domain.portfolio import EquityPoint


def test_a_held_lease_is_granted_to_nobody_else(desk: Desk):
    assert desk.book.control.acquire_lease("them", ttl_seconds=60) is None


def test_a_lease_lasts_as_long_as_asked(desk: Desk):
    assert desk.lease.expires_at == NOON + timedelta(seconds=600)


def test_an_expired_lease_goes_to_the_next_with_a_higher_token(desk: Desk):
    desk.clock.sleep(600)

    taken = desk.book.control.acquire_lease("them", ttl_seconds=60)

    assert taken is not None
    assert taken.token == desk.lease.token + 1


def test_the_lease_of_a_dead_owner_is_taken_over_at_once(desk: Desk):
    taken = desk.book.control.acquire_lease("them", ttl_seconds=60, owner_is_dead=lambda owner: owner == "us")

    assert taken is not None
    assert desk.book.control.current_lease() == taken


def test_tokens_rise_for_ever_through_releases_and_restarts(desk: Desk):
    tokens = [desk.lease.token]
    for _ in range(5):
        desk.book.control.release_lease(desk.lease)
        taken = desk.book.control.acquire_lease("us", ttl_seconds=60)
        assert taken is not None
        desk.lease = taken
        tokens.append(taken.token)

    assert tokens == [1, 2, 3, 4, 5, 6]


def test_a_released_lease_is_nobody_s(desk: Desk):
    desk.book.control.release_lease(desk.lease)

    assert desk.book.control.current_lease() is None
    with pytest.raises(LeaseLost, match="given back"):
        desk.book.control.check_lease(desk.lease)


def test_an_old_owner_cannot_release_the_new_owner_s_lease(desk: Desk):
    taken = desk.book.control.acquire_lease("them", ttl_seconds=60, owner_is_dead=lambda _: True)

    desk.book.control.release_lease(desk.lease)

    assert desk.book.control.current_lease() == taken


def attempts(desk: Desk):
    """Every write of a trading process, each ready to be tried under any lease."""
    book, lease = desk.book, desk.lease
    order_id = desk.order(approved("10"))
    desk.begin("tuesday")
    other = approved("5")
    return {
        "begin": lambda: desk.begin("wednesday"),
        "complete": lambda: desk.complete("monday"),
        "commit_decisions": lambda: book.journal.commit_decisions(
            "tuesday", lease, decisions=[other], intents=[intent(other, "tuesday")], market_hash=""
        ),
        "mark_sending": lambda: book.journal.mark_sending(order_id, lease),
        "record_updates": lambda: book.journal.record_updates(lease, [update(order_id, OrderStatus.ACCEPTED)]),
        "expire_unsent": lambda: book.journal.expire_unsent(order_id, lease, "too late"),
        "book_fills": lambda: book.ledger.book_fills(lease, [fill(order_id)]),
        "apply_splits": lambda: book.ledger.apply_splits(lease, []),
        "mark_equity": lambda: book.ledger.mark_equity(
            lease, EquityPoint(MONDAY, book.ledger.portfolio().cash, book.ledger.portfolio().cash), "monday"
        ),
    }


WRITES = (
    "begin",
    "complete",
    "commit_decisions",
    "mark_sending",
    "record_updates",
    "expire_unsent",
    "book_fills",
    "apply_splits",
    "mark_equity",
)


@pytest.mark.parametrize("name", WRITES)
def test_fault_48_the_owner_of_an_expired_lease_cannot_write(desk: Desk, name: str):
    write = attempts(desk)[name]
    before = desk.rows("SELECT * FROM orders"), desk.rows("SELECT * FROM cycles")
    desk.clock.sleep(600)

    with pytest.raises(LeaseLost, match="Lease 1 of us ended at 2024-01-05 17:10:00 UTC"):
        write()

    assert (desk.rows("SELECT * FROM orders"), desk.rows("SELECT * FROM cycles")) == before


@pytest.mark.parametrize("name", WRITES)
def test_fault_58_the_token_of_an_orphan_is_void_once_another_holds_the_lease(desk: Desk, name: str):
    write = attempts(desk)[name]
    desk.book.control.acquire_lease("them", ttl_seconds=60, owner_is_dead=lambda _: True)

    with pytest.raises(LeaseLost, match="Lease 1 of us is void: them has lease 2"):
        write()


@pytest.mark.parametrize("name", WRITES)
def test_every_write_is_possible_under_a_living_lease(desk: Desk, name: str):
    attempts(desk)[name]()

    assert desk.book.control.current_lease() == desk.lease  # and it takes the lease from nobody


def test_a_forged_token_is_no_lease(desk: Desk):
    forged = Lease(desk.lease.token + 7, "them", NOON + timedelta(days=1))

    with pytest.raises(LeaseLost):
        desk.book.control.check_lease(forged)


def test_a_cycle_is_completed_with_its_coverage(desk: Desk):
    desk.begin()
    desk.complete()

    assert desk.rows("SELECT trend, volatility, regime, symbols_wanted, symbols_usable FROM cycles") == [
        ("rising", "calm", "The market rises calmly.", 20, 19)
    ]
