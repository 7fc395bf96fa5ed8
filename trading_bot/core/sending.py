"""Committed intents become orders at the broker: several at once where the broker takes them so, exits first.

The book is written in one thread only. A wave of orders passes the last gate in one transaction, immediately before it
leaves: what a limit of requests makes it wait, it waits before that. Its answers are written down in one transaction
when the last of them is there. A process that dies in between leaves orders UNKNOWN, as it does with one order, and the
next cycle asks for each by its name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from trading_bot.domain.errors import BrokerUnavailable, NotSent
from trading_bot.domain.listing import TakesManyAtOnce
from trading_bot.domain.offers import offers
from trading_bot.domain.orders import OrderIntent, OrderUpdate

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk
    from trading_bot.domain.cycle import CycleTicket

log = logging.getLogger(__name__)


def send(desk: Desk, ticket: CycleTicket, intents: Sequence[OrderIntent]) -> None:
    """Send each intent once, and write the answers down. What has no clear answer stays UNKNOWN.

    All exits have their answers before the first entry leaves: they pay for it. Raises LeaseLost; and
    CredentialsRefused, after the answers to the orders of the same wave are written down: then nothing leaves any more.
    """
    broker = desk.broker
    if not offers(broker, TakesManyAtOnce):
        for intent in intents:
            _send_wave(desk, ticket, [intent], None)
        return
    at_once = broker.most_at_once
    exits = [intent for intent in intents if not intent.purpose.is_entry]
    entries = [intent for intent in intents if intent.purpose.is_entry]
    with ThreadPoolExecutor(at_once, thread_name_prefix="order") as threads:  # which are started when they are needed
        for wave in (*_waves(exits, at_once), *_waves(entries, at_once)):
            broker.make_way(len(wave))
            _send_wave(desk, ticket, wave, threads)


def _waves(intents: Sequence[OrderIntent], size: int) -> Iterator[Sequence[OrderIntent]]:
    return (intents[begin : begin + size] for begin in range(0, len(intents), size))


def _send_wave(
    desk: Desk, ticket: CycleTicket, wave: Sequence[OrderIntent], threads: ThreadPoolExecutor | None
) -> None:
    """Pass the last gate, send, and write the answers down; raise what went wrong after that."""
    held_back = desk.book.journal.mark_all_sending([intent.client_order_id for intent in wave], ticket.lease)
    for refusal in held_back.values():  # the state changed while we were deciding
        log.warning("%s", refusal)
    passed = [intent for intent in wave if intent.client_order_id not in held_back]
    if threads is None:
        answers = [_submitted(desk, ticket, intent) for intent in passed]
        desk.book.journal.record_updates(ticket.lease, [answer for answer in answers if answer is not None])
        return
    futures = [threads.submit(_submitted, desk, ticket, intent) for intent in passed]
    errors = [error for future in futures if (error := future.exception()) is not None]  # waits for every one
    desk.book.journal.record_updates(ticket.lease, list(_answers(futures)))
    if errors:
        raise errors[0]


def _answers(futures: Sequence[Future[OrderUpdate | None]]) -> Iterator[OrderUpdate]:
    for future in futures:
        if future.exception() is None and (answer := future.result()) is not None:
            yield answer


def _submitted(desk: Desk, ticket: CycleTicket, intent: OrderIntent) -> OrderUpdate | None:
    """Return the broker's answer, None where there is no clear one. The book is not touched: this may be any thread."""
    try:
        return desk.broker.submit(intent, at=ticket.at)
    except (BrokerUnavailable, NotSent) as error:
        log.warning("No clear answer for order %s: %s", intent.client_order_id, error)
        return None
