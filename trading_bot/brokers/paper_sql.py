"""The paper broker's books in a database of its own. It is the outside world: it never looks into ours."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, Connection, Integer, MetaData, Row, String, Table, insert, inspect, select, text, update

from trading_bot.brokers.paper_books import WORKING, Executed, PaperAccount, PaperBooks, PaperOrder
from trading_bot.domain.errors import StateError
from trading_bot.domain.holdings import Event, SplitBooked, Traded
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.orders import (
    ClientOrderId,
    ExecutionId,
    Fill,
    OrderIntent,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Side,
    TimeInForce,
)
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.storage import dialects
from trading_bot.storage.columns import DateText, DecimalText, EnumText, InstantText
from trading_bot.storage.database import Database

BUSY_SECONDS = 5.0  # to wait for a locked database

metadata = MetaData()
accounts = Table(
    "paper_account",
    metadata,
    Column("account_id", String, primary_key=True),
    Column("cash", DecimalText, nullable=False),
    Column("session", DateText),  # the last session traded
)
positions = Table(
    "paper_positions",
    metadata,
    Column("symbol", String, primary_key=True),
    Column("quantity", DecimalText, nullable=False),
    Column("average_price", DecimalText, nullable=False),
)
orders = Table(
    "paper_orders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("client_order_id", String, nullable=False, unique=True),
    Column("symbol", String, nullable=False),
    Column("side", EnumText(Side), nullable=False),
    Column("type", EnumText(OrderType), nullable=False),
    Column("quantity", DecimalText, nullable=False),
    Column("filled", DecimalText, nullable=False),
    Column("limit_price", DecimalText),
    Column("time_in_force", EnumText(TimeInForce), nullable=False),
    Column("status", EnumText(OrderStatus), nullable=False),
    Column("reason", String, nullable=False),
    Column("session", DateText),  # the session it was placed in
    Column("updated_at", InstantText, nullable=False),
    Column("stop_price", DecimalText),
)
fills = Table(
    "paper_fills",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("client_order_id", String, nullable=False),
    Column("symbol", String, nullable=False),
    Column("side", EnumText(Side), nullable=False),
    Column("quantity", DecimalText, nullable=False),
    Column("price", DecimalText, nullable=False),
    Column("fee", DecimalText, nullable=False),
    Column("session", DateText, nullable=False),
    Column("filled_at", InstantText, nullable=False),
)

splits = Table(
    "paper_splits",
    metadata,
    Column("symbol", String, primary_key=True),
    Column("session", DateText, primary_key=True),
    Column("ratio", DecimalText, nullable=False),
    Column("remainder", DecimalText, nullable=False),  # new shares paid out in cash
)


class SqlBooks:
    """The books inside one transaction of a database."""

    def __init__(self, connection: Connection) -> None:
        """Take an open transaction."""
        self._connection = connection

    def account(self) -> PaperAccount | None:
        """Return the account, None before it is opened."""
        row = self._connection.execute(select(accounts)).one_or_none()
        return None if row is None else PaperAccount(row.account_id, row.cash, row.session)

    def portfolio(self) -> Portfolio:
        """Return cash and the positions that are not zero."""
        cash = self._connection.scalar(select(accounts.c.cash)) or Decimal(0)
        found = self._connection.execute(select(positions))
        rows = sorted(found, key=lambda row: row.symbol)  # servers sort text in many ways
        held = {Symbol(row.symbol): Position(Symbol(row.symbol), row.quantity, row.average_price) for row in rows}
        return Portfolio(cash, {symbol: position for symbol, position in held.items() if position.quantity})

    def find(self, order_id: ClientOrderId) -> PaperOrder | None:
        """Return one order, or None."""
        row = self._connection.execute(select(orders).where(orders.c.client_order_id == order_id)).one_or_none()
        return None if row is None else _order(row)

    def working(self) -> list[PaperOrder]:
        """Return every order that can still fill, oldest first."""
        rows = self._connection.execute(select(orders).where(orders.c.status.in_(WORKING)).order_by(orders.c.number))
        return [_order(row) for row in rows]

    def fills_of(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return the fills of some orders, oldest first."""
        wanted = select(fills).where(fills.c.client_order_id.in_(list(order_ids))).order_by(fills.c.number)
        return tuple(
            Fill(
                execution_id=ExecutionId(f"paper-{row.number}"),
                client_order_id=ClientOrderId(row.client_order_id),
                symbol=Symbol(row.symbol),
                side=row.side,
                quantity=row.quantity,
                price=row.price,
                fee=row.fee,
                session=row.session,
                filled_at=row.filled_at,
            )
            for row in self._connection.execute(wanted)
        )

    def events_of(self, symbol: Symbol) -> list[Event]:
        """Return every fill and every split of one symbol, for `domain.holdings.replay`."""
        traded = self._connection.execute(select(fills).where(fills.c.symbol == symbol))
        split = self._connection.execute(select(splits).where(splits.c.symbol == symbol))
        return [
            *(Traded(row.session, row.number, row.side, row.quantity, row.price) for row in traded),
            *(SplitBooked(row.session, 0, row.ratio, row.remainder) for row in split),
        ]

    def add_split(self, split: Split, *, remainder: Decimal) -> None:
        """Write a split that changed a position."""
        row = {"symbol": split.symbol, "session": split.session, "ratio": split.ratio, "remainder": remainder}
        self._connection.execute(insert(splits), row)

    def add_order(
        self, intent: OrderIntent, *, status: OrderStatus, reason: str, session: date | None, at: datetime
    ) -> None:
        """Write a new order, accepted or refused."""
        row = {
            "client_order_id": intent.client_order_id,
            "symbol": intent.symbol,
            "side": intent.side,
            "type": intent.type,
            "quantity": intent.quantity,
            "filled": Decimal(0),
            "limit_price": intent.limit_price,
            "time_in_force": intent.time_in_force,
            "status": status,
            "reason": reason,
            "session": session,
            "updated_at": at,
            "stop_price": intent.stop_price,
        }
        self._connection.execute(insert(orders), row)

    def change_order(
        self, order_id: ClientOrderId, *, filled: Decimal, status: OrderStatus, reason: str, at: datetime
    ) -> None:
        """Write where an order stands now."""
        values = {"filled": filled, "status": status, "reason": reason, "updated_at": at}
        self._connection.execute(update(orders).where(orders.c.client_order_id == order_id).values(values))

    def add_fill(self, order: OrderUpdate, executed: Executed) -> None:
        """Write one execution of `order`."""
        row = {
            "client_order_id": order.client_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "quantity": executed.quantity,
            "price": executed.price,
            "fee": executed.fee,
            "session": executed.session,
            "filled_at": executed.filled_at,
        }
        self._connection.execute(insert(fills), row)

    def set_position(self, position: Position) -> None:
        """Write a position, new or changed."""
        values = {"quantity": position.quantity, "average_price": position.average_price}
        changed = self._connection.execute(
            update(positions).where(positions.c.symbol == position.symbol).values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(positions), {"symbol": position.symbol} | values)

    def set_account(self, account: PaperAccount) -> None:
        """Write the account, new or changed."""
        values = {"cash": account.cash, "session": account.session}
        changed = self._connection.execute(update(accounts).values(values))
        if changed.rowcount == 0:
            self._connection.execute(insert(accounts), {"account_id": account.account_id, **values})


class SqlStore:
    """A database that holds the books of one account."""

    def __init__(self, url: str) -> None:
        """Open the database and make its tables. Raises StateError where that cannot be done."""
        engine = dialects.make_engine(url, busy_timeout_seconds=BUSY_SECONDS, read_only=False)
        self._database = Database(engine, dialects.place_of(url))
        try:
            self._database.prepare(read_only=False)
            with self._database.writing() as connection:
                metadata.create_all(connection)
                _complete(connection)
        except StateError:
            self._database.close()
            raise

    @contextmanager
    def reading(self) -> Generator[PaperBooks]:
        """Give the books to look at."""
        with self._database.reading() as connection:
            yield SqlBooks(connection)

    @contextmanager
    def writing(self) -> Generator[PaperBooks]:
        """Give the books to write in: all of it is kept, or nothing."""
        with self._database.writing() as connection:
            yield SqlBooks(connection)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def _complete(connection: Connection) -> None:
    """Add the column that accounts of before stop orders do not have."""
    if orders.c.stop_price.name not in {column["name"] for column in inspect(connection).get_columns(orders.name)}:
        connection.execute(text("ALTER TABLE paper_orders ADD COLUMN stop_price TEXT"))


def _order(row: Row[tuple[object, ...]]) -> PaperOrder:
    update_ = OrderUpdate(
        client_order_id=ClientOrderId(row.client_order_id),
        broker_order_id=f"paper-{row.number}",
        symbol=Symbol(row.symbol),
        side=row.side,
        type=row.type,
        quantity=row.quantity,
        filled=row.filled,
        status=row.status,
        reason=row.reason,
        updated_at=row.updated_at,
        limit_price=row.limit_price,
        stop_price=row.stop_price,
    )
    return PaperOrder(update_, row.time_in_force, row.session)
