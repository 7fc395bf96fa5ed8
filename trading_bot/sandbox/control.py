"""The sandbox's switches over HTTP, for processes other than its own: `/control/…` on the same port."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading_bot.sandbox.documents import execution_document, order_document
from trading_bot.sandbox.routes import Answer, Request

if TYPE_CHECKING:
    from trading_bot.sandbox.server import Sandbox


def control(sandbox: Sandbox, request: Request) -> Answer:
    """Turn a switch, or look what has happened.

    POST /control/faults {"faults": [fields of `Fault`]}, /control/clear, /control/behaviour {fields of `Behaviour`},
    /control/fill {"client_order_id", "qty", "price"}, /control/clock {"at"}; GET /control/requests, /control/orders.
    """
    try:
        return Answer(200, _done(sandbox, request))
    except (KeyError, TypeError, ValueError) as error:
        return Answer(400, {"message": f"{type(error).__name__}: {error}"})


def _done(sandbox: Sandbox, request: Request) -> Any:
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
        case "clock":
            sandbox.clock.turn_to(datetime.fromisoformat(body["at"]) if body["at"] else None)
        case "requests":
            return list(sandbox.requests)
        case "orders":
            return [order_document(order) for order in exchange.orders()]
        case other:
            raise KeyError(other)
    return {}
