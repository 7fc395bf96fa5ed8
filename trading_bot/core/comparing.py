"""Does the broker have what our book has? Money that moved without a trade is booked; what differs is put in words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from trading_bot.domain.cash import CashActivity, CashKind, Execution, ListsCash, ListsExecutions, most_fees
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import CENT, ZERO, cents
from trading_bot.domain.offers import offers
from trading_bot.domain.orders import ExecutionId, Fill
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.records import dataclass
from trading_bot.domain.words import dollars, price_text, shares_text, trade

if TYPE_CHECKING:
    from trading_bot.core.desk import BothBooks, Desk
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


def cash_question(desk: Desk) -> Callable[[], tuple[CashActivity, ...]]:
    """Return what asks the broker for movements of cash, () where it lists none. It may be asked in any thread."""
    broker = desk.broker
    if not offers(broker, ListsCash):
        return tuple
    after = desk.book.cash.ask_after()
    return lambda: broker.cash_activities(after)


def book_cash(desk: Desk, ticket: CycleTicket, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
    """Book what moved cash at the broker without a trade. Twice changes nothing. Raises LeaseLost."""
    if not listed:
        return ()
    booked = desk.book.cash.book(ticket.lease, listed)
    for activity in booked:
        log.info("Booked %s: %s %s", activity.note, dollars(activity.amount), activity.symbol or "")
    return booked


def compare(desk: BothBooks) -> Comparison:
    """Ask the broker what it has, and say where our book has something else. Raises BrokerError."""
    ours, theirs = desk.book.ledger.portfolio(), desk.broker.get_portfolio()
    found = differences(ours, theirs, by_hand(desk))
    if ours.cash == theirs.cash or not offers(desk.broker, ListsCash):
        return Comparison(ours, theirs, tuple(found))
    explained = _explanation(desk, ours.cash - theirs.cash)
    if not explained:
        return Comparison(ours, theirs, tuple(found))
    log.info("%s", explained)
    return Comparison(ours, theirs, tuple(found[:-1]), explained)


def differences(ours: Portfolio, theirs: Portfolio, others: Mapping[Symbol, Decimal]) -> list[str]:
    """Return where our book and the broker's differ, in words: shares first, then cash. `others`: shares by hand."""
    same_stocks = list(ours.positions) == list(theirs.positions)
    if ours.cash == theirs.cash and same_stocks and _shares(ours) == _shares(theirs) and not others:  # nearly always
        return []
    found = [
        f"{symbol}: {ours.held(symbol)} shares in our book, {_and_by_hand(others.get(symbol, ZERO))}"
        f"{theirs.held(symbol)} at the broker"
        for symbol in sorted({*ours.positions, *theirs.positions, *others})
        if ours.held(symbol) + others.get(symbol, ZERO) != theirs.held(symbol)
    ]
    if ours.cash != theirs.cash:
        found.append(f"cash: ${ours.cash:,.2f} in our book, ${theirs.cash:,.2f} at the broker")
    return found


def _shares(portfolio: Portfolio) -> list[Decimal]:
    return [position.quantity for position in portfolio.positions.values()]


def _and_by_hand(shares: Decimal) -> str:
    return f"{shares} by hand, " if shares else ""


def accept_cash(desk: Desk, ticket: CycleTicket, found: Comparison, *, who: str, because: str) -> CashActivity:
    """Book the cash that differs on the owner's word, and return it: the broker is right, and nobody knows why.

    Raises:
        StateError: shares differ, too. Those are never taken on anybody's word: find out who traded.
        LeaseLost: the lease is not ours any more.
    """
    shares = differences(replace(found.ours, cash=found.theirs.cash), found.theirs, by_hand(desk))
    if shares:
        raise StateError(
            f"Only cash can be accepted, and shares differ: {'; '.join(shares)}. Buy or sell by hand what brings the "
            "account to what the book has."
        )
    now = desk.clock.now()
    accepted = CashActivity(
        activity_id=f"accepted {now.isoformat()}",
        kind=CashKind.ACCEPTED,
        amount=found.theirs.cash - found.ours.cash,
        day=ticket.session,
        created_at=now,
        note=f"accepted by {who}: {because}",
    )
    book_cash(desk, ticket, [accepted])
    return accepted


def by_hand(desk: BothBooks) -> Mapping[Symbol, Decimal]:
    """Return the shares in the account that the owner, or another program, has bought: no strategy touches them."""
    return desk.book.cash.by_hand() if offers(desk.broker, ListsExecutions) else {}


def without_a_price(desk: Desk, market: MarketState) -> tuple[str, ...]:
    """Return which shares by hand count in no limit, in words: nobody can say what they are worth."""
    return tuple(
        f"{symbol}, {shares_text(shares)} by hand, counts in no limit: the price source does not know the stock. Add "
        "it to data.symbols"
        for symbol, shares in by_hand(desk).items()
        if market.last_known_price(symbol) is None
    )


def take_up_executions(desk: Desk, ticket: CycleTicket) -> tuple[tuple[Fill, ...], tuple[CashActivity, ...]]:
    """Book what was traded in the account and is not in the book: our own fills, and what others have traded.

    An order of ours that had ended may have filled all the same, and nobody asks for it any more.
    Raises LeaseLost, BrokerError.
    """
    if not offers(desk.broker, ListsExecutions):
        return (), ()
    done = desk.broker.executions_since(desk.book.cash.ask_after())
    ours = desk.book.cash.ours({execution.client_order_id for execution in done})
    fills = desk.book.ledger.book_fills(ticket.lease, [_as_fill(e) for e in done if e.client_order_id in ours])
    for fill in fills:
        log.warning("Order %s filled after it had ended", fill.client_order_id)
    return fills, _import_by_hand(desk, ticket, done)


def _as_fill(done: Execution) -> Fill:
    return Fill(
        execution_id=ExecutionId(done.execution_id),
        client_order_id=done.client_order_id,
        symbol=done.symbol,
        side=done.side,
        quantity=done.quantity,
        price=done.price,
        fee=ZERO,  # who lists executions books fees apart
        session=done.day,
        filled_at=done.at,
    )


def _import_by_hand(desk: Desk, ticket: CycleTicket, done: Sequence[Execution]) -> tuple[CashActivity, ...]:
    """Book what others have traded, and return it.

    Where they have sold more than they had bought, they sold what is ours: nothing of that stock is booked, so that the
    books differ. An order that is named as ours but is not in the book is not theirs.
    """
    cash = desk.book.cash
    strangers = cash.strangers({execution.client_order_id for execution in done})
    theirs = [_as_activity(execution) for execution in done if execution.client_order_id in strangers]
    due = cash.due(theirs)
    held = dict(cash.by_hand())
    for activity in due:
        if activity.symbol is not None:
            held[activity.symbol] = held.get(activity.symbol, ZERO) + activity.shares
    ours = {symbol for symbol, shares in held.items() if shares < 0}
    for symbol in sorted(ours):
        log.warning("Others have sold %s of ours", symbol)
    theirs += _there_before(desk, held) if not desk.book.journal.open_orders() else []
    return cash.book(ticket.lease, [activity for activity in theirs if activity.symbol not in ours])


def _there_before(desk: Desk, held: Mapping[Symbol, Decimal]) -> list[CashActivity]:
    """Return the positions that were there before our book: those that its very first cycle finds.

    Later ones are known by their executions alone, which may be listed late: they would be counted twice.
    """
    if desk.book.ledger.equity_curve():
        return []
    now = desk.clock.now() + timedelta(microseconds=1)  # after the deposit, where that was booked in this very moment
    return [
        CashActivity(
            activity_id=f"held before: {symbol}",
            kind=CashKind.EXTERNAL,
            amount=ZERO,  # it was paid for before the opening deposit
            day=now.date(),
            created_at=now,
            symbol=symbol,
            note=f"{shares_text(shares)} {symbol} were there before",
            shares=shares,
        )
        for symbol, position in sorted(desk.broker.get_portfolio().positions.items())
        if (shares := position.quantity - held.get(symbol, ZERO)) > 0
    ]


def _as_activity(done: Execution) -> CashActivity:
    shares = done.side.sign * done.quantity
    what = f"{trade(done.side, done.quantity, done.symbol)} at {price_text(done.price)}"
    return CashActivity(
        activity_id=done.execution_id,
        kind=CashKind.EXTERNAL,
        amount=cents(-shares * done.price),
        day=done.day,
        created_at=done.at,
        symbol=done.symbol,
        note=f"{what}, order {done.client_order_id}",
        shares=shares,
    )


def _explanation(desk: BothBooks, missing: Decimal) -> str:
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
    if 0 < missing <= most_fees(desk.book.cash.traded((now - FEES_COME_WITHIN).date())):
        return f"The broker's cash is {dollars(missing)} below our book: less than fees of the last trades may be"
    return ""


def _not_booked(desk: BothBooks) -> Decimal:
    if not offers(desk.broker, ListsCash):
        return ZERO
    due = desk.book.cash.due(desk.broker.cash_activities(desk.book.cash.ask_after()))
    return sum((activity.amount for activity in due), ZERO)
