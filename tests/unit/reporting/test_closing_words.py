from __future__ import annotations

from tests.unit.reporting.cycle_reports import cycle_report, order, refused
from trading_bot.domain.orders import OrderStatus, Side
from trading_bot.reporting.closing import closing_in_words


def test_what_was_sent_is_named():
    orders = (order("AAPL", 9, side=Side.SELL), order("AMD", 22, side=Side.SELL))

    assert closing_in_words(cycle_report(orders=orders)) == "2 orders to close positions: sell 9 AAPL, sell 22 AMD."


def test_what_was_refused_is_named_with_its_reason():
    orders = (
        order("AAPL", 9, side=Side.SELL),
        order("AMD", 22, side=Side.SELL, status=OrderStatus.REJECTED, reason="it is halted"),
    )
    report = cycle_report(orders=orders, decisions=(refused("HD", rule="coverage", message="its price is unknown"),))

    assert closing_in_words(report) == (
        "1 order to close positions: sell 9 AAPL. Refused: sell 22 AMD (it is halted), HD (its price is unknown)."
    )


def test_nothing_is_said_to_be_on_its_way_where_nothing_was_held():
    report = cycle_report(warnings=("Nothing to close, because it is not held: MSFT",))

    assert closing_in_words(report) == "No order was sent. Nothing to close, because it is not held: MSFT."


def test_an_order_without_a_clear_answer_counts_as_sent_and_one_that_never_arrived_does_not():
    orders = (
        order("AAPL", 9, side=Side.SELL, status=OrderStatus.UNKNOWN),
        order("AMD", 22, side=Side.SELL, status=OrderStatus.EXPIRED_UNSENT),
    )

    assert closing_in_words(cycle_report(orders=orders)) == (
        "1 order to close positions: sell 9 AAPL. Refused: sell 22 AMD (expired_unsent)."
    )
