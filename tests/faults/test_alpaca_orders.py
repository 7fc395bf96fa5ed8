"""The life of orders at Alpaca: in parts, twice, late, cancelled, refused before they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.alpaca_trading import MORNING, Trading, trading_at_alpaca
from tests.unit.brokers.exchanges import buy, sell
from trading_bot.alpaca.ticket import Ticket, Times
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.listing import AssetStatus, Quote
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OrderStatus, OrderType, Side, TimeInForce
from trading_bot.domain.portfolio import Portfolio
from trading_bot.sandbox.faults import refused

ORDERS = "/v2/orders"
NAME = ClientOrderId("bb-20220103T150100Z-AAPL-buy-entry")


@dataclass
class Meanwhile:
    """A broker at which something happens before it says what is held."""

    real: Any
    happens: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def get_portfolio(self) -> Portfolio:
        self.happens()
        return self.real.get_portfolio()


def fill_once(trading: Trading) -> None:
    if trading.at_broker()[0].is_open:
        trading.exchange.fill(NAME)


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Trading]:
    with trading_at_alpaca(tmp_path / "state") as opened:
        yield opened


def test_fault_13_a_refusal_by_a_rule_of_the_broker_is_written_down_and_not_tried_again_at_once(trading: Trading):
    message = "trade denied due to a limit of day trades set by the user"
    trading.sandbox.faults.add(refused(403, 40310100, message, method="POST", path=ORDERS))
    report = trading.wants("AAPL").cycle()

    assert [(order.status, order.reason) for order in report.orders] == [("rejected", message)]
    assert trading.sandbox.sent("POST", ORDERS) == 1
    assert trading.state() == "active"


@pytest.mark.parametrize(
    ("order", "limit"),
    [(buy(1, "AAPL", limit="99.999"), "99.99"), (buy(1, "AAPL", limit="0.99999"), "0.9999")],
)
def test_fault_15_a_limit_to_buy_is_rounded_down_to_the_tick(trading: Trading, order, limit: str):
    answer = trading.bot.broker.submit(order, at=trading.clock.now())

    assert (answer.status, answer.limit_price) == (OrderStatus.ACCEPTED, Decimal(limit))


def test_fault_15_a_limit_to_sell_is_rounded_up_to_the_tick(trading: Trading):
    trading.wants("AAPL").cycle()
    answer = trading.bot.broker.submit(sell(1, "AAPL", limit="999.991"), at=trading.clock.now())

    assert (answer.status, answer.limit_price) == (OrderStatus.ACCEPTED, Decimal("1000.00"))


def test_fault_17_what_filled_before_a_cancel_is_held_and_the_rest_is_not_sent_again_by_itself(trading: Trading):
    trading.behave(hold_fills=True)
    trading.wants("AAPL").cycle()
    trading.exchange.fill(NAME, Decimal(10))
    trading.bot.broker.cancel(NAME, at=trading.clock.now())
    trading.bot.book.control.set_state(TradingState.REDUCING, cause="to look on", who="owner")
    for _ in range(2):
        trading.cycle()

    assert trading.in_book() == {"AAPL buy": "canceled"}
    assert (trading.held(), len(trading.at_broker())) == (10, 1)


def test_fault_18_shares_that_filled_while_nobody_looked_are_adopted_by_execution_id(trading: Trading):
    trading.behave(hold_fills=True)
    trading.wants("AAPL").cycle()
    trading.exchange.fill(NAME, Decimal(10))
    trading.cycle()
    assert (trading.held(), trading.in_book()["AAPL buy"]) == (10, "partially_filled")

    trading.exchange.fill(NAME)
    trading.cycle()
    trading.cycle()
    assert (trading.held(), trading.in_book()["AAPL buy"]) == (27, "filled")
    executions = {execution.id for execution in trading.exchange.executions()}
    assert {row[0] for row in trading.desk.rows("SELECT execution_id FROM fills")} == executions


def test_fault_19_a_fill_that_is_reported_twice_is_booked_once(trading: Trading):
    trading.behave(fills_twice=True)
    report = trading.wants("AAPL").cycle()
    trading.cycle()

    assert trading.held() == 27
    assert [fill.quantity for fill in report.fills] == [27]


def test_fault_20_executions_in_any_order_come_to_the_same(trading: Trading):
    trading.behave(hold_fills=True, shuffled=True)
    trading.wants("AAPL").cycle()
    for price in ("180", "181", "182"):
        trading.clock.instant += timedelta(seconds=1)
        trading.exchange.fill(NAME, Decimal(9), Decimal(price))
    report = trading.cycle()

    assert [fill.price for fill in report.fills] == [180, 181, 182]
    assert (
        trading.bot.book.ledger.portfolio().cash == trading.exchange.cash() == Decimal(100_000) - 9 * (180 + 181 + 182)
    )


def test_fault_20_a_filled_order_whose_executions_come_later_is_asked_for_until_they_do(trading: Trading):
    trading.behave(late_executions=True)
    trading.wants("AAPL").cycle()
    assert (trading.held(), trading.in_book()["AAPL buy"]) == (0, "filled")

    report = trading.cycle()
    assert "AAPL: 0 shares in our book, 27 at the broker" in report.warnings[0]
    assert (trading.state(), len(trading.at_broker())) == ("active", 1)

    trading.behave(late_executions=False)
    trading.cycle()
    assert trading.held() == 27
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_20_shares_that_fill_between_two_questions_are_no_difference(trading: Trading):
    trading.behave(hold_fills=True)
    trading.wants("AAPL").cycle()
    trading.bot = replace(trading.bot, broker=Meanwhile(trading.bot.broker, lambda: fill_once(trading)))  # pyright: ignore[reportArgumentType]
    report = trading.cycle()

    assert (trading.held(), trading.state(), report.warnings) == (27, "active", ())


def test_fault_21_a_fill_after_the_request_to_cancel_wins(trading: Trading):
    trading.behave(hold_fills=True, slow_cancel=True)
    trading.wants("AAPL").cycle()
    answer = trading.bot.broker.cancel(NAME, at=trading.clock.now())
    assert answer.status is OrderStatus.ACCEPTED  # asked for is not done

    trading.exchange.fill(NAME)
    trading.cycle()
    assert (trading.held(), trading.in_book()["AAPL buy"]) == (27, "filled")


def test_fault_22_what_no_stream_told_is_seen_by_asking(trading: Trading):
    trading.behave(hold_fills=True)
    trading.wants("AAPL").cycle()
    trading.exchange.listeners.clear()  # nobody hears of it
    trading.exchange.fill(NAME)
    trading.cycle()

    assert trading.held() == 27


def test_fault_23_cancelling_a_filled_order_does_nothing(trading: Trading):
    trading.wants("AAPL").cycle()
    answer = trading.bot.broker.cancel(NAME, at=trading.clock.now())

    assert (answer.status, answer.filled) == (OrderStatus.FILLED, 27)
    assert trading.sandbox.sent("DELETE", f"{ORDERS}/{answer.broker_order_id}") == 0


def test_fault_23_an_order_that_fills_on_the_way_of_the_cancel_is_told_as_filled(trading: Trading):
    trading.behave(hold_fills=True)
    trading.wants("AAPL").cycle()
    broker_id = trading.at_broker()[0].id
    trading.sandbox.faults.add(
        refused(422, 42210000, "order is already in filled state", method="DELETE", path=f"{ORDERS}/{broker_id}")
    )
    trading.exchange.fill(NAME)

    assert trading.bot.broker.cancel(NAME, at=trading.clock.now()).status is OrderStatus.FILLED
    trading.cycle()


def test_fault_26_a_sale_of_more_than_is_held_is_not_sent(trading: Trading):
    trading.wants("AAPL").cycle()
    answer = trading.bot.broker.submit(sell(28, "AAPL"), at=trading.clock.now())

    assert answer.status is OrderStatus.REJECTED
    assert answer.reason == "insufficient holdings: 28 shares to sell, 27 available"
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_26_shares_that_another_sale_has_claimed_are_not_sold_again(trading: Trading):
    trading.wants("AAPL").cycle()
    trading.bot.broker.submit(sell(20, "AAPL", limit="999"), at=trading.clock.now())
    answer = trading.bot.broker.submit(sell(8, "AAPL"), at=trading.clock.now())

    assert answer.reason == "insufficient holdings: 8 shares to sell, 7 available"


def test_fault_26_the_same_sale_sent_again_is_the_sale_that_is_there(trading: Trading):
    trading.wants("AAPL").cycle()
    order = sell(27, "AAPL", limit="999")
    first, second = (trading.bot.broker.submit(order, at=trading.clock.now()) for _ in range(2))

    assert first == second
    assert first.status is OrderStatus.ACCEPTED


def test_fault_27_a_part_of_a_share_where_only_whole_ones_are_traded_is_refused_here(trading: Trading):
    trading.behave(whole_only=frozenset({"AAPL"}))
    answer = trading.bot.broker.submit(buy("1.5", "AAPL"), at=trading.clock.now())

    assert answer.reason == "AAPL is traded in whole shares only, not 1.5"
    assert trading.sandbox.sent("POST", ORDERS) == 0


def test_fault_27_a_part_of_a_share_is_ordered_for_the_day_only(trading: Trading):
    order = buy("1.5", "AAPL", limit="100", time_in_force=TimeInForce.GTC)
    answer = trading.bot.broker.submit(order, at=trading.clock.now())

    assert answer.reason == "parts of a share can be ordered for the day only, not good till cancelled"
    assert trading.sandbox.sent("POST", ORDERS) == 0


def test_fault_27_a_part_of_a_share_is_bought_where_it_can_be(trading: Trading):
    answer = trading.bot.broker.submit(buy("1.5", "AAPL", limit="100"), at=trading.clock.now())

    assert (answer.status, answer.quantity) == (OrderStatus.ACCEPTED, Decimal("1.5"))


def test_fault_28_nobody_goes_short_by_selling_what_is_not_held(trading: Trading):
    trading.behave(fields={"shorting_enabled": True})
    answer = trading.bot.broker.submit(sell(1, "AAPL"), at=trading.clock.now())

    assert answer.reason == "insufficient holdings: 1 shares to sell, 0 available"
    assert trading.sandbox.sent("POST", ORDERS) == 0


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (buy(1, "ZZZZ"), "ZZZZ is not known to the broker"),
        (buy(1, "MSFT"), "MSFT is not tradable at the broker"),
        (buy(1, "AAPL", name="x" * 129), "its name has 129 characters, at most 128 are taken"),
        (buy("0.0000000001", "AAPL"), "0.0000000001 shares has more than 9 decimals"),
        (buy(1, "AAPL", limit="-1"), "a limit of $-1 is no price"),
    ],
)
def test_what_the_broker_would_refuse_is_refused_here_with_its_own_words(trading: Trading, order, reason: str):
    trading.behave(untradable=frozenset({"MSFT"}))

    assert trading.bot.broker.submit(order, at=trading.clock.now()).reason == reason
    assert trading.sandbox.sent("POST", ORDERS) == 0


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({}, "this is a market order, day"),
        ({"type": OrderType.STOP, "stop_price": Decimal(200)}, "this is a stop order, day"),
        (
            {"type": OrderType.LIMIT, "limit_price": Decimal(180), "time_in_force": Times.IOC},
            "this is a limit order, ioc",
        ),
    ],
    ids=["market", "stop", "limit at once"],
)
def test_fault_29_outside_of_regular_hours_another_order_than_a_limit_is_refused_here(
    trading: Trading, terms: dict[str, Any], reason: str
):
    whole = {"client_order_id": NAME, "symbol": Symbol("AAPL"), "side": Side.BUY, "quantity": Decimal(1), **terms}
    early = MORNING - timedelta(hours=2)
    trading.clock.instant = early
    broker = cast("AlpacaBroker", trading.bot.broker)
    answer = broker.place(Ticket(**whole, extended_hours=True), at=early)

    assert answer.status is OrderStatus.REJECTED
    assert answer.reason == f"outside of regular hours only limit orders trade, day or gtc; {reason}"
    assert trading.sandbox.sent("POST", ORDERS) == 0

    right = {"type": OrderType.LIMIT, "limit_price": Decimal(1), "time_in_force": Times.DAY, "stop_price": None}
    assert broker.place(Ticket(**whole | right, extended_hours=True), at=early).status is OrderStatus.ACCEPTED


@pytest.mark.parametrize("minutes", [-31, 360, 600], ids=["before the open", "at the close", "in the evening"])
def test_fault_31_a_market_order_is_not_sent_while_the_market_is_closed(trading: Trading, minutes: int):
    at = MORNING + timedelta(minutes=minutes)
    trading.clock.instant = at
    answer = trading.bot.broker.submit(buy(1, "AAPL"), at=at)

    assert answer.status is OrderStatus.REJECTED
    assert "the market is closed" in answer.reason
    assert "broker.queue_for_open: true" in answer.reason
    assert trading.sandbox.sent("POST", ORDERS) == 0


def test_fault_31_a_market_order_waits_for_the_open_where_the_settings_say_so(tmp_path: Path):
    with trading_at_alpaca(tmp_path / "state", queue_for_open=True) as trading:
        trading.clock.instant = MORNING + timedelta(hours=5, minutes=59)
        trading.wants("AAPL").cycle()  # decided at the close
        assert trading.in_book() == {"AAPL buy": "accepted"}

        trading.cycle(after=timedelta(hours=18))
        assert (trading.held(), trading.in_book()) == (27, {"AAPL buy": "filled"})


def test_fault_31_an_order_that_was_sent_in_time_is_found_after_the_close(trading: Trading):
    trading.behave(hold_fills=True)
    first = trading.bot.broker.submit(buy(1, "AAPL"), at=trading.clock.now())

    assert trading.bot.broker.submit(buy(1, "AAPL"), at=MORNING + timedelta(hours=7)) == first


def test_what_the_broker_will_not_trade_is_refused_by_a_rule_before_it_is_an_order(trading: Trading):
    trading.behave(untradable=frozenset({"AAPL"}))
    report = trading.wants("AAPL").cycle()

    assert [decision.rule for decision in report.decisions] == ["asset_status"]
    assert report.orders == ()


def test_assets_are_asked_for_once_and_quotes_each_time(trading: Trading):
    broker, symbols = cast("AlpacaBroker", trading.bot.broker), (Symbol("AAPL"), Symbol("ZZZZ"))
    for _ in range(2):
        assert broker.assets(symbols) == {
            "AAPL": AssetStatus(tradable=True, fractionable=True),
            "ZZZZ": AssetStatus(tradable=False),
        }
        assert broker.quotes(symbols) == {"AAPL": Quote(Decimal("180.42"), Decimal("180.44"), trading.clock.now())}

    assert trading.sandbox.sent("GET", "/v2/assets/AAPL") == 1
    assert trading.sandbox.sent("GET", "/v2/stocks/quotes/latest") == 2
