"""What the paper broker keeps, whatever it is kept in: a database, or the memory of one process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from trading_bot.domain.holdings import Event, SplitBooked, Traded
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.orders import (
    ClientOrderId,
    ExecutionId,
    Fill,
    OrderIntent,
    OrderStatus,
    OrderUpdate,
    TimeInForce,
)
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.records import changed, dataclass

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


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """One account: its name, its dollars, and the last session it has traded."""

    account_id: str
    cash: Decimal
    session: date | None


@dataclass(frozen=True, slots=True)
class Executed:
    """Shares that changed hands, before the books give them a number."""

    quantity: Decimal  # shares
    price: Decimal  # dollars per share
    fee: Decimal  # dollars
    session: date
    filled_at: datetime


class PaperBooks(Protocol):
    """The books of one account, open for one transaction."""

    def account(self) -> PaperAccount | None:
        """Return the account, None before it is opened."""
        ...

    def portfolio(self) -> Portfolio:
        """Return cash and the positions that are not zero, by symbol in alphabetical order."""
        ...

    def find(self, order_id: ClientOrderId) -> PaperOrder | None:
        """Return one order, or None."""
        ...

    def working(self) -> list[PaperOrder]:
        """Return every order that can still fill, oldest first."""
        ...

    def fills_of(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return the fills of some orders, oldest first."""
        ...

    def events_of(self, symbol: Symbol) -> list[Event]:
        """Return every fill and every split of one symbol, for `domain.holdings.replay`."""
        ...

    def add_split(self, split: Split, *, remainder: Decimal) -> None:
        """Write a split that changed a position."""
        ...

    def add_order(
        self, intent: OrderIntent, *, status: OrderStatus, reason: str, session: date | None, at: datetime
    ) -> None:
        """Write a new order, accepted or refused."""
        ...

    def change_order(
        self, order_id: ClientOrderId, *, filled: Decimal, status: OrderStatus, reason: str, at: datetime
    ) -> None:
        """Write where an order stands now."""
        ...

    def add_fill(self, order: OrderUpdate, executed: Executed) -> None:
        """Write one execution of `order`."""
        ...

    def set_position(self, position: Position) -> None:
        """Write a position, new or changed."""
        ...

    def set_account(self, account: PaperAccount) -> None:
        """Write the account, new or changed."""
        ...


class PaperStore(Protocol):
    """Where the books of one account are kept."""

    def reading(self) -> AbstractContextManager[PaperBooks]:
        """Give the books to look at."""
        ...

    def writing(self) -> AbstractContextManager[PaperBooks]:
        """Give the books to write in."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class MemoryBooks:
    """The books of an account that lives as long as the process, as a backtest's does."""

    def __init__(self) -> None:
        """Begin with empty books."""
        self._account: PaperAccount | None = None
        self._portfolio = Portfolio(Decimal(0))
        self._orders: dict[ClientOrderId, PaperOrder] = {}
        self._working: dict[ClientOrderId, None] = {}  # in the order in which they were placed
        self._fills: list[Fill] = []
        self._by_order: dict[ClientOrderId, list[Fill]] = {}
        self._splits: list[tuple[Split, Decimal]] = []

    def account(self) -> PaperAccount | None:
        """Return the account, None before it is opened."""
        return self._account

    def portfolio(self) -> Portfolio:
        """Return cash and the positions that are not zero."""
        return self._portfolio

    def find(self, order_id: ClientOrderId) -> PaperOrder | None:
        """Return one order, or None."""
        return self._orders.get(order_id)

    def working(self) -> list[PaperOrder]:
        """Return every order that can still fill, oldest first."""
        return [self._orders[order_id] for order_id in self._working]

    def fills_of(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return the fills of some orders, oldest first."""
        found = [fill for order_id in dict.fromkeys(order_ids) for fill in self._by_order.get(order_id, ())]
        return tuple(sorted(found, key=lambda fill: int(fill.execution_id.removeprefix("paper-"))))

    def events_of(self, symbol: Symbol) -> list[Event]:
        """Return every fill and every split of one symbol."""
        traded = ((n, fill) for n, fill in enumerate(self._fills, start=1) if fill.symbol == symbol)
        return [
            *(Traded(fill.session, n, fill.side, fill.quantity, fill.price) for n, fill in traded),
            *(SplitBooked(s.session, 0, s.ratio, rest) for s, rest in self._splits if s.symbol == symbol),
        ]

    def add_split(self, split: Split, *, remainder: Decimal) -> None:
        """Write a split that changed a position."""
        self._splits.append((split, remainder))

    def add_order(
        self, intent: OrderIntent, *, status: OrderStatus, reason: str, session: date | None, at: datetime
    ) -> None:
        """Write a new order, accepted or refused."""
        update = OrderUpdate(
            client_order_id=intent.client_order_id,
            broker_order_id=f"paper-{len(self._orders) + 1}",
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            quantity=intent.quantity,
            filled=Decimal(0),
            status=status,
            reason=reason,
            updated_at=at,
            limit_price=intent.limit_price,
            stop_price=intent.stop_price,
        )
        self._keep(PaperOrder(update, intent.time_in_force, session))

    def change_order(
        self, order_id: ClientOrderId, *, filled: Decimal, status: OrderStatus, reason: str, at: datetime
    ) -> None:
        """Write where an order stands now."""
        old = self._orders[order_id]
        update = changed(old.update, filled=filled, status=status, reason=reason, updated_at=at)
        self._keep(PaperOrder(update, old.time_in_force, old.session))

    def _keep(self, order: PaperOrder) -> None:
        order_id = order.update.client_order_id
        self._orders[order_id] = order
        if order.update.status in WORKING:
            self._working[order_id] = None
        else:
            self._working.pop(order_id, None)

    def add_fill(self, order: OrderUpdate, executed: Executed) -> None:
        """Write one execution of `order`."""
        fill = Fill(
            execution_id=ExecutionId(f"paper-{len(self._fills) + 1}"),
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=executed.quantity,
            price=executed.price,
            fee=executed.fee,
            session=executed.session,
            filled_at=executed.filled_at,
        )
        self._fills.append(fill)
        self._by_order.setdefault(order.client_order_id, []).append(fill)

    def set_position(self, position: Position) -> None:
        """Write a position, new or changed."""
        before = self._portfolio.positions
        positions = {**before, position.symbol: position}
        if not position.quantity:
            del positions[position.symbol]
        elif position.symbol not in before:
            positions = dict(sorted(positions.items()))
        self._portfolio = Portfolio(self._portfolio.cash, positions)

    def set_account(self, account: PaperAccount) -> None:
        """Write the account, new or changed."""
        self._account = account
        if account.cash != self._portfolio.cash:
            self._portfolio = Portfolio(account.cash, self._portfolio.positions)


class MemoryStore:
    """Keeps one account in memory. What fails half-way leaves it half-way: it is not traded on afterwards."""

    def __init__(self) -> None:
        """Begin with empty books."""
        self._books = nullcontext[PaperBooks](MemoryBooks())

    def reading(self) -> AbstractContextManager[PaperBooks]:
        """Give the books to look at."""
        return self._books

    def writing(self) -> AbstractContextManager[PaperBooks]:
        """Give the books to write in."""
        return self._books

    def close(self) -> None:
        """Hold on to nothing but memory."""
