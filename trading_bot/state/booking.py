"""The writes behind the ledger: positions and cash move together, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, func, insert, select, update

from trading_bot.domain.errors import StateError
from trading_bot.domain.holdings import NOTHING, Event, Holding, SplitBooked, Traded, after_fill, replay
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import ClientOrderId, Fill
from trading_bot.domain.symbols import Symbol
from trading_bot.state import rows
from trading_bot.state.schema import cash_ledger, corporate_actions, fills, intents, orders, positions
from trading_bot.state.standings import save_standings, standing_of
from trading_bot.state.transitions import after_booking

_INSERT_POSITION = insert(positions)
_UPDATE_POSITION = update(positions).where(positions.c.symbol == bindparam("id"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A position as it is kept, also when nothing is left of it."""

    holding: Holding
    first_session: date
    last_session: date  # newest fill or split in it


@dataclass(frozen=True, slots=True)
class CashEntry:
    """One movement of cash, in dollars to the cent."""

    kind: str  # FILL, FEE, CASH_IN_LIEU, or what a `CashActivity` is
    amount: Decimal
    session: date
    symbol: Symbol | None
    execution_id: str | None = None


def cash_balance(connection: Connection) -> tuple[int, Decimal]:
    """Return the number of the newest row of the cash ledger and the cash after it."""
    newest = select(cash_ledger.c.number, cash_ledger.c.balance).order_by(cash_ledger.c.number.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (row.number, row.balance) if row else (0, ZERO)


def book_cash(connection: Connection, entries: Sequence[CashEntry], now: datetime) -> None:
    """Append to the cash ledger, each row with the balance after it."""
    number, balance = cash_balance(connection)
    cells: list[rows.Cells] = []
    for entry in entries:
        number, balance = number + 1, balance + entry.amount
        cells.append(
            {
                "number": number,
                "kind": entry.kind,
                "amount": entry.amount,
                "balance": balance,
                "session": entry.session,
                "symbol": entry.symbol,
                "execution_id": entry.execution_id,
                "booked_at": now,
            }
        )
    if cells:
        connection.execute(insert(cash_ledger), cells)


def cash_of_fill(fill: Fill) -> list[CashEntry]:
    """Return what a fill does to the cash: the trade, and the fee when it is at least a cent."""
    entries = [CashEntry("FILL", fill.cash, fill.session, fill.symbol, fill.execution_id)]
    if fee := cents(fill.fee):
        entries.append(CashEntry("FEE", -fee, fill.session, fill.symbol, fill.execution_id))
    return entries


def next_number(connection: Connection) -> int:
    """Return the number the next fill or split is booked under."""
    booked = (connection.scalar(select(func.max(table.c.number))) for table in (fills, corporate_actions))
    return 1 + max(number or 0 for number in booked)


def kept_positions(connection: Connection, symbols: Sequence[Symbol]) -> dict[Symbol, Kept]:
    """Return the positions of some symbols as they are kept, those of zero shares too."""
    found = connection.execute(select(positions).where(positions.c.symbol.in_(symbols)))
    return {
        Symbol(row.symbol): Kept(Holding(row.quantity, row.average_price), row.first_session, row.last_session)
        for row in found
    }


def keep_positions(connection: Connection, moved: Mapping[Symbol, Kept], known: Collection[Symbol]) -> None:
    """Write positions; `known` says which of them have a row already."""
    cells = {
        symbol: {
            "quantity": kept.holding.quantity,
            "average_price": kept.holding.average_price,
            "first_session": kept.first_session,
            "last_session": kept.last_session,
        }
        for symbol, kept in moved.items()
    }
    if old := [{"id": symbol, **columns} for symbol, columns in cells.items() if symbol in known]:
        connection.execute(_UPDATE_POSITION, old)
    if new := [{"symbol": symbol, **columns} for symbol, columns in cells.items() if symbol not in known]:
        connection.execute(_INSERT_POSITION, new)


def events_of(connection: Connection, symbol: Symbol) -> list[Event]:
    """Return every fill and split booked in one symbol."""
    traded = connection.execute(select(fills).where(fills.c.symbol == symbol))
    events: list[Event] = [Traded(row.session, row.number, row.side, row.quantity, row.price) for row in traded]
    actions = connection.execute(select(corporate_actions).where(corporate_actions.c.symbol == symbol))
    events += [SplitBooked(row.session, row.number, row.ratio, row.remainder) for row in actions]
    return events


def move_positions(connection: Connection, booked: Sequence[Fill]) -> None:
    """Bring positions up to date with fills whose rows are written."""
    known = kept_positions(connection, [fill.symbol for fill in booked])
    moved = {
        symbol: _after(connection, known.get(symbol), [fill for fill in booked if fill.symbol == symbol])
        for symbol in dict.fromkeys(fill.symbol for fill in booked)
    }
    keep_positions(connection, moved, known)


def _after(connection: Connection, old: Kept | None, new: Sequence[Fill]) -> Kept:
    sessions = [fill.session for fill in new]
    if old is None or not (old.holding.quantity or sessions[0] < old.last_session):
        old = Kept(NOTHING, sessions[0], sessions[0])
    span = (min(old.first_session, *sessions), max(old.last_session, *sessions))
    if sorted(sessions) != sessions or sessions[0] < old.last_session:
        # A late fill may belong before a split or another fill, so the symbol is computed afresh.
        return Kept(replay(events_of(connection, new[0].symbol)), *span)
    held = old.holding
    for fill in new:
        held = after_fill(held, fill.side, fill.quantity, fill.price)
    return Kept(held, *span)


def move_orders(connection: Connection, booked: Sequence[Fill]) -> None:
    """Add fills to their orders.

    Raises:
        StateError: an order that is not in the book, another symbol or side than ordered, or more
            shares than ordered.
    """
    wanted = [fill.client_order_id for fill in booked]
    query = select(intents, orders).join(orders).where(intents.c.client_order_id.in_(wanted))
    found = {ClientOrderId(row.client_order_id): row for row in connection.execute(query)}
    standings = {order_id: standing_of(row) for order_id, row in found.items()}
    for fill in booked:
        row = found.get(fill.client_order_id)
        if row is None:
            raise StateError(f"Fill {fill.execution_id} is for order {fill.client_order_id}, which is not in the book.")
        filled = standings[fill.client_order_id].filled + fill.quantity
        if (fill.symbol, fill.side) != (row.symbol, row.side) or filled > row.quantity:
            raise StateError(
                f"Fill {fill.execution_id} ({fill.side} {fill.quantity} {fill.symbol}, {filled} in all) does not fit "
                f"order {fill.client_order_id} ({row.side} {row.quantity} {row.symbol})."
            )
        standings[fill.client_order_id] = after_booking(standings[fill.client_order_id], filled)
    save_standings(connection, standings)
