"""Bring the book up to what the broker says, between two cycles, and see whether both agree."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trading_bot.core.admission import require_consent, take_lease
from trading_bot.core.asking import meanwhile
from trading_bot.core.comparing import Comparison, accept_cash, compare
from trading_bot.core.settlement import settle
from trading_bot.domain.cash import ByHand
from trading_bot.domain.cycle import CycleTicket, Settlement, TradingState
from trading_bot.domain.errors import StateBusy, StateError
from trading_bot.domain.orders import OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import BrokerAccount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trading_bot.core.bot import Bot
    from trading_bot.state.manager import StateManager

NAME = "reconcile"  # of what is done here, where a cycle has its id


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was booked, and what both sides say afterwards."""

    settlement: Settlement
    ours: Portfolio
    theirs: Portfolio
    differences: tuple[str, ...]  # in words; none: both agree
    by_hand: ByHand
    state: TradingState


@dataclass(frozen=True, slots=True)
class Word:
    """The owner's word that the broker's cash is right, whatever the book says."""

    who: str
    because: str


@dataclass(frozen=True, slots=True)
class AccountNow:
    """The account as the broker has it, beside the book."""

    account: BrokerAccount
    theirs: Portfolio
    ours: Portfolio | None  # None: there is no book yet
    differences: tuple[str, ...]
    by_hand: ByHand
    for_now: str = ""  # why they may differ until the next cycle has ended, in words


def reconcile(bot: Bot, *, run_id: str, word: Word | None = None) -> Reconciled:
    """Book what became of open orders, and compare cash and shares. A difference lets exits through only.

    With the owner's `word`, cash that differs for no known reason is booked as the broker has it.

    Raises:
        CycleSkipped: a cycle is running (LEASE_TAKEN).
        StateBusy: a cycle has not ended, and the next one goes on with it.
        StateError: nothing was traded yet; or shares differ, and only cash can be taken on somebody's word.
        SettingsError, BrokerError, DataError: as in a cycle.
    """
    lease = take_lease(bot, run_id)
    with ExitStack() as undo:
        undo.callback(bot.book.control.release_lease, lease)
        if bot.book.cycles.unfinished():
            raise StateBusy("A cycle has not ended: the next one goes on with it and reconciles (bensbot run --once).")
        session = _session(bot)
        require_consent(bot.settings.broker, bot.broker.account())
        at = bot.hours.close_of(session) if bot.data.historical else bot.clock.now()
        state = bot.book.control.read().state
        ticket = CycleTicket(NAME, at, session, lease, state)
        settlement = settle(bot, ticket, bot.data.get_market_state(at, session))
        with meanwhile(bot.broker, bot.broker.open_orders) as orders:
            found = compare(bot)
        if word is not None and found.differences:
            accepted = accept_cash(bot, ticket, found, who=word.who, because=word.because)
            settlement, found = replace(settlement, cash=(*settlement.cash, accepted)), compare(bot)
        state = bot.book.control.read().state
        return Reconciled(settlement, found.ours, found.theirs, found.differences, others(bot, orders()), state)


def account_now(bot: Bot) -> AccountNow:
    """Ask the broker for the account, and compare it with the book. Nothing is changed. Raises BrokerError."""
    account = bot.broker.account()
    if bot.book.cycles.binding() is None:
        return AccountNow(account, bot.broker.get_portfolio(), None, (), others(bot, bot.broker.open_orders()))
    with meanwhile(bot.broker, bot.broker.open_orders) as orders:
        found = compare(bot)
    for_now = not_settled(bot.book, found)
    return AccountNow(account, found.theirs, found.ours, found.differences, others(bot, orders()), for_now)


def not_settled(book: StateManager, found: Comparison) -> str:
    """Return why both sides may differ for now: not all of a cycle, or of open orders, is booked. Empty: no reason."""
    if not found.differences:
        return ""
    if book.control.current_lease() is not None or book.cycles.unfinished():
        return "a cycle is trading, or was cut off: ask again when it, or the next one, has ended"
    ordered = {order.intent.symbol for order in book.journal.open_orders()}
    names = {*found.ours.positions, *found.theirs.positions}
    apart = {symbol for symbol in names if found.ours.held(symbol) != found.theirs.held(symbol)}
    settled = "the next cycle books what became of open orders; bensbot reconcile does so now"
    return settled if apart and apart <= ordered else ""


def others(bot: Bot, open_orders: Sequence[OrderUpdate]) -> ByHand:
    """Return what others have in the account: shares that are booked, and orders that are open at the broker now."""
    found = {order.client_order_id: order for order in open_orders}
    strangers = bot.book.cash.strangers(found)
    return ByHand(bot.book.cash.by_hand(), tuple(order for name, order in found.items() if name in strangers))


def _session(bot: Bot) -> date:
    """Return the session the books stand at: a simulated exchange must not trade a new one here."""
    traded = bot.book.cycles.last_traded_session()
    if traded is None:
        raise StateError(
            "Nothing was traded yet, so there is nothing to reconcile. The first cycle: bensbot run --once"
        )
    return traded if bot.data.historical else bot.hours.newest_session(bot.clock.now())
