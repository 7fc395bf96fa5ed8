"""Our orders as they move: the broker is asked again and again, and sooner where it says that something happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trading_bot.core.settlement import where_they_stand
from trading_bot.domain.listing import TellsOfOrders
from trading_bot.domain.offers import offers
from trading_bot.domain.orders import ClientOrderId, OrderUpdate

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot

SHORTEST_SECONDS = 1.0  # between two questions, however often the broker tells of an order
LONGER_SECONDS = 4.0  # after those, where it tells of none: it may tell of nothing at all
NEWEST = 50  # orders of the book that are looked at


def follow(bot: Bot) -> Iterator[OrderUpdate]:
    """Give each open order of the book, then each that has moved since, for ever. Nothing is written down.

    Raises BrokerError where the broker gives no answer.
    """
    before: dict[ClientOrderId, OrderUpdate] = {}
    first = True
    while True:
        now = _orders_now(bot, before)
        for order_id, order in now.items():
            old = before.get(order_id)
            is_news = not order.status.is_final if first else old is None or _state(old) != _state(order)
            if is_news:
                yield order
        before, first = now, False
        _wait(bot)


def _orders_now(bot: Bot, before: dict[ClientOrderId, OrderUpdate]) -> dict[ClientOrderId, OrderUpdate]:
    """Return the newest orders of the book, oldest first, those that have not ended as the broker has them."""
    entries = bot.book.stories.orders(limit=NEWEST)
    found = {entry.order.client_order_id: entry.order for entry in reversed(entries) if entry.order is not None}
    found |= {order_id: order for order_id, order in before.items() if order_id in found and order.status.is_final}
    working = [order_id for order_id, order in found.items() if not order.status.is_final]
    answers = zip(working, where_they_stand(bot.broker, working), strict=True)
    return found | {order_id: answer for order_id, answer in answers if answer is not None}


def _wait(bot: Bot) -> None:
    broker = bot.broker
    bot.clock.sleep(SHORTEST_SECONDS)
    if not offers(broker, TellsOfOrders) or broker.wait_for_order(LONGER_SECONDS) is None:
        bot.clock.sleep(LONGER_SECONDS)


def _state(order: OrderUpdate) -> tuple[object, ...]:
    return (order.status, order.filled, order.reason)
