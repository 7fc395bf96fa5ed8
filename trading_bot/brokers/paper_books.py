"""The paper broker's own books. It is the outside world: it never looks into ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, Connection, Integer, MetaData, Row, String, Table, insert, select, update

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
from trading_bot.storage.columns import DateText, DecimalText, EnumText, InstantText

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

WORKING = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order as the paper broker keeps it."""

    update: OrderUpdate
    time_in_force: TimeInForce
    session: date | None

    @property
    def remaining(self) -> Decimal:
        """Shares that can still fill."""
        return self.update.quantity - self.update.filled


def account_row(connection: Connection) -> tuple[str, Decimal, date | None]:
    """Return account id, cash and the last session traded."""
    row = connection.execute(select(accounts)).one()
    return row.account_id, row.cash, row.session


def portfolio(connection: Connection) -> Portfolio:
    """Return cash and the positions that are not zero."""
    _, cash, _ = account_row(connection)
    rows = sorted(connection.execute(select(positions)), key=lambda row: row.symbol)  # servers sort text in many ways
    held = {Symbol(row.symbol): Position(Symbol(row.symbol), row.quantity, row.average_price) for row in rows}
    return Portfolio(cash, {symbol: position for symbol, position in held.items() if position.quantity})


def find(connection: Connection, order_id: ClientOrderId) -> PaperOrder | None:
    """Return one order, or None."""
    row = connection.execute(select(orders).where(orders.c.client_order_id == order_id)).one_or_none()
    return None if row is None else _order(row)


def working(connection: Connection) -> list[PaperOrder]:
    """Return every order that can still fill, oldest first."""
    rows = connection.execute(select(orders).where(orders.c.status.in_(WORKING)).order_by(orders.c.number))
    return [_order(row) for row in rows]


def fills_of(connection: Connection, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
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
        for row in connection.execute(wanted)
    )


def events_of(connection: Connection, symbol: Symbol) -> list[Event]:
    """Return every fill and every split of one symbol, for `domain.holdings.replay`."""
    traded = connection.execute(select(fills).where(fills.c.symbol == symbol))
    split = connection.execute(select(splits).where(splits.c.symbol == symbol))
    return [
        *(Traded(row.session, row.number, row.side, row.quantity, row.price) for row in traded),
        *(SplitBooked(row.session, 0, row.ratio, row.remainder) for row in split),
    ]


def add_split(connection: Connection, split: Split, *, remainder: Decimal) -> None:
    """Write a split that changed a position."""
    row = {"symbol": split.symbol, "session": split.session, "ratio": split.ratio, "remainder": remainder}
    connection.execute(insert(splits), row)


def add_order(
    connection: Connection, intent: OrderIntent, *, status: OrderStatus, reason: str, session: date | None, at: datetime
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
    }
    connection.execute(insert(orders), row)


def change_order(
    connection: Connection, order_id: ClientOrderId, *, filled: Decimal, status: OrderStatus, reason: str, at: datetime
) -> None:
    """Write where an order stands now."""
    values = {"filled": filled, "status": status, "reason": reason, "updated_at": at}
    connection.execute(update(orders).where(orders.c.client_order_id == order_id).values(values))


def add_fill(connection: Connection, order: OrderUpdate, values: dict[str, object]) -> None:
    """Write one execution of `order`: quantity, price, fee, session and filled_at."""
    known = {"client_order_id": order.client_order_id, "symbol": order.symbol, "side": order.side}
    connection.execute(insert(fills), known | values)


def set_position(connection: Connection, position: Position) -> None:
    """Write a position, new or changed."""
    values = {"quantity": position.quantity, "average_price": position.average_price}
    changed = connection.execute(update(positions).where(positions.c.symbol == position.symbol).values(values))
    if changed.rowcount == 0:
        connection.execute(insert(positions), {"symbol": position.symbol} | values)


def set_account(connection: Connection, *, cash: Decimal, session: date | None) -> None:
    """Write the cash and the last session traded."""
    connection.execute(update(accounts).values(cash=cash, session=session))


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
    )
    return PaperOrder(update_, row.time_in_force, row.session)
