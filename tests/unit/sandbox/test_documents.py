"""The sandbox's answers are what Alpaca's own documents say: validated as real HTTP answers, one kind at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator

from tests.unit.brokers.exchanges import DAYS, evening
from tests.unit.brokers.sandboxes import flat_bars, sandbox_of
from trading_bot.domain.market import Split, Symbol
from trading_bot.sandbox.documents import stream_document
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.server import API_KEY, SECRET_KEY, Sandbox

FOLDER = Path(__file__).resolve().parents[2] / "openapi"
TRADING, DATA = "trading-api", "market-data-api"
OPEN = evening(DAYS[1]).replace(hour=15)  # the second day at 10 in New York


def wrong(document: Any, schema: str, api: str) -> list[str]:
    """Return what the document says against it."""
    components = json.loads((FOLDER / f"{api}.json").read_text(encoding="utf-8"))["components"]
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": components})
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(evening(DAYS[0]))


@pytest.fixture
def sandbox(clock: SandboxClock) -> Iterator[Sandbox]:
    bars = flat_bars("AAA", "BBB")
    splits = (Split(Symbol("AAA"), DAYS[0], Decimal(2)), Split(Symbol("BBB"), DAYS[0], Decimal("0.1")))
    object.__setattr__(bars, "splits", splits)
    with sandbox_of(bars, clock) as opened:
        yield opened


Ask = Callable[..., Any]


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    with requests.Session() as session:
        session.trust_env = False

        def asked(path: str, *, method: str = "GET", status: int = 200, json: Any = None) -> Any:
            headers = {"APCA-API-KEY-ID": API_KEY, "APCA-API-SECRET-KEY": SECRET_KEY}
            answer = session.request(method, sandbox.url + path, headers=headers, timeout=10, json=json)
            assert answer.status_code == status, answer.text
            return answer.json() if answer.text else None

        yield asked


def place(ask: Ask, **terms: Any) -> Any:
    order = {"symbol": "AAA", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day", **terms}
    return ask("/v2/orders", method="POST", json=order)


def test_an_order_that_waits_and_one_that_filled(ask: Ask, clock: SandboxClock):
    waiting = place(ask)
    assert wrong(waiting, "Order", TRADING) == []

    clock.turn_to(OPEN)
    filled = ask(f"/v2/orders/{waiting['id']}")
    assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "3", "10.00")
    assert wrong(filled, "Order", TRADING) == []


def test_an_order_that_was_cancelled(ask: Ask):
    order = place(ask, type="limit", limit_price="9.50", client_order_id="mine")
    ask(f"/v2/orders/{order['id']}", method="DELETE", status=204)

    found = ask("/v2/orders:by_client_order_id?client_order_id=mine")
    assert (found["status"], found["limit_price"]) == ("canceled", "9.50")
    assert wrong(found, "Order", TRADING) == []


def test_numbers_are_taken_as_well_as_text(ask: Ask):
    assert place(ask, qty=3.0, type="limit", limit_price=9.5)["qty"] == "3.0"


def test_the_account_before_and_after_a_purchase(ask: Ask, clock: SandboxClock):
    for _ in range(2):
        account = ask("/v2/account")
        assert wrong(account, "Account", TRADING) == []
        place(ask)
        clock.turn_to(OPEN)
    account = ask("/v2/account")

    assert (account["cash"], account["equity"]) == ("9940.00", "10000.00")


def test_a_position(ask: Ask, clock: SandboxClock):
    place(ask)
    clock.turn_to(OPEN)
    (position,) = ask("/v2/positions")

    assert (position["symbol"], position["qty"], position["avg_entry_price"]) == ("AAA", "3", "10.00")
    assert wrong(position, "Position", TRADING) == []
    assert wrong(ask("/v2/positions/AAA"), "Position", TRADING) == []


def test_news(ask: Ask):
    for words, tags in (("AAA beats", ["AAA"]), ("BBB recalls", ["BBB"]), ("Both", ["AAA", "BBB"])):
        ask("/control/news", method="POST", json={"headline": words, "symbols": tags})
    first = ask("/v1beta1/news?symbols=AAA&limit=1")
    second = ask(f"/v1beta1/news?symbols=AAA&limit=1&page_token={first['next_page_token']}")

    assert [wrong(page, "news_resp", DATA) for page in (first, second)] == [[], []]
    assert [page["news"][0]["headline"] for page in (first, second)] == ["Both", "AAA beats"]
    assert second["next_page_token"] is None
    ask("/v1beta1/news?limit=51", status=400)


def test_an_execution(ask: Ask, clock: SandboxClock):
    order = place(ask)
    clock.turn_to(OPEN)
    (execution,) = ask(f"/v2/account/activities/FILL?order_id={order['id']}")

    assert (execution["qty"], execution["price"], execution["side"]) == ("3", "10.00", "buy")
    assert wrong(execution, "TradingActivities", TRADING) == []


def test_fees_dividends_and_transfers_are_activities_but_no_trades(ask: Ask, sandbox: Sandbox, clock: SandboxClock):
    sandbox.exchange.behaviour = replace(sandbox.exchange.behaviour, fees="accrued")
    place(ask, qty="100")
    clock.turn_to(OPEN)
    ask("/v2/positions")
    ask("/control/dividend", method="POST", json={"symbol": "AAA", "per_share": "0.25"})
    ask("/control/cash", method="POST", json={"activity_type": "CSW", "net_amount": "-50.00"})
    place(ask, qty="100", side="sell")
    account = ask("/v2/account")
    ask("/control/charge", method="POST", json={})

    assert wrong(account, "Account", TRADING) == []
    assert (account["accrued_fees"], account["cash"]) == ("0.05", "9974.95")  # 2.78 and 1.66 cents, rounded up
    assert ask("/v2/account")["cash"] == "9974.95"
    listed = ask("/v2/account/activities?category=non_trade_activity&direction=asc")
    assert [wrong(activity, "NonTradeActivities", TRADING) for activity in listed] == [[]] * 4
    assert [(each["activity_type"], each["net_amount"]) for each in listed] == [
        ("DIV", "25.00"),
        ("CSW", "-50.00"),
        ("FEE", "-0.03"),
        ("FEE", "-0.02"),
    ]
    assert [each["activity_type"] for each in ask("/v2/account/activities/DIV")] == ["DIV"]
    assert len(ask("/v2/account/activities")) == 6
    ask("/v2/account/activities?category=trade_activity&activity_types=FILL", status=422)


def test_assets(ask: Ask):
    assert wrong(ask("/v2/assets/AAA"), "Assets", TRADING) == []
    assert [asset["symbol"] for asset in ask("/v2/assets")] == ["AAA", "BBB"]


def test_the_clock_by_night_and_by_day(ask: Ask, clock: SandboxClock):
    night = ask("/v2/clock")
    assert (night["is_open"], night["next_open"][:16]) == (False, "2024-01-09T14:30")
    assert wrong(night, "legacy_clock", TRADING) == []

    clock.turn_to(OPEN)
    assert ask("/v2/clock")["is_open"] is True


def test_the_calendar(ask: Ask):
    days = ask("/v2/calendar?start=2024-01-08&end=2024-01-14")

    assert wrong(days, "legacy_public_calendar_resp", TRADING) == []
    assert [(day["date"][-2:], day["open"], day["close"]) for day in days] == [
        (str(day), "09:30", "16:00") for day in ("08", "09", "10", "11", "12")
    ]


def test_bars_come_page_by_page(ask: Ask, clock: SandboxClock):
    clock.turn_to(OPEN)
    query = "/v2/stocks/bars?symbols=AAA,BBB&timeframe=1Day&start=2024-01-08&limit=3"
    first = ask(query)
    second = ask(f"{query}&page_token={first['next_page_token']}")

    for page in (first, second):
        assert wrong(page, "stock_bars_resp", DATA) == []
    assert {symbol: len(bars) for symbol, bars in first["bars"].items()} == {"AAA": 2, "BBB": 1}
    assert {symbol: len(bars) for symbol, bars in second["bars"].items()} == {"BBB": 1}
    assert second["next_page_token"] is None


def test_snapshots_and_quotes(ask: Ask, clock: SandboxClock):
    clock.turn_to(OPEN)
    snapshots, quotes = ask("/v2/stocks/snapshots?symbols=AAA,BBB"), ask("/v2/stocks/quotes/latest?symbols=AAA")

    assert wrong(snapshots, "stock_snapshots_resp", DATA) == []
    assert wrong(quotes, "stock_latest_quotes_resp", DATA) == []
    assert (snapshots["AAA"]["dailyBar"]["c"], snapshots["AAA"]["prevDailyBar"]["t"][:10]) == (10.0, "2024-01-08")
    assert (quotes["quotes"]["AAA"]["bp"], quotes["quotes"]["AAA"]["ap"]) == (9.99, 10.01)


def test_splits_both_ways(ask: Ask):
    actions = ask("/v1/corporate-actions?symbols=AAA,BBB&start=2024-01-01&end=2024-01-31")

    assert wrong(actions, "corporate_actions_resp", DATA) == []
    assert {kind: found[0]["symbol"] for kind, found in actions["corporate_actions"].items()} == {
        "forward_splits": "AAA",
        "reverse_splits": "BBB",
    }


def test_an_update_of_the_stream_holds_an_order(sandbox: Sandbox):
    heard: list[Any] = []
    sandbox.exchange.listeners.append(lambda *news: heard.append(stream_document(*news)))
    sandbox.exchange.submit({"symbol": "AAA", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"})

    (update,) = heard
    assert update["data"]["event"] == "new"
    assert wrong(update["data"]["order"], "Order", TRADING) == []


@pytest.mark.parametrize(
    ("terms", "status", "said"),
    [
        ({"qty": "0"}, 422, "qty must be > 0"),
        ({"symbol": "ZZZ"}, 422, 'asset "ZZZ" not found'),
        ({"type": "limit"}, 422, "limit orders require limit price"),
        ({"type": "limit", "limit_price": "9.505"}, 422, "sub-penny"),
        ({"qty": "0.5", "time_in_force": "gtc"}, 422, "fractional orders must be DAY orders"),
        ({"extended_hours": True}, 422, "extended hours order must be DAY limit orders"),
        ({"qty": "2000"}, 403, "insufficient buying power"),
        ({"side": "sell"}, 403, "insufficient qty available for order (requested: 3, available: 0)"),
    ],
)
def test_what_cannot_be_is_refused_in_the_brokers_words(ask: Ask, terms: dict[str, Any], status: int, said: str):
    order = {"symbol": "AAA", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day", **terms}
    answer = ask("/v2/orders", method="POST", json=order, status=status)

    assert said in answer["message"]
    assert ask("/v2/orders?status=all") == []


def test_a_name_is_taken_once(ask: Ask):
    place(ask, client_order_id="mine")
    order = {"symbol": "AAA", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}
    answer = ask("/v2/orders", method="POST", status=422, json={**order, "client_order_id": "mine"})

    assert answer["message"] == "client_order_id must be unique"


def test_the_other_side_of_an_open_order_is_a_wash_trade(ask: Ask, clock: SandboxClock):
    place(ask)
    clock.turn_to(OPEN)
    ask("/v2/positions")
    place(ask, type="limit", limit_price="8")
    order = {"symbol": "AAA", "qty": "1", "side": "sell", "type": "market", "time_in_force": "day"}

    assert "wash trade" in ask("/v2/orders", method="POST", status=403, json=order)["message"]


def test_strangers_are_refused(sandbox: Sandbox):
    answer = requests.get(f"{sandbox.url}/v2/account", headers={"APCA-API-KEY-ID": "somebody"}, timeout=10)

    assert (answer.status_code, answer.json()["message"]) == (401, "request is not authorized")


def test_orders_are_listed_in_pages_by_the_last_one_seen(ask: Ask):
    ids = [place(ask, client_order_id=f"order-{number}")["id"] for number in range(5)]
    first = ask("/v2/orders?status=open&limit=3&direction=asc")
    second = ask(f"/v2/orders?status=open&limit=3&direction=asc&after_order_id={first[-1]['id']}")

    assert [order["id"] for order in [*first, *second]] == ids


def test_the_switches_work_from_another_process(sandbox: Sandbox, ask: Ask):
    def switch(name: str, **body: Any) -> Any:
        return ask(f"/control/{name}", method="POST", json=body)

    switch("faults", faults=[{"method": "GET", "path": "/v2/clock", "status": 503, "body": "{}"}])
    assert ask("/v2/clock", status=503) == {}
    assert ask("/v2/clock")["is_open"] is False
    switch("behaviour", hold_fills=True)
    switch("clock", at=OPEN.isoformat())
    place(ask, client_order_id="mine")
    assert switch("fill", client_order_id="mine", qty="2", price="9.90")["leaves_qty"] == "1"
    assert ask("/control/orders")[0]["status"] == "partially_filled"
    assert ask("/control/nothing", status=400)["message"] == "KeyError: 'nothing'"
    assert "GET /v2/clock" in ask("/control/requests")


def test_days_have_bars_only_once_they_have_begun(ask: Ask, clock: SandboxClock):
    clock.turn_to(evening(DAYS[1]).replace(hour=13))  # before the open
    bars = ask("/v2/stocks/bars?symbols=AAA&timeframe=1Day&start=2024-01-01")["bars"]["AAA"]

    assert [date.fromisoformat(bar["t"][:10]) for bar in bars] == [DAYS[0]]
