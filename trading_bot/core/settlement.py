"""Bring our book up to what the broker says: ends of orders, fills, splits; and see whether both agree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from trading_bot.domain.cycle import CycleTicket, Settlement, TradingState
from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import Fill, OpenOrder, OrderUpdate

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot

log = logging.getLogger(__name__)

RECONCILIATION = "reconciliation"  # who changes the state, in the book
LONGEST_WAY = timedelta(days=7)  # of a request to the broker; one that is lost for longer is lost


def settle(bot: Bot, ticket: CycleTicket, market: MarketState) -> Settlement:
    """Book what happened to open orders since the last cycle, and compare the books.

    A difference that nothing explains stops entries: the state becomes REDUCING until the owner
    resumes. What is safe to do twice is all that happens here, so a retry or a second run changes nothing.
    """
    bot.broker.advance(market)
    _book_splits(bot, ticket, market)
    late = _take_up_what_came_late(bot, ticket)
    open_orders = bot.book.journal.open_orders()
    answers = [(order, bot.broker.find(order.intent.client_order_id)) for order in open_orders]
    fills, updates = book_answers(bot, ticket, [answer for _, answer in answers if answer is not None])
    for order, answer in answers:
        if answer is None:
            _drop_what_never_arrived(bot, ticket, order)
    return Settlement((*late, *updates), fills, _differences(bot, ticket))


def book_answers(
    bot: Bot, ticket: CycleTicket, answers: Sequence[OrderUpdate]
) -> tuple[tuple[Fill, ...], tuple[OrderUpdate, ...]]:
    """Book the fills behind the broker's answers, then the answers. Return what was new."""
    ids = [update.client_order_id for update in answers]
    fills = bot.book.ledger.book_fills(ticket.lease, bot.broker.fills(ids)) if ids else ()
    return fills, bot.book.journal.record_updates(ticket.lease, answers) if ids else ()


def _take_up_what_came_late(bot: Bot, ticket: CycleTicket) -> tuple[OrderUpdate, ...]:
    """Open again what we gave up and the broker has all the same: a request was held up, or its sender slept."""
    given_up = bot.book.journal.given_up(ticket.session - LONGEST_WAY)
    answers = [bot.broker.find(order.intent.client_order_id) for order in given_up]
    late = [answer for answer in answers if answer is not None]
    for answer in late:
        log.warning("Order %s reached the broker after it was given up: %s", answer.client_order_id, answer.status)
    return bot.book.journal.record_updates(ticket.lease, late) if late else ()


def _book_splits(bot: Bot, ticket: CycleTicket, market: MarketState) -> None:
    held = bot.book.ledger.portfolio().positions
    priced = [(split, market.close_on(split.symbol, split.session)) for split in market.splits if split.symbol in held]
    for split in bot.book.ledger.apply_splits(ticket.lease, [(split, price) for split, price in priced if price]):
        log.info("%s was split %s for 1 on %s", split.symbol, split.ratio, split.session)


def _drop_what_never_arrived(bot: Bot, ticket: CycleTicket, order: OpenOrder) -> None:
    """End an order the broker has never seen. One of this very cycle is still current: it is sent again."""
    intent = order.intent
    if intent.cycle_id == ticket.cycle_id:
        return
    reason = f"never reached the broker, and cycle {intent.cycle_id} is over"
    log.warning("Order %s (%s) %s", intent.client_order_id, order.status, reason)
    bot.book.journal.expire_unsent(intent.client_order_id, ticket.lease, reason)


def _differences(bot: Bot, ticket: CycleTicket) -> tuple[str, ...]:
    """Compare cash and shares with the broker's; on a difference let exits through only. Raises LeaseLost."""
    ours, theirs = bot.book.ledger.portfolio(), bot.broker.get_portfolio()
    found = [
        f"{symbol}: {ours.held(symbol)} shares in our book, {theirs.held(symbol)} at the broker"
        for symbol in sorted({*ours.positions, *theirs.positions})
        if ours.held(symbol) != theirs.held(symbol)
    ]
    if ours.cash != theirs.cash:
        found.append(f"cash: ${ours.cash:,.2f} in our book, ${theirs.cash:,.2f} at the broker")
    if found and bot.book.control.read().state is TradingState.ACTIVE:
        cause = f"the books differ: {'; '.join(found)}"
        bot.book.control.set_state(TradingState.REDUCING, cause=cause, who=RECONCILIATION, lease=ticket.lease)
        bot.notifier.send_alert(level="warning", title="Books differ", message=f"Exits only: {cause}")
    return tuple(f"Our book and the broker's differ. {difference}" for difference in found)
