"""The paper broker: a simulated exchange with an account of its own, kept in a database of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from pydantic import SecretStr
from sqlalchemy import Connection, insert, select

from trading_bot.brokers import paper_books as books
from trading_bot.brokers.exchange import Bar, Costs, Match, Working, match
from trading_bot.brokers.registry import broker
from trading_bot.domain.holdings import Holding, SplitBooked, after_fill, remainder_of, replay
from trading_bot.domain.market import MarketState, Split, Symbol
from trading_bot.domain.money import ZERO, cents, price_of
from trading_bot.domain.orders import (
    ClientOrderId,
    Fill,
    OrderIntent,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Side,
    TimeInForce,
)
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.ports import BrokerAccount, BrokerSetup
from trading_bot.storage import dialects
from trading_bot.storage.database import Database

ACCOUNT_ID = "PAPER"


@broker("paper")
class PaperBroker:
    """Accepts orders at once, and trades them when `advance` brings a later session.

    `exchange.match` holds the rules of filling. A refusal is an answer with the reason; an order id that
    was seen before returns the order it belongs to, so asking twice never buys twice.
    """

    def __init__(self, setup: BrokerSetup) -> None:
        """Open the account, or make it with `starting_cash`. Raises StateError without a usable database."""
        known = {item.name for item in fields(Costs)}
        self._costs = Costs(**{name: value for name, value in setup.settings.items() if name in known})
        self._calendar = setup.calendar
        url = setup.settings.get("paper_url")
        place = url.get_secret_value() if isinstance(url, SecretStr) else f"sqlite:///{setup.folder / 'paper.db'}"
        engine = dialects.make_engine(place, busy_timeout_seconds=5.0, read_only=False)
        self._database = Database(engine, dialects.place_of(place))
        self._database.prepare(read_only=False)
        self._open_account(Decimal(str(setup.settings.get("starting_cash", "100000"))))

    def _open_account(self, cash: Decimal) -> None:
        with self._database.writing() as connection:
            books.metadata.create_all(connection)
            if connection.execute(select(books.accounts.c.account_id)).one_or_none() is None:
                connection.execute(insert(books.accounts), {"account_id": ACCOUNT_ID, "cash": cents(cash)})

    def account(self) -> BrokerAccount:
        """Return cash, and the buying power that open buy orders leave."""
        with self._database.reading() as connection:
            account_id, cash, _ = books.account_row(connection)
            return BrokerAccount(account_id, "paper", cash, cash - _reserved(connection))

    def get_portfolio(self) -> Portfolio:
        """Return positions and cash."""
        with self._database.reading() as connection:
            return books.portfolio(connection)

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Accept the order, or refuse it when holdings or the form do not allow it."""
        with self._database.writing() as connection:
            if books.find(connection, intent.client_order_id) is None:
                reason = _refusal(connection, intent)
                status = OrderStatus.REJECTED if reason else OrderStatus.ACCEPTED
                _, _, session = books.account_row(connection)
                books.add_order(connection, intent, status=status, reason=reason, session=session, at=at)
            return _known(connection, intent.client_order_id)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Return the order with our id, or None."""
        with self._database.reading() as connection:
            order = books.find(connection, order_id)
            return order.update if order else None

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Cancel what has not filled. Raises KeyError for an id never seen."""
        with self._database.writing() as connection:
            order = _known(connection, order_id)
            if not order.status.is_final:
                _end(connection, order, OrderStatus.CANCELED, "cancelled on request", at)
            return _known(connection, order_id)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Return every order that can still fill, oldest first."""
        with self._database.reading() as connection:
            return tuple(order.update for order in books.working(connection))

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return every fill of these orders, oldest first."""
        with self._database.reading() as connection:
            return books.fills_of(connection, order_ids)

    def advance(self, market: MarketState) -> None:
        """Trade every session after the last one traded, up to `market.session`, all or nothing."""
        with self._database.writing() as connection:
            _, cash, last = books.account_row(connection)
            if last is None:
                books.set_account(connection, cash=cash, session=market.session)
                return
            sessions = [day.astype(object) for day in market.history.sessions]
            for session in (day for day in sessions if last < day <= market.session):
                self._trade(connection, market, session)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _trade(self, connection: Connection, market: MarketState, session: date) -> None:
        self._split(connection, market, session)
        for order in books.working(connection):
            if order.session is None or order.session < session:
                self._fill(connection, order, market, session)
        _, cash, _ = books.account_row(connection)
        books.set_account(connection, cash=cash, session=session)

    def _split(self, connection: Connection, market: MarketState, session: date) -> None:
        """Change positions as every split effective by now does, one that was learned of late included.

        Orders on the symbol are void, as their price means something else now.
        """
        for split in (split for split in market.splits if split.session <= session):
            events = books.events_of(connection, split.symbol)
            if any(isinstance(event, SplitBooked) and event.session == split.session for event in events):
                continue
            held = replay(event for event in events if event.session < split.session).quantity
            if held:
                self._book_split(connection, market, split, held)
            if split.session > self._last_session(connection):
                self._void_orders(connection, split, session)

    def _book_split(self, connection: Connection, market: MarketState, split: Split, held: Decimal) -> None:
        """Turn `held` old shares into new ones, and the fraction that is left into cash."""
        rest = remainder_of(held, split.ratio)
        books.add_split(connection, split, remainder=rest)
        after = replay(books.events_of(connection, split.symbol))
        books.set_position(connection, Position(split.symbol, after.quantity, after.average_price))
        price = market.close_on(split.symbol, split.session) or ZERO
        _, cash, last = books.account_row(connection)
        books.set_account(connection, cash=cash + cents(rest * price), session=last)

    def _void_orders(self, connection: Connection, split: Split, session: date) -> None:
        why = f"void: {split.symbol} was split {split.ratio:f} for 1"
        for order in (order for order in books.working(connection) if order.update.symbol == split.symbol):
            _end(connection, order.update, OrderStatus.CANCELED, why, self._calendar.open_of(session))

    @staticmethod
    def _last_session(connection: Connection) -> date:
        _, _, last = books.account_row(connection)
        return last or date.min

    def _fill(self, connection: Connection, order: books.PaperOrder, market: MarketState, session: date) -> None:
        update, bar = order.update, _bar(market, order.update.symbol, session)
        ends = order.time_in_force is TimeInForce.DAY
        if bar is None:
            if ends:
                why = f"{update.symbol} did not trade on {session}"
                _end(connection, update, OrderStatus.EXPIRED, why, self._calendar.close_of(session))
            return
        _, cash, _ = books.account_row(connection)
        held = books.portfolio(connection).held(update.symbol)
        working = Working(update.side, update.type, order.remaining, update.limit_price, untouched=update.filled == 0)
        got = match(working, bar, cash=cash, held=held, costs=self._costs)
        at_close = bar.is_close_only or update.type is OrderType.LIMIT
        at = self._calendar.close_of(session) if at_close else self._calendar.open_of(session)
        if got.quantity:
            _book(connection, update, got, session, at)
        filled = update.filled + got.quantity
        status = _status(update.quantity, filled, ends=ends)
        books.change_order(connection, update.client_order_id, filled=filled, status=status, reason=got.reason, at=at)


def _book(connection: Connection, order: OrderUpdate, got: Match, session: date, at: datetime) -> None:
    """Write one execution: the fill, the position and the cash."""
    values: dict[str, object] = {"quantity": got.quantity, "price": got.price, "fee": got.fee}
    books.add_fill(connection, order, values | {"session": session, "filled_at": at})
    before = books.portfolio(connection)
    held = before.positions.get(order.symbol)
    holding = Holding(held.quantity, held.average_price) if held else Holding()
    after = after_fill(holding, order.side, got.quantity, got.price)
    books.set_position(connection, Position(order.symbol, after.quantity, after.average_price))
    paid = cents(order.side.sign * got.quantity * got.price) + got.fee
    books.set_account(connection, cash=before.cash - paid, session=session)


def _status(quantity: Decimal, filled: Decimal, *, ends: bool) -> OrderStatus:
    if filled == quantity:
        return OrderStatus.FILLED
    if ends:
        return OrderStatus.EXPIRED
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED


def _refusal(connection: Connection, intent: OrderIntent) -> str:
    """Return why the order cannot be accepted, "" when it can."""
    if intent.quantity <= 0:
        return f"{intent.quantity} shares is no order"
    if (intent.type is OrderType.LIMIT) != (intent.limit_price is not None):
        return "a limit order needs a limit price, and a market order has none"
    if intent.limit_price is not None and intent.limit_price <= 0:
        return f"a limit of ${intent.limit_price} is no price"
    if intent.side is Side.SELL:
        return _refused_sale(connection, intent)
    _, cash, _ = books.account_row(connection)
    left = cash - _reserved(connection)
    if left <= 0 or (intent.limit_price is not None and intent.limit_price * intent.quantity > left):
        return f"insufficient buying power: ${max(left, ZERO):,.2f} left"
    return ""


def _refused_sale(connection: Connection, intent: OrderIntent) -> str:
    held = books.portfolio(connection).held(intent.symbol)
    selling = (order for order in books.working(connection) if order.update.side is Side.SELL)
    available = held - sum((o.remaining for o in selling if o.update.symbol == intent.symbol), ZERO)
    if intent.quantity > available:
        return f"insufficient holdings: {intent.quantity:f} shares to sell, {available:f} available"
    return ""


def _reserved(connection: Connection) -> Decimal:
    """Return what open limit buys will cost. A market buy has no price yet and reserves nothing."""
    buys = (order for order in books.working(connection) if order.update.side is Side.BUY)
    return sum((cents(o.remaining * (o.update.limit_price or ZERO)) for o in buys), ZERO)


def _end(connection: Connection, order: OrderUpdate, status: OrderStatus, reason: str, at: datetime) -> None:
    books.change_order(connection, order.client_order_id, filled=order.filled, status=status, reason=reason, at=at)


def _known(connection: Connection, order_id: ClientOrderId) -> OrderUpdate:
    order = books.find(connection, order_id)
    if order is None:
        raise KeyError(f"the paper broker has no order {order_id}")
    return order.update


def _bar(market: MarketState, symbol: Symbol, session: date) -> Bar | None:
    """Return the session's bar in that day's own prices, None where there was no trade.

    The history is adjusted for every split up to `market.session`; a session before a split has to be
    turned back into what was really paid.
    """
    history = market.history
    column = history.find(symbol)
    if column is None:
        return None
    row = int(np.searchsorted(history.sessions, np.datetime64(session)))
    factor = market.split_factor(symbol, session)
    values = [float(array[row, column]) for array in (history.open, history.high, history.low, history.close)]
    if not np.isfinite(values).all() or min(values) <= 0:
        return None
    volume = float(history.volume[row, column])
    day_open, high, low, close = (price_of(value * float(factor)) for value in values)
    return Bar(day_open, high, low, close, Decimal(round(volume)) / factor if np.isfinite(volume) else None)
