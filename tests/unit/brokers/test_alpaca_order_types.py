"""Every type and class of order that Alpaca has, sent by the adapter to a sandbox whose price moves.

A share costs 10 dollars on Monday. On Tuesday it goes straight from 10 to 13, on Wednesday from 13 to 7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.unit.brokers.exchanges import DAYS, evening
from tests.unit.brokers.sandboxes import connect, flat_bars, sandbox_of
from trading_bot.alpaca.ticket import Class, Ticket, Times
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OrderStatus, OrderType, OrderUpdate, Side
from trading_bot.sandbox.documents import order_document
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.server import Sandbox

AAA, MINE = Symbol("AAA"), ClientOrderId("mine")
DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "trading-api.json"
ELEVEN, NINE = Decimal("11.00"), Decimal("9.00")


@dataclass
class Stand:
    """The adapter, the sandbox and the hand that turns its clock."""

    broker: AlpacaBroker
    sandbox: Sandbox

    def at(self, day: int, share: float) -> datetime:
        """Turn the clock to a part of a day's session, 0 is its open, and let what trades there trade."""
        close = evening(DAYS[day])
        opens = close.replace(hour=14, minute=30)
        now = opens + (close - opens) * share
        self.sandbox.clock.turn_to(now)
        self.sandbox.exchange.orders()
        return now

    def place(self, day: int, share: float, **terms: Any) -> OrderUpdate:
        wanted = Ticket(**{"client_order_id": MINE, "symbol": AAA, "side": Side.BUY, "quantity": Decimal(10), **terms})
        return self.broker.place(wanted, at=self.at(day, share))

    def hold(self) -> None:
        """Buy ten shares at Tuesday's open."""
        self.place(1, 0, client_order_id=ClientOrderId("held"))
        self.at(1, 0.01)
        assert self.held() == 10

    def held(self) -> Decimal:
        return self.broker.get_portfolio().held(AAA)

    def stands(self, name: ClientOrderId = MINE) -> tuple[str, Decimal]:
        """Return an order's status and the price of what filled."""
        order = self.broker.find(name)
        assert order is not None
        fills = self.broker.fills([name])
        return order.status.value, fills[0].price if fills else Decimal(0)

    def at_broker(self) -> list[tuple[str, str, Decimal | None]]:
        """Return type, status and stop of every order after the first, and check each against the document."""
        orders = self.sandbox.exchange.orders()
        for order in orders:
            assert invalid(order_document(order, legs=self.sandbox.exchange.legs(order))) == []
        return [(order.type, order.status, order.stop_price) for order in orders[1:]]


def invalid(document: dict[str, Any]) -> list[str]:
    components = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]
    validator = Draft202012Validator({"$ref": "#/components/schemas/Order", "components": components})
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


@pytest.fixture
def stand() -> Iterator[Stand]:
    bars = flat_bars("AAA")
    opens, closes = (np.array([[price] for price in prices]) for prices in ((10, 10, 13, 7, 7), (10, 13, 7, 7, 7)))
    bars = replace(bars, open=opens * 1.0, close=closes * 1.0)
    with sandbox_of(bars, SandboxClock(evening(DAYS[0]))) as sandbox:
        broker = connect(sandbox)
        yield Stand(broker, sandbox)
        broker.close()


def test_a_stop_order_to_buy_waits_for_its_price(stand: Stand):
    answer = stand.place(1, 0.1, type=OrderType.STOP, stop_price=ELEVEN)
    assert (answer.status, answer.type, answer.stop_price) == (OrderStatus.ACCEPTED, OrderType.STOP, ELEVEN)

    stand.at(1, 0.3)  # 10.90
    assert stand.stands() == ("accepted", 0)
    stand.at(1, 0.4)  # 11.20
    assert stand.stands() == ("filled", Decimal("11.20"))


def test_a_stop_limit_order_waits_for_its_stop_and_then_for_its_limit(stand: Stand):
    stand.place(1, 0.1, type=OrderType.STOP_LIMIT, stop_price=ELEVEN, limit_price=ELEVEN, time_in_force=Times.GTC)
    stand.at(1, 0.5)  # 11.50: the stop is reached, and the limit is not
    assert stand.stands() == ("accepted", 0)
    stand.at(2, 0.4)  # 10.60
    assert stand.stands() == ("filled", Decimal("10.60"))


@pytest.mark.parametrize("trail", [{"trail_price": Decimal("1.30")}, {"trail_percent": Decimal(10)}])
def test_a_trailing_stop_follows_the_price_up_and_not_down(stand: Stand, trail: dict[str, Decimal]):
    stand.hold()
    stand.place(1, 0.1, side=Side.SELL, type=OrderType.TRAILING_STOP, time_in_force=Times.GTC, **trail)
    stand.at(1, 0.999999)  # 13.00
    (order,) = stand.at_broker()
    assert (order[0], order[1], f"{order[2]:.2f}") == ("trailing_stop", "accepted", "11.70")

    stand.at(2, 0.1)  # 12.40
    stand.at(2, 0.25)  # 11.50
    assert stand.stands() == ("filled", Decimal("11.50"))


def test_a_bracket_has_its_exits_once_it_has_filled_and_the_end_of_one_is_the_end_of_the_other(stand: Stand):
    exits = {"take_profit": Decimal("12.00"), "stop_loss": NINE}
    stand.place(0, 1, order_class=Class.BRACKET, time_in_force=Times.GTC, **exits)
    assert stand.at_broker() == [("limit", "held", None), ("stop", "held", NINE)]

    stand.at(1, 0)
    assert (stand.held(), stand.at_broker()) == (10, [("limit", "new", None), ("stop", "new", NINE)])
    stand.at(1, 0.7)  # 12.10
    assert (stand.held(), stand.at_broker()) == (0, [("limit", "filled", None), ("stop", "canceled", NINE)])


def test_a_bracket_that_is_cancelled_takes_its_exits_with_it(stand: Stand):
    stand.place(0, 1, order_class=Class.BRACKET, take_profit=ELEVEN, stop_loss=NINE)

    assert stand.broker.cancel(MINE, at=evening(DAYS[0])).status is OrderStatus.CANCELED
    assert stand.at_broker() == [("limit", "canceled", None), ("stop", "canceled", NINE)]


def test_an_oto_order_has_one_exit(stand: Stand):
    stand.place(0, 1, order_class=Class.OTO, time_in_force=Times.GTC, stop_loss=NINE, stop_loss_limit=Decimal("8.50"))
    stand.at(1, 0)

    assert stand.at_broker() == [("stop_limit", "new", NINE)]


def test_an_oco_order_guards_the_same_shares_twice_and_sells_them_once(stand: Stand):
    stand.hold()
    exits = {"take_profit": Decimal("14.00"), "stop_loss": NINE}
    terms = {"side": Side.SELL, "type": OrderType.LIMIT, "order_class": Class.OCO, "time_in_force": Times.GTC}
    answer = stand.place(1, 0.1, **terms, **exits)
    assert (answer.status, answer.limit_price) == (OrderStatus.ACCEPTED, Decimal("14.00"))

    stand.at(2, 0.8)  # 8.20
    assert (stand.held(), stand.at_broker()) == (0, [("limit", "canceled", None), ("stop", "filled", NINE)])


@pytest.mark.parametrize(("times", "price"), [(Times.OPG, "10.00"), (Times.CLS, "13.00")])
def test_an_order_for_an_auction_fills_in_it(stand: Stand, times: Times, price: str):
    night = evening(DAYS[1]).replace(hour=5)  # midnight in New York
    stand.sandbox.clock.turn_to(night)
    wanted = Ticket(client_order_id=MINE, symbol=AAA, side=Side.BUY, quantity=Decimal(10), time_in_force=times)
    stand.broker.place(wanted, at=night)
    stand.at(1, 1)

    assert stand.stands() == ("filled", Decimal(price))


@pytest.mark.parametrize("times", [Times.IOC, Times.FOK])
def test_an_order_that_trades_at_once_or_not_at_all(stand: Stand, times: Times):
    terms = {"type": OrderType.LIMIT, "time_in_force": times}
    assert stand.place(1, 0.5, limit_price=ELEVEN, **terms).status is OrderStatus.CANCELED  # it costs 11.50
    later = ClientOrderId("later")
    stand.place(1, 0.5, client_order_id=later, limit_price=Decimal("12.00"), **terms)

    assert stand.stands(later) == ("filled", Decimal("11.50"))


def test_a_limit_order_for_extended_hours_fills_after_the_close(stand: Stand):
    late = evening(DAYS[1]).replace(hour=22)
    stand.sandbox.clock.turn_to(late)
    terms = {"type": OrderType.LIMIT, "limit_price": Decimal("13.00"), "symbol": AAA, "side": Side.BUY}
    for name, extended in (("patient", False), ("early", True)):
        wanted = Ticket(
            client_order_id=ClientOrderId(name),
            quantity=Decimal(10),
            extended_hours=extended,
            **terms,  # pyright: ignore[reportArgumentType]
        )
        stand.broker.place(wanted, at=late)

    assert stand.stands(ClientOrderId("early")) == ("filled", Decimal("13.00"))
    assert stand.stands(ClientOrderId("patient")) == ("accepted", 0)


def test_dollars_buy_parts_of_a_share(stand: Stand):
    answer = stand.place(1, 0.5, quantity=None, notional=Decimal("100.00"))
    stand.at(1, 0.5)
    (fill,) = stand.broker.fills([MINE])

    assert (answer.status, answer.quantity) == (OrderStatus.ACCEPTED, 0)
    assert (fill.quantity, fill.price) == (Decimal("8.695652173"), Decimal("11.50"))
    assert stand.at_broker() == []


def test_what_is_wrong_is_said_here_and_nothing_is_sent(stand: Stand):
    answer = stand.place(1, 0.5, order_class=Class.BRACKET, take_profit=ELEVEN)

    assert (answer.status, answer.reason) == (
        OrderStatus.REJECTED,
        "a bracket order has take_profit and stop_loss, both",
    )
    assert stand.sandbox.sent("POST", "/v2/orders") == 0
