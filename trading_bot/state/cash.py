"""Money that came and went without a trade: what the broker lists, booked once, and corrected where it is corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, func, insert, select

from trading_bot.domain.cash import BY_OWNER, CashActivity, CashKind, Traded
from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import StateError
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OUR_PREFIX, ClientOrderId, OrderStatus, Side
from trading_bot.domain.symbols import Symbol
from trading_bot.state import booking
from trading_bot.state import lease as leases
from trading_bot.state.booking import CashEntry
from trading_bot.state.schema import account, cash_activities, fills, intents, orders
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock

LOOK_BACK = timedelta(days=7)  # in which something may be listed late, corrected or taken back
_NEVER_TAKEN = (OrderStatus.INTENDED, OrderStatus.REJECTED, OrderStatus.EXPIRED_UNSENT)


class CashBook:
    """Fees, dividends, interest and transfers by the broker's own id of each: booked twice counts once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database, self._clock = database, clock

    def ask_after(self) -> datetime:
        """Return the instant after which the broker is to be asked: a week before the newest that is booked.

        Raises:
            StateError: the book belongs to no account yet.
        """
        with self._database.reading() as connection:
            bound = _bound_at(connection)
            newest = connection.scalar(select(func.max(cash_activities.c.created_at)))
        return bound if newest is None else max(bound, newest - LOOK_BACK)

    def book(self, lease: Lease, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
        """Book what is not booked yet, and return it; of one that was corrected or taken back, the difference.

        What was listed before the account was bound is in the opening deposit.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: the book belongs to no account yet.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            due = _due(connection, listed)
            if due:
                number, _ = booking.cash_balance(connection)
                entries = [CashEntry(a.kind.value, a.amount - before, a.day, a.symbol) for a, before in due]
                booking.book_cash(connection, entries, now)
                rows = [_cells(number + n, a, before) for n, (a, before) in enumerate(due, start=1)]
                connection.execute(insert(cash_activities), rows)
        return _movements(due)

    def due(self, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
        """Return what `book` would book. Raises StateError where the book belongs to no account yet."""
        with self._database.reading() as connection:
            return _movements(_due(connection, listed))

    def traded(self, since: date) -> Traded:
        """Return what changed hands in the sessions from `since` on."""
        with self._database.reading() as connection:
            found = connection.execute(
                select(fills.c.side, fills.c.quantity, fills.c.price).where(fills.c.session >= since)
            ).all()
        sold = sum((row.quantity * row.price for row in found if row.side is Side.SELL), ZERO)
        return Traded(sold, sum((row.quantity for row in found), ZERO), len(found))

    def by_hand(self) -> Mapping[Symbol, Decimal]:
        """Return the shares that the owner, or another program, holds in the account: no strategy touches them."""
        query = select(cash_activities.c.symbol, cash_activities.c.shares).where(cash_activities.c.shares.is_not(None))
        held: defaultdict[Symbol, Decimal] = defaultdict(Decimal)
        with self._database.reading() as connection:
            for row in connection.execute(query):
                held[Symbol(row.symbol)] += row.shares
        return {symbol: shares for symbol, shares in sorted(held.items()) if shares}

    def external(self) -> tuple[CashActivity, ...]:
        """Return what others have traded in the account, in the order of booking."""
        query = select(cash_activities).where(cash_activities.c.shares.is_not(None))
        with self._database.reading() as connection:
            return _activities(connection, query.order_by(cash_activities.c.number))

    def strangers(self, order_ids: Collection[ClientOrderId]) -> frozenset[ClientOrderId]:
        """Return the names of orders that no bot of ours has given.

        One that is named as ours but is not in this book is none of them: the book has lost it, and must not forget so.
        """
        query = select(intents.c.client_order_id).where(intents.c.client_order_id.in_(order_ids))
        with self._database.reading() as connection:
            ours = set(connection.scalars(query))
        return frozenset(name for name in order_ids if name not in ours and not name.startswith(OUR_PREFIX))

    def ours(self, order_ids: Collection[ClientOrderId]) -> frozenset[ClientOrderId]:
        """Return the names of orders of this book that the broker has taken: they may fill after their end."""
        query = select(orders.c.client_order_id).where(orders.c.client_order_id.in_(order_ids))
        with self._database.reading() as connection:
            return frozenset(map(ClientOrderId, connection.scalars(query.where(orders.c.status.not_in(_NEVER_TAKEN)))))

    def listed(self, since: datetime) -> tuple[CashActivity, ...]:
        """Return what is booked of what the broker listed from an instant on, each movement with its own amount."""
        query = select(cash_activities).where(cash_activities.c.created_at >= since)
        query = query.where(cash_activities.c.kind != CashKind.ACCEPTED.value)
        with self._database.reading() as connection:
            return _activities(connection, query.order_by(cash_activities.c.number))


@dataclass(frozen=True, slots=True)
class PaidIn:
    """What the owner has paid in, less what he took out, by rows of the cash ledger."""

    movements: tuple[tuple[int, Decimal], ...]  # number of the row and dollars, ascending

    def until(self, row: int | None = None) -> Decimal:
        """Return the dollars up to a row, that one included; without one, all."""
        return sum((amount for number, amount in self.movements if row is None or number <= row), ZERO)


def paid_in(connection: Connection) -> PaidIn:
    """Return every transfer that is booked. There are few."""
    query = select(cash_activities.c.number, cash_activities.c.amount)
    query = query.where(cash_activities.c.kind.in_([kind.value for kind in BY_OWNER]))
    query = query.order_by(cash_activities.c.number)
    return PaidIn(tuple((row.number, row.amount) for row in connection.execute(query)))


def activities_between(connection: Connection, after: int, until: int) -> tuple[CashActivity, ...]:
    """Return what is booked in the rows of the cash ledger after `after`, up to `until`, each with its own amount."""
    number = cash_activities.c.number
    query = select(cash_activities).where(number > after, number <= until).order_by(number)
    return _activities(connection, query)


def _activities(connection: Connection, query: Select[Any]) -> tuple[CashActivity, ...]:
    return tuple(
        CashActivity(
            activity_id=row.activity_id,
            kind=CashKind(row.kind),
            amount=row.amount,
            day=row.day,
            created_at=row.created_at,
            symbol=Symbol(row.symbol) if row.symbol else None,
            note=row.note,
            shares=row.shares or ZERO,
        )
        for row in connection.execute(query)
    )


def _bound_at(connection: Connection) -> datetime:
    bound = connection.scalar(select(account.c.bound_at))
    if bound is None:
        raise StateError("The book belongs to no account yet. The first cycle binds it: bensbot run --once")
    return bound


def _movements(due: Sequence[tuple[CashActivity, Decimal]]) -> tuple[CashActivity, ...]:
    return tuple(replace(activity, amount=activity.amount - before) for activity, before in due)


def _due(connection: Connection, listed: Sequence[CashActivity]) -> list[tuple[CashActivity, Decimal]]:
    """Return what is listed with another amount than is booked, and how much is booked of it."""
    bound = _bound_at(connection)
    query = select(cash_activities.c.activity_id, cash_activities.c.total).order_by(cash_activities.c.number)
    wanted = query.where(cash_activities.c.activity_id.in_([activity.activity_id for activity in listed]))
    booked = {row.activity_id: row.total for row in connection.execute(wanted)}
    ours = [activity for activity in listed if activity.created_at > bound]
    newest = {activity.activity_id: activity for activity in ours}  # one that is listed twice counts once
    return [
        (activity, booked.get(name, ZERO))
        for name, activity in newest.items()
        if activity.amount != booked.get(name, ZERO) or (activity.shares and name not in booked)
    ]


def _cells(number: int, activity: CashActivity, before: Decimal) -> dict[str, object]:
    return {
        "number": number,
        "activity_id": activity.activity_id,
        "kind": activity.kind.value,
        "amount": activity.amount - before,
        "total": activity.amount,
        "day": activity.day,
        "symbol": activity.symbol,
        "note": activity.note,
        "shares": activity.shares if activity.shares and not before else None,
        "created_at": activity.created_at,
    }
