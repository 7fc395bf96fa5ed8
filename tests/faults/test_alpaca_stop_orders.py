"""Stop orders that rest at Alpaca: never doubled, never in the way, and booked like every fill.

Apple closed at 180.43 dollars on 3 January 2022, at 178.14 on the 4th and at 173.41 on the 5th.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.alpaca_trading import Trading, trading_at_alpaca
from trading_bot.alpaca.ticket import Class, Ticket
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.core.flatten import FlattenRequest, flatten
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, Side
from trading_bot.sandbox.faults import on_orders, refused

ORDERS = "/v2/orders"
WEDNESDAY = datetime(2022, 1, 5, 15, 0, tzinfo=UTC)
GUARD = "bb-20220103T150200Z-AAPL-sell-stop"


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Trading]:
    risk = {"protective_orders": "broker", "position_stop_pct": "0.03", "cooldown_sessions": 0}
    with trading_at_alpaca(tmp_path / "state", risk=risk) as opened:
        yield opened


def guarded(trading: Trading) -> Trading:
    """Buy 27 shares of Apple in one cycle, and give them their stop order in the next."""
    trading.wants("AAPL").cycle()
    trading.cycle()
    return trading


def sales(trading: Trading) -> list[tuple[str, str, Decimal]]:
    return [(o.type, o.status, o.quantity) for o in trading.at_broker() if o.side.value == "sell"]


def test_the_cycle_after_the_fill_leaves_one_stop_order_good_till_cancelled_and_no_later_one_another(trading: Trading):
    report = guarded(trading).cycle()
    (guard,) = [order for order in trading.at_broker() if order.type == "stop"]

    assert (guard.client_order_id, guard.status, guard.time_in_force) == (GUARD, "accepted", "gtc")
    assert (guard.quantity, guard.stop_price) == (27, Decimal("175.01"))  # 180.43 x 0.97 = 175.0171
    assert report.decisions == ()
    assert trading.sandbox.sent("POST", ORDERS) == 2


def test_what_it_sells_while_no_cycle_runs_is_booked_once_and_as_a_stop(trading: Trading):
    guarded(trading)
    trading.wants().clock.instant = WEDNESDAY
    report = trading.cycle()

    assert [(fill.client_order_id, fill.quantity, fill.price) for fill in report.fills] == [
        (GUARD, 27, Decimal("173.41"))
    ]
    assert (trading.held(), report.decisions, report.warnings) == (0, (), ())
    purpose = "SELECT purpose, strategy FROM signals WHERE stop_price = '175.01'"
    assert trading.desk.rows(purpose) == [("stop", "position_stop")]


def test_it_is_cancelled_before_its_shares_are_sold_otherwise(trading: Trading):
    guarded(trading).wants().cycle()

    assert sales(trading) == [("stop", "canceled", 27), ("market", "filled", 27)]
    assert trading.cycle().fills == ()
    assert trading.held() == 0


def test_it_is_cancelled_when_the_owner_closes_the_position(trading: Trading):
    guarded(trading)
    flatten(trading.bot, FlattenRequest(because="I say so", who="owner"), run_id="flatten")

    assert sales(trading) == [("stop", "canceled", 27), ("market", "filled", 27)]


def test_fault_21_a_stop_order_that_fills_while_it_is_cancelled_wins_and_nothing_is_sold_twice(trading: Trading):
    guarded(trading).behave(slow_cancel=True)
    trading.clock.sleep = lambda _seconds: trading.exchange.orders()[1].is_open and trading.exchange.fill(GUARD)  # type: ignore[method-assign]
    trading.wants().cycle()

    assert sales(trading) == [("stop", "filled", 27)]
    trading.cycle()
    assert trading.held() == 0
    ends = "SELECT type, status FROM intents JOIN orders USING (client_order_id) WHERE side = 'sell' ORDER BY cycle_id"
    assert trading.desk.rows(ends) == [("stop", "filled"), ("market", "expired_unsent")]


def test_fault_25_where_both_exits_fill_the_opposite_position_is_bought_back_and_told(trading: Trading):
    guarded(trading).behave(both_exits=True)
    trading.wants().cycle()
    assert sales(trading) == [("stop", "canceled", 27), ("market", "filled", 27)]
    trading.clock.instant += timedelta(seconds=1)
    trading.exchange.fill(GUARD)  # it had filled before the cancel came
    assert trading.exchange.holdings()["AAPL"].quantity == -27

    report = trading.cycle()
    assert report.warnings == ("27 shares of AAPL more were sold than were held: they are bought back",)
    assert trading.notices.told("Sold twice")[0] == "error"
    (decision,) = report.decisions
    assert (decision.signal.strategy, decision.signal.purpose, decision.quantity) == ("oversold", "exit", 27)
    assert (trading.held(), dict(trading.exchange.holdings()), trading.state()) == (0, {}, "active")
    assert trading.cycle().decisions == ()
    assert trading.notices.titles().count("Sold twice") == 1


def test_fault_25_what_was_sold_twice_is_bought_back_while_only_exits_are_let_through(trading: Trading):
    guarded(trading).behave(both_exits=True)
    trading.wants().cycle()
    trading.clock.instant += timedelta(seconds=1)
    trading.exchange.fill(GUARD)
    trading.bot.book.control.set_state(TradingState.REDUCING, cause="test", who="owner")
    trading.wants("AAPL").cycle()

    assert (trading.held(), dict(trading.exchange.holdings())) == (0, {})


def test_fault_25_a_bracket_of_somebody_else_that_sold_twice_stops_entries_and_is_told(trading: Trading):
    trading.wants().cycle()
    trading.behave(both_exits=True, hold_fills=True)
    exits: dict[str, Any] = {"take_profit": Decimal(200), "stop_loss": Decimal(150)}
    name, symbol = ClientOrderId("theirs"), Symbol("AAPL")
    ticket = Ticket(
        client_order_id=name, symbol=symbol, side=Side.BUY, quantity=Decimal(5), order_class=Class.BRACKET, **exits
    )
    cast("AlpacaBroker", trading.bot.broker).place(ticket, at=trading.clock.now())
    entry, *legs = trading.at_broker()
    for order in (entry, *legs):
        trading.clock.instant += timedelta(seconds=1)
        trading.exchange.fill(order.client_order_id)
    trading.behave(hold_fills=False)
    report = trading.wants("MSFT").cycle()

    assert "AAPL: 0 shares in our book, -5 at the broker" in report.warnings[0]
    assert "AAPL: 0 shares in our book, -5 at the broker" in trading.notices.told("Books differ")[1]
    assert (trading.state(), trading.held("MSFT")) == ("reducing", 0)
    trading.exchange.submit({"symbol": "AAPL", "qty": "5", "side": "buy", "type": "market", "time_in_force": "day"})
    trading.cycle()


def test_where_its_end_is_not_confirmed_nothing_else_is_sold_until_it_is(trading: Trading):
    guarded(trading).behave(slow_cancel=True)
    trading.wants().cycle()
    assert sales(trading) == [("stop", "pending_cancel", 27)]

    trading.exchange.finish_cancelling()
    trading.cycle()
    assert sales(trading) == [("stop", "canceled", 27), ("market", "filled", 27)]


def test_fault_4_a_stop_order_without_a_clear_answer_is_asked_for_and_not_sent_again(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.sandbox.faults.add(on_orders(drop=True, carried_out=True))
    trading.cycle()
    trading.cycle()

    assert sales(trading) == [("stop", "accepted", 27)]
    assert trading.sandbox.sent("POST", ORDERS) == 2


def test_fault_24_a_stop_order_that_is_refused_is_told_and_tried_again_in_the_next_cycle(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.sandbox.faults.add(refused(403, 40310000, "not now", method="POST", path=ORDERS))
    report = trading.cycle()
    assert [(order.status, order.reason) for order in report.orders] == [("rejected", "not now")]
    assert any("not now" in notice for *_, notice in trading.notices.sent)

    trading.cycle()
    assert sales(trading) == [("stop", "accepted", 27)]


def test_fault_24_a_stop_order_that_is_held_gets_no_twin_and_where_it_does_not_sell_the_cycle_does(trading: Trading):
    guarded(trading).behave(status="held", hold_fills=True)
    trading.cycle()
    assert [(kind, quantity) for kind, _, quantity in sales(trading)] == [("stop", 27)]

    trading.behave(status="")  # so that the end of its cancel is told
    trading.clock.instant = WEDNESDAY  # far below the stop, and nothing was sold
    trading.cycle()
    assert sales(trading) == [("stop", "canceled", 27), ("market", "accepted", 27)]


def test_fault_17_what_a_part_of_it_left_gets_a_stop_order_of_its_own_size(trading: Trading):
    guarded(trading).behave(hold_fills=True)
    trading.exchange.fill(GUARD, Decimal(7), Decimal("175.00"))
    trading.exchange.cancel(trading.at_broker()[-1].id)
    trading.cycle()

    assert trading.held() == 20
    assert sales(trading) == [("stop", "canceled", 27), ("stop", "accepted", 20)]


def test_fault_14_nothing_is_bought_against_it_and_the_larger_position_gets_a_larger_one(trading: Trading):
    trading.wish.share = 0.5
    guarded(trading)
    trading.wish.share = 1.0
    report = trading.cycle()
    trading.cycle()

    assert [(order.side, order.status) for order in report.orders] == [("buy", "filled")]
    assert [(kind, status) for kind, status, _ in sales(trading)] == [("stop", "canceled"), ("stop", "accepted")]
    assert trading.held() == sales(trading)[-1][2] > sales(trading)[0][2]


def test_halting_leaves_it_where_it_is(trading: Trading):
    guarded(trading)
    trading.bot.book.control.set_state(TradingState.HALTED, cause="test", who="owner")

    assert sales(trading) == [("stop", "accepted", 27)]
