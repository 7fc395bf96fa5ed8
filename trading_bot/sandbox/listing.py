"""Lists that are asked for in parts: orders, executions, trading days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from trading_bot.sandbox.documents import execution_document, movement_document
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.market import MIDNIGHT_BEFORE_OPEN, SandboxMarket
from trading_bot.sandbox.orders import SandboxOrder

Document = dict[str, Any]


def listed_orders(orders: Sequence[SandboxOrder], query: Mapping[str, str]) -> list[SandboxOrder]:
    """Return the orders that a query asks for: 50 by default, at most 500, newest first by default."""
    status, symbols = query.get("status", "open"), query.get("symbols", "")
    after, until = _instant(query.get("after")), _instant(query.get("until"))
    found = [
        order
        for order in _beyond(orders, query)
        if (status == "all" or order.is_open == (status == "open"))
        and (not symbols or order.symbol in symbols.split(","))
        and (after is None or order.submitted_at > after)
        and (until is None or order.submitted_at < until)
    ]
    if query.get("direction", "desc") == "desc":
        found.reverse()
    return found[: min(int(query.get("limit", 50)), 500)]


def _beyond(orders: Sequence[SandboxOrder], query: Mapping[str, str]) -> Sequence[SandboxOrder]:
    """Cut the list at an order that the query names."""
    places = {order.id: place for place, order in enumerate(orders)}
    if (last := query.get("after_order_id")) in places:
        return orders[places[last] + 1 :]
    if (first := query.get("before_order_id")) in places:
        return orders[: places[first]]
    return orders


def activities(exchange: SandboxExchange, query: Mapping[str, str]) -> list[Document]:
    """Return one page of executions and movements of cash: at most 100, newest first by default."""
    behaviour = exchange.behaviour
    found = sorted([*_executions(exchange, query), *_movements(exchange, query)], key=lambda entry: entry[0])
    if (query.get("direction", "desc") == "desc") is not behaviour.shuffled:
        found.reverse()
    page = _page([document for _, document in found], query)
    return [document for document in page for _ in range(1 + behaviour.fills_twice)]


Entry = tuple[datetime, Document]  # when it was listed


def _executions(exchange: SandboxExchange, query: Mapping[str, str]) -> list[Entry]:
    if exchange.behaviour.late_executions or not _asked_for("FILL", "trade_activity", query):
        return []
    wanted = query.get("order_id", "")
    return [
        (execution.at, execution_document(execution))
        for execution in exchange.executions()
        if (not wanted or execution.order_id == wanted) and _within(execution.at, query)
    ]


def _movements(exchange: SandboxExchange, query: Mapping[str, str]) -> list[Entry]:
    if exchange.behaviour.late_activities or query.get("order_id"):
        return []
    return [
        (movement.created_at, movement_document(movement))
        for movement in exchange.movements()
        if _asked_for(movement.type, "non_trade_activity", query) and _within(movement.created_at, query)
    ]


def _asked_for(kind: str, category: str, query: Mapping[str, str]) -> bool:
    kinds = query.get("activity_types", "")
    return query.get("category", category) == category and (not kinds or kind in kinds.split(","))


def _within(at: datetime, query: Mapping[str, str]) -> bool:
    after, until = _instant(query.get("after")), _instant(query.get("until"))
    return (after is None or at > after) and (until is None or at < until)


def _page(found: list[Document], query: Mapping[str, str]) -> list[Document]:
    ids = [document["id"] for document in found]
    token = query.get("page_token", "")
    begin = ids.index(token) + 1 if token in ids else 0
    return found[begin : begin + min(int(query.get("page_size", 100)), 100)]


def calendar(market: SandboxMarket, query: Mapping[str, str]) -> list[Document]:
    """Return trading days with their hours in New York."""
    first = date.fromisoformat(query.get("start", str(market.now().date())))
    last = date.fromisoformat(query.get("end", str(first + timedelta(days=30))))
    return [_day(market, session) for session in market.calendar.sessions_between(first, last).tolist()]


def _day(market: SandboxMarket, session: date) -> Document:
    midnight = market.begins(session)
    opens, closes = MIDNIGHT_BEFORE_OPEN, market.calendar.close_of(session) - midnight
    return {
        "date": str(session),
        "open": _clock(opens),
        "close": _clock(closes),
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": str(session + timedelta(days=1)),
    }


def _clock(since_midnight: timedelta) -> str:
    minutes = int(since_midnight.total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _instant(value: str | None) -> datetime | None:
    """Read a date or an instant; without a zone it is UTC."""
    if not value:
        return None
    found = datetime.fromisoformat(value.replace(" ", "+"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
