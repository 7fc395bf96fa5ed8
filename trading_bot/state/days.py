"""Trading days, read back when they are over. Nothing is written here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, false, func, select

from trading_bot.domain.cycle import CycleStatus
from trading_bot.domain.day import BookedDay, DayCycles, DayDecisions, DayFill
from trading_bot.domain.errors import StateError
from trading_bot.domain.holdings import Event, SplitBooked, Traded, replay
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OpenOrder, OrderStatus, OrderUpdate
from trading_bot.domain.portfolio import EquityPoint, Position
from trading_bot.domain.symbols import Symbol
from trading_bot.state import rows
from trading_bot.state.cash import activities_between, paid_in
from trading_bot.state.schema import (
    THE_ROW,
    account,
    cash_ledger,
    corporate_actions,
    cycles,
    decisions,
    equity,
    fills,
    intents,
    orders,
)
from trading_bot.storage.database import Database

_TROUBLED = (OrderStatus.REJECTED, OrderStatus.EXPIRED_UNSENT)
_ORDERS = (
    select(intents, orders, cycles.c.decided_at)
    .join(orders)
    .join(cycles, cycles.c.cycle_id == intents.c.cycle_id)
    .order_by(cycles.c.decided_at, intents.c.decision)
)


class DayBook:
    """What one session came to: its cycles, decisions, orders and fills, and what was owned after it."""

    def __init__(self, database: Database) -> None:
        """Take what `StateManager.open` made."""
        self._database = database

    def traded(self, *, after: date | None = None) -> tuple[date, ...]:
        """Return every session in which a cycle completed, oldest first; with `after`, those later than it."""
        query = select(cycles.c.session).where(cycles.c.status == CycleStatus.COMPLETED)
        if after is not None:
            query = query.where(cycles.c.session > after)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query.distinct().order_by(cycles.c.session)))

    def cycles(self, session: date) -> DayCycles:
        """Return how the session's cycles ended; all zeros for a day without any."""
        with self._database.reading() as connection:
            return _cycles(connection, session)

    def read(self, session: date) -> BookedDay:
        """Return everything the book has of a session that was traded, as of one instant.

        Raises:
            StateError: no cycle of the session has marked its equity.
        """
        with self._database.reading() as connection:
            curve, before, counted = _curve(connection, session)
            split = _split_symbols(connection, session)
            return BookedDay(
                session=session,
                opening_cash=connection.scalar(select(account.c.opening_cash).where(account.c.id == THE_ROW)) or ZERO,
                equity_curve=curve,
                fills=_fills(connection, session, split),
                fills_by_session=_fills_by_session(connection, session),
                positions=_positions(connection, session),
                open_orders=_open_orders(connection, session),
                troubled_orders=_troubled_orders(connection, session),
                decisions=_decisions(connection, session),
                cycles=_cycles(connection, session),
                booked_late=_booked_late(connection, session, counted),
                cash=activities_between(connection, before, counted),
            )


def _curve(connection: Connection, session: date) -> tuple[tuple[EquityPoint, ...], int, int]:
    """Return the equity up to the session, and the newest cash row that the point before and its own count."""
    found = connection.execute(select(equity).where(equity.c.session <= session).order_by(equity.c.session)).all()
    if not found or found[-1].session != session:
        raise StateError(f"The book has no equity of session {session}: no cycle of it completed.")
    paid = paid_in(connection)
    points = [EquityPoint(row.session, row.cash, row.equity, paid_in=paid.until(row.cash_rows)) for row in found]
    return tuple(points), found[-2].cash_rows if len(found) > 1 else 0, found[-1].cash_rows


def _fills(connection: Connection, session: date, split: frozenset[Symbol]) -> tuple[DayFill, ...]:
    query = select(fills, intents.c.reference_price).join(intents, intents.c.client_order_id == fills.c.client_order_id)
    return tuple(
        # A price from before a split is in dollars per old share: nothing to compare a fill of this session with.
        DayFill(rows.fill_of(row), None if row.symbol in split else row.reference_price)
        for row in connection.execute(query.where(fills.c.session == session).order_by(fills.c.number))
    )


def _split_symbols(connection: Connection, session: date) -> frozenset[Symbol]:
    query = select(corporate_actions.c.symbol).where(corporate_actions.c.session == session)
    return frozenset(Symbol(symbol) for symbol in connection.scalars(query))


def _fills_by_session(connection: Connection, session: date) -> Mapping[date, int]:
    query = select(fills.c.session, func.count().label("fills")).where(fills.c.session <= session)
    return {row.session: row.fills for row in connection.execute(query.group_by(fills.c.session))}


def _positions(connection: Connection, session: date) -> Mapping[Symbol, Position]:
    """Replay what was booked up to the session: a later day may have moved the positions since."""
    events: defaultdict[Symbol, list[Event]] = defaultdict(list)
    for row in connection.execute(select(fills).where(fills.c.session <= session)):
        events[Symbol(row.symbol)].append(Traded(row.session, row.number, row.side, row.quantity, row.price))
    for row in connection.execute(select(corporate_actions).where(corporate_actions.c.session <= session)):
        events[Symbol(row.symbol)].append(SplitBooked(row.session, row.number, row.ratio, row.remainder))
    held = {symbol: replay(events[symbol]) for symbol in sorted(events)}
    return {
        symbol: Position(symbol, holding.quantity, holding.average_price)
        for symbol, holding in held.items()
        if holding.quantity
    }


def _open_orders(connection: Connection, session: date) -> tuple[OpenOrder, ...]:
    query = _ORDERS.where(orders.c.settled == false(), cycles.c.session <= session)
    return tuple(rows.open_order_of(row) for row in connection.execute(query))


def _troubled_orders(connection: Connection, session: date) -> tuple[OrderUpdate, ...]:
    query = _ORDERS.where(orders.c.status.in_(_TROUBLED), cycles.c.session == session)
    return tuple(rows.update_of(row) for row in connection.execute(query))


def _decisions(connection: Connection, session: date) -> DayDecisions:
    query = (
        select(decisions.c.outcome, decisions.c.rule, func.count().label("times"))
        .join(cycles, cycles.c.cycle_id == decisions.c.cycle_id)
        .where(cycles.c.session == session)
        .group_by(decisions.c.outcome, decisions.c.rule)
    )
    outcomes, refusals = Counter[str](), Counter[str]()
    for row in connection.execute(query):
        outcomes[row.outcome] += row.times
        if row.outcome == "rejected":
            refusals[row.rule] += row.times
    return DayDecisions(outcomes["approved"], outcomes["resized"], outcomes["rejected"], _most_first(refusals))


def _cycles(connection: Connection, session: date) -> DayCycles:
    query = select(cycles.c.status, cycles.c.attempt, cycles.c.skipped_because, cycles.c.message)
    ends, skips, begun_again, failures = Counter[CycleStatus](), Counter[str](), 0, dict[str, None]()
    for row in connection.execute(query.where(cycles.c.session == session).order_by(cycles.c.started_at)):
        ends[row.status] += 1
        begun_again += max(row.attempt - 1, 0)
        if row.status is CycleStatus.SKIPPED:
            skips[row.skipped_because] += 1
        elif row.status is CycleStatus.FAILED:
            failures[row.message] = None
    return DayCycles(
        completed=ends[CycleStatus.COMPLETED],
        failed=ends[CycleStatus.FAILED],
        cancelled=ends[CycleStatus.CANCELLED],
        running=ends[CycleStatus.RUNNING],
        begun_again=begun_again,
        skipped=_most_first(skips),
        failures=tuple(failures),
    )


def _booked_late(connection: Connection, session: date, counted: int) -> int:
    late = (cash_ledger.c.kind == "FILL") & (cash_ledger.c.session <= session) & (cash_ledger.c.number > counted)
    return connection.scalar(select(func.count()).select_from(cash_ledger).where(late)) or 0


def _most_first(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda named: (-named[1], named[0])))
