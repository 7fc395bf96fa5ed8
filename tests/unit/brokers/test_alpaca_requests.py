"""How often Alpaca is asked: many orders, positions and assets take few requests, for each costs a round trip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.brokers.exchanges import DAYS, evening
from tests.unit.brokers.sandboxes import connect, flat_bars, sandbox_of
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.core.settlement import where_they_stand
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.server import Sandbox

HELD = tuple(f"H{number:02}" for number in range(100))
OPEN = evening(DAYS[1]).replace(hour=15)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A broker with 100 positions and 500 orders that wait for their price."""
    clock = SandboxClock(OPEN)
    with sandbox_of(flat_bars("AAA", *HELD), clock, cash=1_000_000) as opened:
        for symbol in HELD:
            order(opened, symbol, f"held-{symbol}", type="market", time_in_force="day")
        opened.exchange.holdings()
        for number in range(500):
            order(opened, "AAA", f"open-{number}", type="limit", limit_price="5", time_in_force="gtc")
        yield opened


def order(sandbox: Sandbox, symbol: str, name: str, **terms: str) -> None:
    sandbox.exchange.submit({"symbol": symbol, "qty": "1", "side": "buy", "client_order_id": name, **terms})


@pytest.fixture
def broker(sandbox: Sandbox) -> Iterator[AlpacaBroker]:
    adapter = connect(sandbox)
    yield adapter
    adapter.close()


def test_500_open_orders_100_positions_and_the_cash_are_reconciled_with_four_requests(
    sandbox: Sandbox, broker: AlpacaBroker
):
    names = [ClientOrderId(f"open-{number}") for number in range(500)]

    answers = where_they_stand(broker, names)
    listed = broker.cash_activities(OPEN)
    portfolio = broker.get_portfolio()

    assert [answer.client_order_id for answer in answers if answer is not None] == names
    assert (listed, len(portfolio.positions)) == ((), 100)
    assert sorted(request.partition("?")[0] for request in sandbox.requests) == [
        "GET /v2/account",
        "GET /v2/account/activities",
        "GET /v2/orders",  # 500 is a full page, and holds all that is asked for
        "GET /v2/positions",
    ]

    sandbox.exchange.fill("open-7")
    filled = [answer for answer in where_they_stand(broker, names) if answer is None or answer.filled]
    assert filled == [broker.find(names[7])]  # it is not open any more, so it is asked for by name
    assert [fill.client_order_id for fill in broker.fills(names[7:8])] == ["open-7"]


def test_orders_that_have_ended_are_asked_for_by_name_in_their_order_and_at_once(
    sandbox: Sandbox, broker: AlpacaBroker
):
    sandbox.latency_seconds = 0.05
    names = [ClientOrderId(f"held-{symbol}") for symbol in HELD[:20]]
    answers = where_they_stand(broker, [*names, ClientOrderId("nobody's")])

    assert sandbox.most_at_once > 1
    assert [answer.client_order_id if answer else None for answer in answers] == [*names, None]
    assert len(sandbox.requests) == 2 + 21  # two pages of what is open, as none of them is in the first


def test_many_assets_are_asked_for_with_one_request_and_a_few_one_by_one(sandbox: Sandbox, broker: AlpacaBroker):
    symbols = [Symbol(name) for name in (*HELD[:30], "ZZZ")]

    found = broker.assets(symbols)

    assert [symbol for symbol in symbols if not found[symbol].tradable] == ["ZZZ"]
    assert sandbox.sent("GET", "/v2/assets") == len(sandbox.requests) == 1
    broker.assets([*symbols, Symbol("H30")])
    assert sandbox.sent("GET", "/v2/assets/H30") == len(sandbox.requests) - 1 == 1
