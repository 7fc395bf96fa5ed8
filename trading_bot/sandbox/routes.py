"""Which request gets which answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trading_bot.domain.money import ZERO
from trading_bot.sandbox import documents, news, prices
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.listing import activities, calendar, listed_orders
from trading_bot.sandbox.orders import SandboxOrder
from trading_bot.sandbox.refusals import Refusal, unprocessable


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its body read."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; `document` None is an empty body."""

    status: int
    document: Any = None

    @property
    def text(self) -> str:
        """The body."""
        return "" if self.document is None else json.dumps(self.document)


Handler = Callable[[SandboxExchange, Request, str], Answer]


def answer(exchange: SandboxExchange, request: Request) -> Answer:
    """Carry out a request."""
    for method, pattern, handler in ROUTES:
        found = re.fullmatch(pattern, request.path)
        if method == request.method and found:
            try:
                return handler(exchange, request, (found.groups() or ("",))[0])
            except Refusal as no:
                return Answer(no.status, {"code": no.code, "message": no.message})
    return Answer(404, {"code": 40410000, "message": "endpoint not found."})


def _account(exchange: SandboxExchange, _request: Request, _id: str) -> Answer:
    return Answer(200, documents.account_document(exchange))


def _clock(exchange: SandboxExchange, _request: Request, _id: str) -> Answer:
    return Answer(200, documents.clock_document(exchange.market))


def _calendar(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    return Answer(200, calendar(exchange.market, request.query))


def _assets(exchange: SandboxExchange, _request: Request, _id: str) -> Answer:
    symbols = exchange.market.bars.symbols
    return Answer(200, [documents.asset_document(exchange, symbol) for symbol in symbols])


def _asset(exchange: SandboxExchange, _request: Request, symbol: str) -> Answer:
    if not exchange.market.knows(symbol):
        raise Refusal(404, 40410000, f"asset not found for {symbol}")
    return Answer(200, documents.asset_document(exchange, symbol))


def _submit(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    order = exchange.submit(request.body)
    return Answer(200, _document(exchange, order))


def _document(exchange: SandboxExchange, order: SandboxOrder) -> dict[str, Any]:
    return documents.order_document(order, said_status=exchange.behaviour.status, legs=exchange.legs(order))


def _orders(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    said = exchange.behaviour.status
    found = listed_orders(exchange.orders(), request.query)
    return Answer(200, [documents.order_document(order, said_status=said) for order in found])


def _order(exchange: SandboxExchange, request: Request, order_id: str) -> Answer:
    by_ours = not order_id
    wanted = request.query.get("client_order_id", "") if by_ours else order_id
    for order in exchange.orders():
        if wanted == (order.client_order_id if by_ours else order.id):
            return Answer(200, _document(exchange, order))
    raise Refusal(404, 40410000, f"order not found for {wanted}")


def _cancel(exchange: SandboxExchange, _request: Request, order_id: str) -> Answer:
    exchange.cancel(order_id)
    return Answer(204)


def _positions(exchange: SandboxExchange, _request: Request, _id: str) -> Answer:
    held, claimed = sorted(exchange.holdings().items()), exchange.claimed()
    found = [documents.position_document(exchange, name, holding, claimed.get(name, ZERO)) for name, holding in held]
    return Answer(200, found)


def _position(exchange: SandboxExchange, _request: Request, symbol: str) -> Answer:
    held = exchange.holdings().get(symbol)
    if held is None:
        raise Refusal(404, 40410000, "position does not exist")
    return Answer(200, documents.position_document(exchange, symbol, held, exchange.claimed().get(symbol, ZERO)))


def _activities(exchange: SandboxExchange, request: Request, kind: str) -> Answer:
    query = {**request.query, "activity_types": kind} if kind else request.query
    if "activity_types" in request.query and "category" in request.query:
        raise unprocessable("only one of activity_types and category can be given")
    return Answer(200, activities(exchange, query))


def _bars(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    return Answer(200, prices.bars_document(exchange.market, request.query))


def _snapshots(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    return Answer(200, prices.snapshots_document(exchange.market, request.query))


def _quotes(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    return Answer(200, prices.quotes_document(exchange.market, request.query))


def _actions(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    return Answer(200, prices.actions_document(exchange.market, request.query))


def _news(exchange: SandboxExchange, request: Request, _id: str) -> Answer:
    return Answer(200, news.news_document(exchange.market, request.query))


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"/v2/account", _account),
    ("GET", r"/v2/clock", _clock),
    ("GET", r"/v2/calendar", _calendar),
    ("GET", r"/v2/assets", _assets),
    ("GET", r"/v2/assets/([^/]+)", _asset),
    ("POST", r"/v2/orders", _submit),
    ("GET", r"/v2/orders", _orders),
    ("GET", r"/v2/orders:by_client_order_id", _order),
    ("GET", r"/v2/orders/([^/]+)", _order),
    ("DELETE", r"/v2/orders/([^/]+)", _cancel),
    ("GET", r"/v2/positions", _positions),
    ("GET", r"/v2/positions/([^/]+)", _position),
    ("GET", r"/v2/account/activities(?:/([A-Z]+))?", _activities),
    ("GET", r"/v2/stocks/bars", _bars),
    ("GET", r"/v2/stocks/snapshots", _snapshots),
    ("GET", r"/v2/stocks/quotes/latest", _quotes),
    ("GET", r"/v1/corporate-actions", _actions),
    ("GET", r"/v1beta1/news", _news),
)
