"""Does the broker have what our book has? Money that moved without a trade is booked; what differs is put in words."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from trading_bot.domain.cash import CashActivity, ListsCash, most_fees
from trading_bot.domain.money import CENT, ZERO
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.words import dollars

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk
    from trading_bot.domain.cycle import CycleTicket

log = logging.getLogger(__name__)

FEES_COME_WITHIN = timedelta(days=5)  # of a trade: they are charged overnight, and a long weekend lies between
A_DAY = timedelta(days=1)  # in which the broker's cash follows what it lists


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, and where they differ for no reason that is known."""

    ours: Portfolio
    theirs: Portfolio
    differences: tuple[str, ...]  # in words; none: both agree
    explained: str = ""  # what differs for a known reason, in words


def book_cash(desk: Desk, ticket: CycleTicket) -> tuple[CashActivity, ...]:
    """Book what moved cash at the broker without a trade. Twice changes nothing. Raises LeaseLost, BrokerError."""
    if not isinstance(desk.broker, ListsCash):
        return ()
    booked = desk.book.cash.book(ticket.lease, desk.broker.cash_activities(desk.book.cash.ask_after()))
    for activity in booked:
        log.info("Booked %s: %s %s", activity.note, dollars(activity.amount), activity.symbol or "")
    return booked


def compare(desk: Desk) -> Comparison:
    """Ask the broker what it has, and say where our book has something else. Raises BrokerError."""
    ours, theirs = desk.book.ledger.portfolio(), desk.broker.get_portfolio()
    found = differences(ours, theirs)
    if ours.cash == theirs.cash or not isinstance(desk.broker, ListsCash):
        return Comparison(ours, theirs, tuple(found))
    explained = _explanation(desk, ours.cash - theirs.cash)
    if not explained:
        return Comparison(ours, theirs, tuple(found))
    log.info("%s", explained)
    return Comparison(ours, theirs, tuple(found[:-1]), explained)


def differences(ours: Portfolio, theirs: Portfolio) -> list[str]:
    """Return where our book and the broker's differ, in words: shares first, then cash."""
    if ours == theirs:  # nearly always
        return []
    found = [
        f"{symbol}: {ours.held(symbol)} shares in our book, {theirs.held(symbol)} at the broker"
        for symbol in sorted({*ours.positions, *theirs.positions})
        if ours.held(symbol) != theirs.held(symbol)
    ]
    if ours.cash != theirs.cash:
        found.append(f"cash: ${ours.cash:,.2f} in our book, ${theirs.cash:,.2f} at the broker")
    return found


def _explanation(desk: Desk, missing: Decimal) -> str:
    """Say why the broker has `missing` dollars less cash than our book (more, where negative); "" when nobody knows.

    Fees are taken off the cash during the day or overnight, and are listed after that; some brokers list first.
    """
    due, now = desk.broker.account().fees_due, desk.clock.now()
    if missing == -_not_booked(desk):
        return f"The broker lists {dollars(-missing)} that the next cycle books"
    if due and abs(missing - due) <= CENT:
        return f"The broker has taken {dollars(missing)} off the cash for fees that it will charge overnight"
    listed = [activity.amount for activity in desk.book.cash.listed(now - A_DAY)]
    if missing and missing in (*listed, sum(listed, ZERO)):
        return f"The broker lists {dollars(missing)} that its cash does not have yet"
    if abs(missing) <= most_fees(desk.book.cash.traded((now - FEES_COME_WITHIN).date())):
        return f"The broker's cash is {dollars(missing)} below our book: less than fees of the last trades may be"
    return ""


def _not_booked(desk: Desk) -> Decimal:
    if not isinstance(desk.broker, ListsCash):
        return ZERO
    due = desk.book.cash.due(desk.broker.cash_activities(desk.book.cash.ask_after()))
    return sum((activity.amount for activity in due), ZERO)
