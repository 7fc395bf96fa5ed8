"""Splits in the book: old shares become new ones, the remainder becomes cash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select

from trading_bot.domain.holdings import remainder_of, replay
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.symbols import Symbol
from trading_bot.state import booking
from trading_bot.state.booking import CashEntry, Kept
from trading_bot.state.schema import corporate_actions

if TYPE_CHECKING:
    from trading_bot.domain.market import Split


def apply(connection: Connection, splits: Sequence[tuple[Split, Decimal]], now: datetime) -> tuple[Split, ...]:
    """Book every split that was not booked yet and meets a position; return those, oldest first."""
    known = booking.kept_positions(connection, [split.symbol for split, _ in splits])
    done = _booked(connection)
    applied: list[Split] = []
    for split, price in sorted(splits, key=lambda each: each[0].session):
        kept = known.get(split.symbol)
        if kept is None or (split.symbol, split.session) in done:
            continue
        held = _held_before(connection, kept, split)
        if held:
            known[split.symbol] = _book(connection, kept, split, held, price, now)
            done.add((split.symbol, split.session))
            applied.append(split)
    return tuple(applied)


def _booked(connection: Connection) -> set[tuple[Symbol, date]]:
    found = connection.execute(select(corporate_actions.c.symbol, corporate_actions.c.session))
    return {(Symbol(row.symbol), row.session) for row in found}


def _held_before(connection: Connection, kept: Kept, split: Split) -> Decimal:
    if split.session > kept.last_session:
        return kept.holding.quantity
    if split.session <= kept.first_session:
        return ZERO
    events = booking.events_of(connection, split.symbol)
    return replay(event for event in events if event.session < split.session).quantity


def _book(connection: Connection, kept: Kept, split: Split, held: Decimal, price: Decimal, now: datetime) -> Kept:
    remainder = remainder_of(held, split.ratio)
    cash = cents(remainder * price)
    connection.execute(
        insert(corporate_actions),
        {
            "symbol": split.symbol,
            "session": split.session,
            "number": booking.next_number(connection),
            "ratio": split.ratio,
            "quantity": held,
            "remainder": remainder,
            "price": price,
            "cash": cash,
            "applied_at": now,
        },
    )
    if cash:
        booking.book_cash(connection, [CashEntry("CASH_IN_LIEU", cash, split.session, split.symbol)], now)
    after = Kept(
        replay(booking.events_of(connection, split.symbol)), kept.first_session, max(kept.last_session, split.session)
    )
    booking.keep_positions(connection, {split.symbol: after}, known={split.symbol})
    return after
