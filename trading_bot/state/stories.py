"""What was decided and what became of it, for people who ask: newest first, and only as much as is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, false, select

from trading_bot.domain.errors import StateError
from trading_bot.domain.stories import DecidedCycle, Entry, Filter
from trading_bot.domain.symbols import Symbol
from trading_bot.state import rows
from trading_bot.state.schema import cycles, decisions, fills, intents, orders, signals
from trading_bot.storage.database import Database

NEAR = 3  # names in an error

_SIGNAL = [column.label(f"signal_{column.name}") for column in signals.c]
_ENTRIES = (
    select(decisions, cycles.c.session, cycles.c.decided_at, intents.c.client_order_id, *_SIGNAL)
    .select_from(signals)
    .join(decisions, (decisions.c.cycle_id == signals.c.cycle_id) & (decisions.c.number == signals.c.number))
    .join(cycles, cycles.c.cycle_id == signals.c.cycle_id)
    .outerjoin(intents, (intents.c.cycle_id == signals.c.cycle_id) & (intents.c.decision == signals.c.number))
    .order_by(signals.c.cycle_id.desc(), signals.c.number)  # cycles are named by their time
)
_ORDER = select(intents, orders, cycles.c.decided_at).join(orders).join(cycles, cycles.c.cycle_id == intents.c.cycle_id)


class StoryBook:
    """Reads the journal."""

    def __init__(self, database: Database) -> None:
        """Take what `StateManager.open` made."""
        self._database = database

    def find_cycle(self, name: str | None = None) -> DecidedCycle:
        """Return a cycle that has decided: by its id, or the last one of a session (2022-01-31), or the last of all.

        Raises:
            StateError: there is no such cycle; the message names those that are near.
        """
        query = select(cycles).where(cycles.c.decided_at.is_not(None)).order_by(cycles.c.cycle_id.desc())
        with self._database.reading() as connection:
            session = _as_day(name)
            if name is None:
                row = connection.execute(query.limit(1)).one_or_none()
            elif session is not None:
                row = connection.execute(query.where(cycles.c.session == session).limit(1)).one_or_none()
            else:
                row = connection.execute(query.where(cycles.c.cycle_id == name)).one_or_none()
            if row is None:
                raise StateError(_no_such_cycle(connection, name))
        return _decided(row)

    def cycles_since(self, session: date) -> tuple[DecidedCycle, ...]:
        """Return every cycle of this session and of later ones that has decided, oldest first."""
        query = select(cycles).where(cycles.c.decided_at.is_not(None), cycles.c.session >= session)
        with self._database.reading() as connection:
            return tuple(_decided(row) for row in connection.execute(query.order_by(cycles.c.cycle_id)))

    def orders(
        self, symbol: Symbol | None = None, *, open_only: bool = False, limit: int | None = None
    ) -> tuple[Entry, ...]:
        """Return the decisions that led to an order, the newest first: all, or those that something can come from."""
        query = _ENTRIES.where(intents.c.client_order_id.is_not(None), *_conditions(Filter(symbol=symbol)))
        if open_only:
            unsettled = select(orders.c.client_order_id).where(orders.c.settled == false())
            query = query.where(intents.c.client_order_id.in_(unsettled))
        return self._found(query, limit)

    def entries(self, wanted: Filter, *, limit: int | None = None) -> tuple[Entry, ...]:
        """Return decisions, those of the newest cycle first and within a cycle in the order they were taken."""
        return self._found(_ENTRIES.where(*_conditions(wanted)), limit)

    def _found(self, query: Select[Any], limit: int | None) -> tuple[Entry, ...]:
        with self._database.reading() as connection:
            found = connection.execute(query if limit is None else query.limit(limit)).all()
            return tuple(_entry(connection, row) for row in found)


def _decided(row: Row[Any]) -> DecidedCycle:
    return DecidedCycle(row.cycle_id, row.session, row.decided_at, row.regime or "")


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    for column, value in (
        (signals.c.symbol, wanted.symbol),
        (signals.c.cycle_id, wanted.cycle_id),
        (decisions.c.rule, wanted.rule),
        (decisions.c.outcome, wanted.outcome),
    ):
        if value is not None:
            yield column == value
    if wanted.before is not None:
        yield signals.c.cycle_id < wanted.before
    if wanted.since is not None:
        yield cycles.c.session >= wanted.since
    if wanted.until is not None:
        yield cycles.c.session <= wanted.until


def _entry(connection: Connection, row: Row[Any]) -> Entry:
    order, booked = None, ()
    if row.client_order_id is not None:
        mine = fills.c.client_order_id == row.client_order_id
        order = rows.update_of(connection.execute(_ORDER.where(intents.c.client_order_id == row.client_order_id)).one())
        booked = tuple(
            rows.fill_of(each) for each in connection.execute(select(fills).where(mine).order_by(fills.c.number))
        )
    return Entry(row.cycle_id, row.session, row.decided_at, rows.decision_of(row), order, booked)


def _as_day(name: str | None) -> date | None:
    try:
        return date.fromisoformat(name) if name and "-" in name[:5] else None
    except ValueError:
        return None


def _no_such_cycle(connection: Connection, name: str | None) -> str:
    decided = cycles.c.decided_at.is_not(None)
    if name is None:
        return "No cycle has decided anything yet. The first one does: bensbot run --once"
    day = _as_day(name)
    place = cycles.c.session if day else cycles.c.cycle_id
    newest = select(cycles.c.cycle_id).where(decided, place <= (day or name)).order_by(cycles.c.cycle_id.desc())
    next_one = select(cycles.c.cycle_id).where(decided, place > (day or name)).order_by(cycles.c.cycle_id)
    near = [*reversed(connection.scalars(newest.limit(NEAR)).all()), *connection.scalars(next_one.limit(1))]
    there_are = f"The nearest: {', '.join(near)}." if near else "None has decided yet."
    return f"No cycle {name} has decided anything. {there_are}"
