from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.state.books import FRIDAY, MONDAY, TUESDAY, WEDNESDAY, Desk, approved, fill, open_desk, signal, update
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.orders import ClientOrderId, OrderStatus, Side
from trading_bot.domain.portfolio import EquityPoint, Position
from trading_bot.state import check_ledger

AAPL = Symbol("AAPL")
BUY, SELL = Side.BUY, Side.SELL


def held(desk: Desk) -> tuple[Decimal, Decimal]:
    position = desk.book.ledger.portfolio().positions.get(AAPL, Position(AAPL, Decimal(0), Decimal(0)))
    return position.quantity, position.average_price


def test_a_fill_moves_shares_and_cash_to_the_cent(desk: Desk):
    desk.trade(BUY, "3", "33.333", session=MONDAY, fee="0.35")

    assert held(desk) == (3, Decimal("33.333"))
    assert desk.book.ledger.portfolio().cash == Decimal("9899.65")  # 10,000 - 100.00 - 0.35


def test_fault_19_a_fill_reported_twice_is_booked_once(desk: Desk):
    done = desk.trade(BUY, "10", "100", session=MONDAY)

    assert desk.book.ledger.book_fills(desk.lease, [done, done]) == ()
    assert desk.book.ledger.portfolio().cash == 9_000


def test_only_new_fills_are_returned(desk: Desk):
    order_id = desk.order(approved("10"))
    first, second = fill(order_id, "4"), fill(order_id, "6")
    desk.book.ledger.book_fills(desk.lease, [first])

    assert desk.book.ledger.book_fills(desk.lease, [first, second]) == (second,)


def test_an_execution_that_comes_back_changed_is_an_error(desk: Desk):
    order_id = desk.order(approved("10"))
    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "4", execution_id="E1")])

    with pytest.raises(StateError, match="Execution E1 is booked already, with other content"):
        desk.book.ledger.book_fills(desk.lease, [fill(order_id, "5", execution_id="E1")])


def test_a_fill_for_an_unknown_order_names_it_and_books_nothing(desk: Desk):
    order_id = desk.order(approved("10"))

    with pytest.raises(StateError, match="is for order bb-made-up, which is not in the book"):
        desk.book.ledger.book_fills(desk.lease, [fill(order_id), fill(ClientOrderId("bb-made-up"))])

    assert held(desk) == (0, 0)


def test_more_shares_than_ordered_are_refused(desk: Desk):
    order_id = desk.order(approved("10"))

    with pytest.raises(StateError, match=r"11 in all\) does not fit"):
        desk.book.ledger.book_fills(desk.lease, [fill(order_id, "6"), fill(order_id, "5")])


def test_a_fill_of_another_symbol_than_ordered_is_refused(desk: Desk):
    order_id = desk.order(approved("10"))

    with pytest.raises(StateError, match="does not fit"):
        desk.book.ledger.book_fills(desk.lease, [fill(order_id, symbol="IBM")])


def test_fault_17_a_partial_fill_then_a_cancel_leaves_what_was_filled(desk: Desk):
    order_id = desk.order(approved("10"))
    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "4")])
    desk.book.journal.record_updates(desk.lease, [update(order_id, OrderStatus.CANCELED, filled="4")])

    assert held(desk) == (4, 100)
    assert desk.book.journal.open_orders() == ()


def test_fault_21_a_fill_after_the_cancel_is_booked(desk: Desk):
    order_id = desk.order(approved("10"))
    desk.book.journal.record_updates(desk.lease, [update(order_id, OrderStatus.CANCELED)])

    desk.book.ledger.book_fills(desk.lease, [fill(order_id, "4")])

    assert held(desk) == (4, 100)
    assert check_ledger(desk.book.engine) == ()


AVERAGES = [
    # trades, shares held, average price: worked out by hand
    ([(BUY, "10", "100"), (BUY, "30", "120")], 40, "115"),
    ([(BUY, "10", "100"), (SELL, "4", "150")], 6, "100"),
    ([(BUY, "10", "100"), (SELL, "10", "150")], 0, "0"),
    ([(BUY, "10", "100"), (SELL, "25", "150")], -15, "150"),
    ([(SELL, "10", "100"), (SELL, "10", "110")], -20, "105"),
    ([(SELL, "10", "100"), (BUY, "4", "90")], -6, "100"),
    ([(SELL, "10", "100"), (BUY, "12", "90")], 2, "90"),
    ([(BUY, "10", "100"), (SELL, "10", "150"), (BUY, "5", "80")], 5, "80"),
]


@pytest.mark.parametrize(("trades", "quantity", "average"), AVERAGES)
def test_positions_are_kept_at_average_cost(
    desk: Desk, trades: list[tuple[Side, str, str]], quantity: int, average: str
):
    for side, shares, price in trades:
        desk.trade(side, shares, price, session=MONDAY)

    assert held(desk) == (quantity, Decimal(average))
    assert check_ledger(desk.book.engine) == ()


def test_a_closed_position_is_not_listed(desk: Desk):
    desk.trade(BUY, "10", "100", session=MONDAY)
    desk.trade(SELL, "10", "101", session=TUESDAY)

    assert desk.book.ledger.portfolio().positions == {}
    assert desk.rows("SELECT * FROM v_positions") == []


def split(ratio: str, session: date = TUESDAY) -> Split:
    return Split(AAPL, session, Decimal(ratio))


def test_fault_36_a_split_keeps_what_the_position_cost_and_pays_the_rest_in_cash(desk: Desk):
    desk.trade(BUY, "7", "100", session=MONDAY)

    assert desk.book.ledger.apply_splits(desk.lease, [(split("1.5"), Decimal(70))]) == (split("1.5"),)

    assert held(desk) == (10, Decimal(100) / Decimal("1.5"))
    assert desk.book.ledger.portfolio().cash == Decimal("9335.00")  # 10,000 - 700 + half a share at 70
    assert desk.rows("SELECT symbol, session, quantity, remainder, cash FROM corporate_actions") == [
        ("AAPL", "2024-01-09", "7", "0.5", "35.00")
    ]


def test_a_reverse_split_of_a_short_position_takes_cash_for_the_rest(desk: Desk):
    desk.trade(SELL, "25", "10", session=MONDAY)

    desk.book.ledger.apply_splits(desk.lease, [(split("0.1"), Decimal(100))])

    assert held(desk) == (-2, 100)
    assert desk.book.ledger.portfolio().cash == Decimal("10200.00")  # 10,000 + 250 - half a share at 100


def test_a_split_is_applied_once(desk: Desk):
    desk.trade(BUY, "10", "100", session=MONDAY)
    desk.book.ledger.apply_splits(desk.lease, [(split("2"), Decimal(50)), (split("2"), Decimal(50))])

    assert desk.book.ledger.apply_splits(desk.lease, [(split("2"), Decimal(50))]) == ()
    assert held(desk) == (20, 50)


def test_shares_bought_on_the_day_of_the_split_are_new_ones(desk: Desk):
    desk.trade(BUY, "10", "50", session=TUESDAY)

    assert desk.book.ledger.apply_splits(desk.lease, [(split("2"), Decimal(50))]) == ()
    assert held(desk) == (10, 50)


def test_a_split_booked_late_multiplies_only_what_was_held_before(desk: Desk):
    desk.trade(BUY, "10", "100", session=MONDAY)
    desk.trade(SELL, "15", "52", session=WEDNESDAY)  # of the 20 new shares

    desk.book.ledger.apply_splits(desk.lease, [(split("2"), Decimal(50))])

    assert held(desk) == (5, 50)
    assert check_ledger(desk.book.engine) == ()


def test_a_split_of_shares_sold_before_it_changes_nothing(desk: Desk):
    desk.trade(BUY, "10", "100", session=FRIDAY)
    desk.trade(SELL, "10", "100", session=MONDAY)
    desk.trade(BUY, "3", "50", session=WEDNESDAY)

    assert desk.book.ledger.apply_splits(desk.lease, [(split("2"), Decimal(50))]) == ()
    assert held(desk) == (3, 50)


def test_a_fill_that_arrives_after_the_split_it_preceded_is_multiplied(desk: Desk):
    desk.trade(BUY, "10", "100", session=MONDAY)
    desk.book.ledger.apply_splits(desk.lease, [(split("2"), Decimal(50))])

    desk.trade(BUY, "5", "100", session=MONDAY)

    assert held(desk) == (30, 50)
    assert check_ledger(desk.book.engine) == ()


def test_the_equity_of_a_session_is_overwritten_not_doubled(desk: Desk):
    for equity in ("10100", "10200"):
        desk.book.ledger.mark_equity(desk.lease, EquityPoint(MONDAY, Decimal(10_000), Decimal(equity)), "monday")

    assert desk.book.ledger.equity_curve() == (EquityPoint(MONDAY, Decimal(10_000), Decimal(10_200)),)


def test_the_newest_equity_points_come_oldest_first(desk: Desk):
    points = [EquityPoint(day, Decimal(10_000), Decimal(10_000)) for day in (FRIDAY, MONDAY, TUESDAY)]
    for point in points:
        desk.book.ledger.mark_equity(desk.lease, point, "c")

    assert desk.book.ledger.equity_curve(limit=2) == (points[1], points[2])


def test_equity_that_counts_other_cash_than_the_book_is_refused(desk: Desk):
    with pytest.raises(StateError, match=r"counts 9999 dollars in cash; the book has 10000\.00"):
        desk.book.ledger.mark_equity(desk.lease, EquityPoint(MONDAY, Decimal(9_999), Decimal(9_999)), "c")


TRADE = st.tuples(
    st.sampled_from([BUY, SELL]),
    st.decimals(min_value="0.001", max_value="500", places=3),
    st.decimals(min_value="0.01", max_value="900", places=4),
    st.sampled_from([FRIDAY, MONDAY, TUESDAY, WEDNESDAY]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trades=st.lists(TRADE, min_size=1, max_size=8), ratio=st.sampled_from(["2", "1.5", "0.1", "0.3"]))
def test_any_trades_and_splits_in_any_order_leave_a_sound_book(
    tmp_path_factory: pytest.TempPathFactory,
    empty_book: Path,
    trades: list[tuple[Side, Decimal, Decimal, date]],
    ratio: str,
):
    path = tmp_path_factory.mktemp("walk") / "book.db"
    shutil.copy(empty_book, path)
    with open_desk(path) as desk:
        for number, (side, quantity, price, session) in enumerate(trades):
            order_id = desk.order(approved(str(quantity), signal(side=side)), f"cycle-{number}")
            desk.book.ledger.book_fills(
                desk.lease, [fill(order_id, str(quantity), str(price), side=side, session=session)]
            )
            if number == len(trades) // 2:
                desk.book.ledger.apply_splits(desk.lease, [(split(ratio), Decimal("33.33"))])
        assert check_ledger(desk.book.engine) == ()


def test_a_position_that_is_bought_again_begins_anew(desk: Desk):
    desk.trade(BUY, "3", "100", session=FRIDAY)
    desk.trade(SELL, "3", "100", session=MONDAY)
    desk.trade(BUY, "1", "100", session=TUESDAY)
    desk.trade(BUY, "1", "100", session=WEDNESDAY)

    assert desk.book.ledger.portfolio().positions[AAPL].opened == TUESDAY
