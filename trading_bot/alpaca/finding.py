"""Where many orders stand, in few questions: what is open is listed, the rest is asked for at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from trading_bot.alpaca.limits import AT_ONCE
from trading_bot.alpaca.orders import is_ours_to_read
from trading_bot.domain.orders import ClientOrderId, OrderUpdate

log = logging.getLogger(__name__)

PAGE = 500  # orders, the most that one answer holds
FEW = 3  # orders that are asked for by name; of more of them, those that are open are listed

Ask = Callable[[Mapping[str, Any]], list[dict[str, Any]]]


def open_pages(ask: Ask, read: Callable[[object], OrderUpdate]) -> Iterator[list[OrderUpdate]]:
    """Give every open order that we have words for, page by page, oldest first."""
    query: dict[str, Any] = {"status": "open", "limit": PAGE, "direction": "asc"}
    while True:
        page = ask(query)
        yield [read(document) for document in page if _has_words(document)]
        if len(page) < PAGE:
            return
        query["after_order_id"] = page[-1].get("id")


def found_all(
    order_ids: Sequence[ClientOrderId],
    pages: Iterator[list[OrderUpdate]],
    find: Callable[[ClientOrderId], OrderUpdate | None],
) -> list[OrderUpdate | None]:
    """Return where each order stands, None of one that was never seen. No more pages are read than it takes."""
    listed = _among(pages, frozenset(order_ids)) if len(order_ids) > FEW else {}
    rest = [order_id for order_id in order_ids if order_id not in listed]
    if len(rest) < 2:
        return [listed.get(order_id) or find(order_id) for order_id in order_ids]
    with ThreadPoolExecutor(min(AT_ONCE, len(rest)), thread_name_prefix="find") as threads:
        asked = dict(zip(rest, threads.map(find, rest), strict=True))
    return [listed.get(order_id) or asked.get(order_id) for order_id in order_ids]


def _among(pages: Iterator[list[OrderUpdate]], wanted: frozenset[ClientOrderId]) -> dict[ClientOrderId, OrderUpdate]:
    found: dict[ClientOrderId, OrderUpdate] = {}
    for page in pages:
        found |= {order.client_order_id: order for order in page if order.client_order_id in wanted}
        if len(found) == len(wanted):
            break
    return found


def _has_words(document: dict[str, Any]) -> bool:
    if not is_ours_to_read(document):
        log.warning("An order of a kind we have no words for is open at the broker: %s", document.get("id"))
        return False
    return True
