"""What we own: fills become positions and cash, to the cent, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from trading_bot.domain.cash import in_money_of_now
from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import StateError
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import ExecutionId, Fill
from trading_bot.domain.portfolio import EquityPoint, Portfolio, Position
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.track_record import ClosedTrade, Worth
from trading_bot.state import booking, rows, splitting, trades
from trading_bot.state import lease as leases
from trading_bot.state.cash import PaidIn, paid_in
from trading_bot.state.schema import THE_ROW, account, control, equity, fills, positions
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.market import Split
    from trading_bot.domain.ports import Clock

_UPDATE_EQUITY = update(equity).where(equity.c.session == bindparam("id"))


class Ledger:
    """Positions, cash and the equity curve. Position = sum of fills; cash ties to the cent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database = database
        self._clock = clock

    def book_fills(self, lease: Lease, booked: Sequence[Fill]) -> tuple[Fill, ...]:
        """Book fills, oldest first, and return those that are new: a fill reported twice counts once.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: a fill for an unknown order, more shares than ordered, or an execution id that
                comes back with other content. Nothing is booked then.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            new = _not_booked_yet(connection, booked)
            if new:
                booking.move_orders(connection, new)
                number = booking.next_number(connection)
                connection.execute(insert(fills), [rows.fill_cells(fill, number + n) for n, fill in enumerate(new)])
                booking.move_positions(connection, new)
                booking.book_cash(connection, [entry for fill in new for entry in booking.cash_of_fill(fill)], now)
        return new

    def apply_splits(self, lease: Lease, splits: Sequence[tuple[Split, Decimal]]) -> tuple[Split, ...]:
        """Turn old shares into new ones, once per symbol and session, and return the splits that did.

        Only shares held before the split's session are multiplied. Whole new shares stay; the rest is
        paid out in cash at the price given with the split (dollars per new share).

        Raises:
            LeaseLost: the lease is not ours any more.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            return splitting.apply(connection, splits, now)

    def portfolio(self) -> Portfolio:
        """Return cash and positions as booked."""
        with self._database.reading() as connection:
            held = {
                Symbol(row.symbol): Position(Symbol(row.symbol), row.quantity, row.average_price, row.first_session)
                for row in sorted(connection.execute(select(positions)), key=lambda row: row.symbol)
                if row.quantity != 0
            }
            return Portfolio(cents(booking.cash_balance(connection)[1]), held)

    def mark_equity(self, lease: Lease, point: EquityPoint, cycle_id: str) -> None:
        """Write the book's worth after a session; the same session again overwrites.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: the cash of the point is not the cash in the book.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            number, cash = booking.cash_balance(connection)
            if point.cash != cash:
                raise StateError(f"Equity of {point.session} counts {point.cash} dollars in cash; the book has {cash}.")
            cells = {"cash": point.cash, "equity": point.equity, "gross": point.gross, "cycle_id": cycle_id}
            marks = {"cash_rows": number, "marked_at": now}
            updated = connection.execute(_UPDATE_EQUITY, {"id": point.session, **cells, **marks})
            if not updated.rowcount:
                connection.execute(insert(equity), {"session": point.session, **cells, **marks})

    def equity_curve(self, limit: int | None = None) -> tuple[EquityPoint, ...]:
        """Return the newest `limit` points, or all of them, oldest first."""
        query = select(equity).order_by(equity.c.session.desc()).limit(limit)
        with self._database.reading() as connection:
            paid = paid_in(connection)
            points = [_point(row, paid) for row in connection.execute(query)]
        return tuple(reversed(points))

    def worths_before(self, session: date, most: int) -> tuple[Worth, ...]:
        """Return the worth at the end of the newest `most` sessions before `session`, oldest first.

        In the money of now: what the owner paid in or took out since is no profit and no loss. Nothing from before the
        owner last resumed trading: that opened a new chapter.
        """
        with self._database.reading() as connection:
            query, paid = _since_the_resume(connection), paid_in(connection)
            before = query.where(equity.c.session < session).order_by(equity.c.session.desc()).limit(most)
            then = query.where(equity.c.session >= session).order_by(equity.c.session)
            found = [*reversed(connection.execute(before).all()), *connection.execute(then)]
            points = [_point(row, paid) for row in found]
        worths = zip(points, in_money_of_now(points, paid.until()), strict=True)
        return tuple(Worth(point.session, value) for point, value in worths if point.session < session)

    def closed_trades(self, since: date) -> tuple[ClosedTrade, ...]:
        """Return the trades that ended in the sessions from `since` on, in the order of booking."""
        with self._database.reading() as connection:
            return trades.closed_trades(connection, since)

    def high_water(self) -> Decimal:
        """Return the highest equity in dollars since the owner last resumed trading, in the money of now.

        That counts from the newest equity at the moment of the resume. Never resumed: since the
        opening deposit, which counts itself. 0 before the account is bound.
        """
        with self._database.reading() as connection:
            query, paid = _since_the_resume(connection), paid_in(connection)
            points = [_point(row, paid) for row in connection.execute(query.order_by(equity.c.session))]
            opening = connection.scalar(select(account.c.opening_cash).where(account.c.id == THE_ROW)) or ZERO
            if not _resumed_at(connection):
                points = [EquityPoint(date.min, opening, opening), *points]
        return max(in_money_of_now(points, paid.until()), default=opening)


def _point(row: Row[Any], paid: PaidIn) -> EquityPoint:
    return EquityPoint(row.session, row.cash, row.equity, row.gross, paid.until(row.cash_rows))


def _resumed_at(connection: Connection) -> date | None:
    return connection.scalar(select(control.c.resumed_at_session).where(control.c.id == THE_ROW))


def _since_the_resume(connection: Connection) -> Select[Any]:
    """Return the query of the equity since the owner last resumed trading; of all of it when he never did."""
    since = _resumed_at(connection)
    return select(equity).where(equity.c.session >= since) if since else select(equity)


def _not_booked_yet(connection: Connection, booked: Sequence[Fill]) -> tuple[Fill, ...]:
    ids = [fill.execution_id for fill in booked]
    stored = connection.execute(select(fills).where(fills.c.execution_id.in_(ids)))
    known = {ExecutionId(row.execution_id): _content(row) for row in stored}
    new: list[Fill] = []
    for fill in booked:
        if fill.execution_id not in known:
            known[fill.execution_id] = _content(fill)
            new.append(fill)
        elif known[fill.execution_id] != _content(fill):
            raise StateError(f"Execution {fill.execution_id} is booked already, with other content: {fill}.")
    return tuple(new)


def _content(fill: Fill | Row[Any]) -> tuple[str, str, str, Decimal, Decimal]:
    return (fill.client_order_id, fill.symbol, fill.side, fill.quantity, fill.price)
