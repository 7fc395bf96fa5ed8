"""Which executions belong to which of our orders, in as few requests as the list allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trading_bot.alpaca.orders import fill_of, text
from trading_bot.domain.cash import Execution
from trading_bot.domain.orders import ClientOrderId, Fill
from trading_bot.domain.ports import TradingCalendar

PAGE = 100  # executions, the most that one answer holds
ONE_BY_ONE = 2  # orders; for more of them, one list of everything since the oldest takes fewer requests
A_MOMENT = timedelta(seconds=1)  # the list begins after an instant, and an order may fill in the one it came in

Ask = Callable[[Mapping[str, Any]], list[dict[str, Any]]]


Named = Callable[[str], ClientOrderId]  # our name of an order by the broker's


@dataclass(frozen=True, slots=True)
class Placed:
    """What never changes about an order at the broker."""

    client_order_id: ClientOrderId
    broker_order_id: str
    submitted_at: datetime


def executions_of(orders: Sequence[Placed], ask: Ask, calendar: TradingCalendar) -> tuple[Fill, ...]:
    """Return the fills of these orders, oldest first, each one once."""
    ours = {order.broker_order_id: order.client_order_id for order in orders}
    found: dict[str, Fill] = {}
    for query in _queries(orders):
        for document in pages(ask, query):
            name = ours.get(text(document, "order_id"))
            if name is not None:
                fill = fill_of(document, name, calendar)
                found[fill.execution_id] = fill
    return tuple(sorted(found.values(), key=lambda fill: fill.filled_at))


def _queries(orders: Sequence[Placed]) -> list[dict[str, Any]]:
    if len(orders) <= ONE_BY_ONE:
        return [{"order_id": order.broker_order_id} for order in orders]
    oldest = min(order.submitted_at for order in orders) - A_MOMENT
    return [{"after": oldest.isoformat().replace("+00:00", "Z")}]


def pages(ask: Ask, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every page; a token that leads nowhere new ends it."""
    documents: dict[str, dict[str, Any]] = {}
    terms = {**query, "direction": "asc", "page_size": PAGE}
    while True:
        page = ask(terms)
        fresh = [document for document in page if text(document, "id") not in documents]
        documents |= {text(document, "id"): document for document in fresh}
        if len(page) < PAGE or not fresh:
            return list(documents.values())
        terms["page_token"] = text(page[-1], "id")


def everything_since(ask: Ask, after: datetime, named: Named, calendar: TradingCalendar) -> tuple[Execution, ...]:
    """Return every execution in the account after an instant, oldest first, whoever gave the order."""
    query = {"after": after.isoformat().replace("+00:00", "Z")}
    done = [fill_of(document, named(text(document, "order_id")), calendar) for document in pages(ask, query)]
    return tuple(
        Execution(
            execution_id=fill.execution_id,
            client_order_id=fill.client_order_id,
            symbol=fill.symbol,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            day=fill.session,
            at=fill.filled_at,
        )
        for fill in sorted(done, key=lambda fill: fill.filled_at)
    )
