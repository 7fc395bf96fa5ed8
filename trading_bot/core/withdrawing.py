"""Take stop orders at the broker back: before anything else is done with their stock, and when they guard nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trading_bot.core.asking import looks
from trading_bot.domain.cycle import CycleTicket, Settlement, TradingState
from trading_bot.domain.errors import BrokerUnavailable, NotSent
from trading_bot.domain.orders import ClientOrderId, OpenOrder, OrderIntent, OrderStatus, OrderUpdate
from trading_bot.domain.words import trade
from trading_bot.risk.stop_orders import is_needed

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk

log = logging.getLogger(__name__)

WAITS = (0.2, 0.5, 1.0)  # seconds between asking whether a cancel has taken place


def make_way(desk: Desk, ticket: CycleTicket, intents: Sequence[OrderIntent]) -> tuple[OrderIntent, ...]:
    """Cancel the stop orders that rest in the way of these orders, and return those whose way is clear.

    A broker sells no shares that another order holds, and buys nothing against one. Where the stop order filled
    meanwhile, or its end is not confirmed, nothing is sent: no share is sold twice, and the next cycle decides anew.
    """
    if not intents:
        return ()
    names = {intent.symbol for intent in intents}
    resting = [o for o in desk.book.journal.open_orders() if o.rests and o.intent.symbol in names]
    resting = [order for order in resting if order.intent.cycle_id != ticket.cycle_id]
    if not resting:
        return tuple(intents)
    state = desk.book.control.read().state
    leaving = {intent.symbol for intent in intents if _may_pass(intent, state)}
    blocked = {
        o.intent.symbol for o in resting if o.intent.symbol in leaving and not _is_out_of_the_way(desk, ticket, o)
    }
    return tuple(intent for intent in intents if intent.symbol not in blocked)


def withdraw_needless_stops(desk: Desk, ticket: CycleTicket, before: Sequence[OpenOrder]) -> Settlement:
    """Cancel the stop orders whose shares are gone, or that the settings want no more, and say what became of them.

    `before` are the orders that were open when settling began: where none of them was a stop order, none is now.
    """
    if not any(order.is_waiting for order in before):
        return Settlement()
    held = desk.book.ledger.portfolio()
    updates: list[OrderUpdate] = []
    warnings: list[str] = []
    for order in desk.book.journal.open_orders():
        if not order.rests or is_needed(order, held, desk.risk.stop):
            continue
        answer = cancelled(desk, ticket, order)
        if answer is not None:
            updates += desk.book.journal.record_updates(ticket.lease, [answer])
        if answer is None or not answer.status.is_final:
            wanted = trade(order.intent.side, order.remaining, order.intent.symbol)
            warnings.append(f"The stop order to {wanted} guards nothing any more; its cancelling is not confirmed")
    return Settlement(tuple(updates), (), tuple(warnings))


def cancelled(desk: Desk, ticket: CycleTicket, order: OpenOrder) -> OrderUpdate | None:
    """Cancel, and wait a little for the end. Return how the order stands, None without a clear answer."""
    order_id = order.intent.client_order_id
    try:
        answer = desk.broker.cancel(order_id, at=ticket.at)
        return answer if answer.status.is_final else _its_end(desk, order_id)
    except (BrokerUnavailable, NotSent) as error:
        log.warning("No clear answer to cancelling order %s: %s", order_id, error)
        return None


def _its_end(desk: Desk, order_id: ClientOrderId) -> OrderUpdate | None:
    """Ask until the order has ended, for a little while; return the last answer."""
    answer: OrderUpdate | None = None
    for _ in looks(desk.broker, desk.clock.sleep, WAITS):
        answer = desk.broker.find(order_id)
        if answer is None or answer.status.is_final:
            break
    return answer


def _is_out_of_the_way(desk: Desk, ticket: CycleTicket, order: OpenOrder) -> bool:
    """Cancel the order; its fills, if it has any, are booked when orders are settled the next time."""
    answer = cancelled(desk, ticket, order)
    if answer is not None:
        desk.book.journal.record_updates(ticket.lease, [answer])
    clear = answer is not None and answer.status.is_final and answer.filled <= order.filled
    if not clear:
        log.warning(
            "Nothing else is sent for %s in this cycle: its stop order is %s",
            order.intent.symbol,
            answer.status if answer else OrderStatus.UNKNOWN,
        )
    return clear


def _may_pass(intent: OrderIntent, state: TradingState) -> bool:
    """Say whether the order would be let through: no stop order is given up for one that is not."""
    return state is TradingState.ACTIVE or (state is TradingState.REDUCING and not intent.purpose.is_entry)
