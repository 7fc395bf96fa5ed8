"""The sandbox's switches over HTTP, for processes other than its own: `/control/…` on the same port."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from trading_bot.sandbox.documents import execution_document, movement_document, order_document
from trading_bot.sandbox.news import add_story
from trading_bot.sandbox.routes import Answer, Request

if TYPE_CHECKING:
    from trading_bot.sandbox.exchange import SandboxExchange
    from trading_bot.sandbox.faults import Faults
    from trading_bot.sandbox.market import SandboxClock


class Switched(Protocol):
    """What has the switches: the sandbox."""

    exchange: SandboxExchange
    clock: SandboxClock
    faults: Faults
    requests: deque[str]  # "POST /v2/orders", oldest first


def control(sandbox: Switched, request: Request) -> Answer:
    """Turn a switch, or look what has happened.

    POST /control/faults {"faults": [fields of `Fault`]}, /control/clear, /control/behaviour {fields of `Behaviour`},
    /control/fill {"client_order_id", "qty", "price"}, /control/clock {"at"}, /control/cash {"activity_type",
    "net_amount", "symbol"}, /control/dividend {"symbol", "per_share"}, /control/charge, /control/news {"headline",
    "summary", "symbols"}; GET /control/requests, /control/orders.
    """
    try:
        return Answer(200, _done(sandbox, request))
    except (KeyError, TypeError, ValueError) as error:
        return Answer(400, {"message": f"{type(error).__name__}: {error}"})


def _done(sandbox: Switched, request: Request) -> Any:
    body, exchange = request.body, sandbox.exchange
    match request.path.removeprefix("/control/"):
        case "faults":
            sandbox.faults.add_documents(body["faults"])
        case "clear":
            sandbox.faults.clear()
        case "behaviour":
            exchange.behaviour = replace(exchange.behaviour, **body)
        case "fill":
            amounts = [Decimal(str(body[name])) if name in body else None for name in ("qty", "price")]
            return execution_document(exchange.fill(body["client_order_id"], *amounts))
        case "cash" | "dividend" | "charge" as what:
            return _money(exchange, what, body)
        case "news":
            return add_story(exchange.market, body)
        case "clock":
            sandbox.clock.turn_to(datetime.fromisoformat(body["at"]) if body["at"] else None)
        case "requests":
            return list(sandbox.requests)
        case "orders":
            return [order_document(order) for order in exchange.orders()]
        case other:
            raise KeyError(other)
    return {}


def _money(exchange: SandboxExchange, what: str, body: Mapping[str, Any]) -> Any:
    """Move money without a trade."""
    if what == "charge":
        exchange.charge_fees()
        return {}
    if what == "dividend":
        return movement_document(exchange.pay_dividend(body["symbol"], Decimal(str(body["per_share"]))))
    kind, dollars = str(body["activity_type"]), Decimal(str(body["net_amount"]))
    return movement_document(exchange.move_cash(kind, dollars, symbol=str(body.get("symbol", ""))))
