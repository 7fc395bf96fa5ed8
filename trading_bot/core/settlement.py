"""Bring our book up to what the broker says: ends of orders, fills, splits; and see whether both agree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from trading_bot.core.asking import looks, meanwhile
from trading_bot.core.comparing import book_cash, cash_question, compare, take_up_executions, without_a_price
from trading_bot.core.punctuality import clock_question, heed_the_clock
from trading_bot.core.withdrawing import withdraw_needless_stops
from trading_bot.domain.cash import ListsCash
from trading_bot.domain.cycle import CycleTicket, Settlement, TradingState
from trading_bot.domain.errors import BrokerUnavailable, NotSent
from trading_bot.domain.listing import FindsMany
from trading_bot.domain.market import MarketState
from trading_bot.domain.money import ZERO
from trading_bot.domain.offers import offers
from trading_bot.domain.orders import ClientOrderId, Fill, OpenOrder, OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.words import sentence, shares_text, trade

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk
    from trading_bot.domain.ports import BrokerAdapter

log = logging.getLogger(__name__)

RECONCILIATION = "reconciliation"  # who changes the state, in the book
ON_ITS_WAY = timedelta(minutes=5)  # far above every timeout; until then, what the broker does not know may come yet
LOOK_AGAIN = (1.0, 2.0)  # seconds after which books that differ are compared again, in a live market
FEW = 3  # orders that are asked for one by one
LONGEST_WAY = timedelta(days=7)  # of a request to the broker; one that is lost for longer is lost


def settle(desk: Desk, ticket: CycleTicket, market: MarketState) -> Settlement:
    """Book what happened to open orders since the last cycle, and compare the books.

    A difference that nothing explains stops entries: the state becomes REDUCING until the owner
    resumes. What is safe to do twice is all that happens here, so a retry or a second run changes nothing.
    """
    held_before = desk.book.ledger.portfolio()
    late, warnings = _take_up_what_came_late(desk, ticket)  # first: advancing lets a simulated exchange trade it
    desk.broker.advance(market)
    _book_splits(desk, ticket, market)
    open_orders = desk.book.journal.open_orders()
    broker = desk.broker
    with meanwhile(broker, cash_question(desk)) as listed, meanwhile(broker, clock_question(desk)) as clocks:
        answers = _answers(desk, open_orders)
    fills, updates = book_answers(desk, ticket, [answer for answer in answers if answer is not None])
    for order, answer in zip(open_orders, answers, strict=True):
        if answer is None:
            _drop_what_never_arrived(desk, ticket, order)
    withdrawn = withdraw_needless_stops(desk, ticket, open_orders)
    cash = book_cash(desk, ticket, listed())
    later, differences = _differences(desk, ticket)
    newest = {u.client_order_id: u for u in (*late, *updates, *withdrawn.updates, *later.updates)}
    oversold = _tell_of_what_was_sold_twice(desk, held_before)
    notes = (
        *heed_the_clock(desk, ticket, clocks()),
        *warnings,
        *withdrawn.warnings,
        *oversold,
        *without_a_price(desk, market),
        *differences,
    )
    return Settlement(tuple(newest.values()), (*fills, *later.fills), notes, (*cash, *later.cash))


def _tell_of_what_was_sold_twice(desk: Desk, before: Portfolio) -> tuple[str, ...]:
    """Tell people of positions that turned short: the bot means none. The cycle buys the shares back."""
    held = desk.book.ledger.portfolio()
    if held is before:  # nearly always: nothing was booked
        return ()
    found = tuple(
        f"{shares_text(-position.quantity)} shares of {symbol} more were sold than were held: they are bought back"
        for symbol, position in sorted(held.positions.items())
        if position.quantity < 0 <= before.held(symbol)
    )
    if found:
        desk.notifier.send_alert(level="error", title="Sold twice", message=sentence("; ".join(found)))
    return found


def _answers(desk: Desk, orders: Sequence[OpenOrder]) -> list[OrderUpdate | None]:
    return where_they_stand(desk.broker, [order.intent.client_order_id for order in orders])


def where_they_stand(broker: BrokerAdapter, order_ids: Sequence[ClientOrderId]) -> list[OrderUpdate | None]:
    """Return what the broker says of each order, None of one it has never seen.

    Many are asked for with one question: what can still fill is listed, and only the others are asked for by name.
    """
    if not order_ids:
        return []
    if offers(broker, FindsMany):
        return list(broker.find_all(order_ids))
    listed = {order.client_order_id: order for order in broker.open_orders()} if len(order_ids) > FEW else {}
    return [listed.get(order_id) or broker.find(order_id) for order_id in order_ids]


def book_answers(
    desk: Desk, ticket: CycleTicket, answers: Sequence[OrderUpdate]
) -> tuple[tuple[Fill, ...], tuple[OrderUpdate, ...]]:
    """Book the fills behind the broker's answers, then the answers. Return what was new."""
    if not answers:
        return (), ()
    ids = [update.client_order_id for update in answers if update.filled]  # the others have no fills to ask for
    fills = desk.book.ledger.book_fills(ticket.lease, desk.broker.fills(ids)) if ids else ()
    return fills, desk.book.journal.record_updates(ticket.lease, answers)


def _take_up_what_came_late(desk: Desk, ticket: CycleTicket) -> tuple[tuple[OrderUpdate, ...], tuple[str, ...]]:
    """Open again what we gave up and the broker has all the same, and cancel it where it would trade twice.

    A request was held up, or its sender slept. The wish behind it may have been met by another order since.
    """
    updates: list[OrderUpdate] = []
    warnings: list[str] = []
    for order in desk.book.journal.given_up(ticket.session - LONGEST_WAY):
        answer = desk.broker.find(order.intent.client_order_id)
        if answer is None:
            continue
        doubt = ""
        if not answer.status.is_final and not _is_still_covered(desk, order):
            answer, doubt = _cancelled(desk, ticket, answer)
        came = f"The order to {trade(answer.side, answer.quantity, answer.symbol)} came after it was given up"
        warnings.append(f"{came}: it is {answer.status.replace('_', ' ')}{doubt}")
        log.warning("%s (%s)", warnings[-1], answer.client_order_id)
        updates += desk.book.journal.record_updates(ticket.lease, [answer])
    return tuple(updates), tuple(warnings)


def _is_still_covered(desk: Desk, order: OpenOrder) -> bool:
    """Say whether the order closes shares that no other open order closes. An entry never does."""
    intent = order.intent
    others = [other for other in desk.book.journal.open_orders() if other.intent.symbol == intent.symbol]
    leaving = sum((other.remaining for other in others if not other.intent.purpose.is_entry), ZERO)
    held = abs(desk.book.ledger.portfolio().held(intent.symbol))
    return not intent.purpose.is_entry and intent.quantity - order.filled <= held - leaving


def _cancelled(desk: Desk, ticket: CycleTicket, found: OrderUpdate) -> tuple[OrderUpdate, str]:
    """Cancel the order; return how it stands, and what is in doubt. Without a clear answer it counts as open."""
    try:
        answer = desk.broker.cancel(found.client_order_id, at=ticket.at)
    except (BrokerUnavailable, NotSent) as error:
        log.warning("No clear answer to cancelling order %s: %s", found.client_order_id, error)
        return found, ", and that it was cancelled is not confirmed"
    return answer, ""


def _book_splits(desk: Desk, ticket: CycleTicket, market: MarketState) -> None:
    if not market.splits:
        return
    held = desk.book.ledger.portfolio().positions
    pays = offers(desk.broker, ListsCash)  # then it lists what it pays for parts of a share, and we need not guess
    splits = [split for split in market.splits if split.symbol in held]
    priced = [(split, ZERO if pays else market.close_on(split.symbol, split.session)) for split in splits]
    for split in desk.book.ledger.apply_splits(
        ticket.lease, [(split, price) for split, price in priced if price is not None]
    ):
        log.info("%s was split %s for 1 on %s", split.symbol, split.ratio, split.session)


def _drop_what_never_arrived(desk: Desk, ticket: CycleTicket, order: OpenOrder) -> None:
    """End an order the broker has never seen. One of this very cycle is still current: it is sent again.

    One that was sent a moment ago may arrive yet. It stays open, so that nothing is bought in its place. A simulated
    exchange stands still until we advance it, so there it is given up at once: should it arrive, it cannot fill first.
    """
    intent = order.intent
    if intent.cycle_id == ticket.cycle_id:
        return
    reason = f"never reached the broker, and cycle {intent.cycle_id} is over"
    sent_before = None if desk.data.historical else desk.clock.now() - ON_ITS_WAY
    if desk.book.journal.expire_unsent(intent.client_order_id, ticket.lease, reason, sent_before=sent_before):
        log.warning("Order %s (%s) %s", intent.client_order_id, order.status, reason)
    else:
        log.warning("Order %s is not at the broker yet; nothing takes its place until it is", intent.client_order_id)


def _differences(desk: Desk, ticket: CycleTicket) -> tuple[Settlement, tuple[str, ...]]:
    """Compare cash and shares with the broker's; on a difference let exits through only. Raises LeaseLost.

    In a live market an order may be filling while we look, and be in one answer and not yet in the other: so what has
    fills that are not listed yet is looked at again, and is no reason to stop if it stays so. Return what was booked
    meanwhile, and the differences in words.
    """
    booked = Settlement()
    found = compare(desk).differences
    if found:
        fills, external = take_up_executions(desk, ticket)
        if fills or external:
            booked, found = Settlement(fills=fills, cash=external), compare(desk).differences
    for _ in looks(desk.broker, desk.clock.sleep, LOOK_AGAIN if found and _may_still_move(desk) else ()):
        booked = _booked_meanwhile(desk, ticket, booked)
        found = compare(desk).differences
        if not found or not _may_still_move(desk):
            break
    coming = _on_their_way(desk) if found else []
    if coming:
        log.warning("Fills of %s are not listed yet: %s", ", ".join(coming), "; ".join(found))
    elif found:
        _let_exits_through_only(desk, ticket, found)
    return booked, tuple(f"Our book and the broker's differ. {difference}" for difference in found)


def _may_still_move(desk: Desk) -> bool:
    """Say whether something is on its way that may make both books agree."""
    return not desk.data.historical and (offers(desk.broker, ListsCash) or bool(desk.book.journal.open_orders()))


def _booked_meanwhile(desk: Desk, ticket: CycleTicket, before: Settlement) -> Settlement:
    """Book what has come since the last look, and return it with what came before."""
    answers = _answers(desk, desk.book.journal.open_orders())
    fills, updates = book_answers(desk, ticket, [answer for answer in answers if answer is not None])
    cash = book_cash(desk, ticket, cash_question(desk)())
    return Settlement((*before.updates, *updates), (*before.fills, *fills), (), (*before.cash, *cash))


def _on_their_way(desk: Desk) -> list[str]:
    """Return the symbols of which the broker says that more has filled than it has listed so far."""
    if desk.data.historical:
        return []
    working = desk.book.journal.open_orders()
    answers = zip(working, _answers(desk, working), strict=True)
    return [order.intent.symbol for order, answer in answers if answer is not None and answer.filled > order.filled]


def _let_exits_through_only(desk: Desk, ticket: CycleTicket, found: Sequence[str]) -> None:
    if desk.book.control.read().state is not TradingState.ACTIVE:
        return
    cause = f"the books differ: {'; '.join(found)}"
    control = desk.book.control.set_state(
        TradingState.REDUCING, cause=cause, who=RECONCILIATION, only_from=TradingState.ACTIVE, lease=ticket.lease
    )
    if control.changed_by == RECONCILIATION:  # else somebody was quicker, and his word is the stronger one
        desk.notifier.send_alert(level="warning", title="Books differ", message=f"Exits only: {cause}")
