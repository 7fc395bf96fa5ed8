"""The paper broker: a simulated exchange with an account of its own, kept in a database of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from pydantic import SecretStr

from trading_bot.brokers.exchange import Bar, Costs, Match, Working, match
from trading_bot.brokers.paper_books import Executed, PaperAccount, PaperBooks, PaperOrder, PaperStore
from trading_bot.brokers.paper_sql import SqlStore
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

ACCOUNT_ID = "PAPER"
ITS_BOOKS = "paper.db"  # in the state folder, where `broker.paper_url` names no database


@broker("paper")
class PaperBroker:
    """Accepts orders at once, and trades them when `advance` brings a later session.

    `exchange.match` holds the rules of filling. A refusal is an answer with the reason; an order id that
    was seen before returns the order it belongs to, so asking twice never buys twice.
    """

    holds_stops: ClassVar[bool] = True
    simulated: ClassVar[bool] = True

    def __init__(self, setup: BrokerSetup, store: PaperStore | None = None) -> None:
        """Open the account, or make it with `starting_cash`.

        Without a `store` the books are in a database: the one of `paper_url`, or a file in the folder.
        Raises StateError without a usable one.
        """
        known = {item.name for item in fields(Costs)}
        self._costs = Costs(**{name: value for name, value in setup.settings.items() if name in known})
        self._calendar = setup.calendar
        # Splits that are booked, or met no position: what is traded from now on comes after them.
        self._done_with: set[Split] = set()
        self._store = store or SqlStore(_place(setup))
        with self._store.writing() as books:
            if books.account() is None:
                cash = Decimal(str(setup.settings.get("starting_cash", "100000")))
                books.set_account(PaperAccount(ACCOUNT_ID, cents(cash), None))

    def account(self) -> BrokerAccount:
        """Return cash, and the buying power that open buy orders leave."""
        with self._store.reading() as books:
            account = _account(books)
            return BrokerAccount(account.account_id, "paper", account.cash, account.cash - _reserved(books))

    def get_portfolio(self) -> Portfolio:
        """Return positions and cash."""
        with self._store.reading() as books:
            return books.portfolio()

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Accept the order, or refuse it when holdings or the form do not allow it."""
        with self._store.writing() as books:
            if books.find(intent.client_order_id) is None:
                reason = _refusal(books, intent)
                status = OrderStatus.REJECTED if reason else OrderStatus.ACCEPTED
                session = _account(books).session
                books.add_order(intent, status=status, reason=reason, session=session, at=at)
            return _known(books, intent.client_order_id)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Return the order with our id, or None."""
        with self._store.reading() as books:
            order = books.find(order_id)
            return order.update if order else None

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Cancel what has not filled. Raises KeyError for an id never seen."""
        with self._store.writing() as books:
            order = _known(books, order_id)
            if not order.status.is_final:
                _end(books, order, OrderStatus.CANCELED, "cancelled on request", at)
            return _known(books, order_id)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Return every order that can still fill, oldest first."""
        with self._store.reading() as books:
            return tuple(order.update for order in books.working())

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return every fill of these orders, oldest first."""
        with self._store.reading() as books:
            return books.fills_of(order_ids)

    def advance(self, market: MarketState) -> None:
        """Trade every session after the last one traded, up to `market.session`, all or nothing."""
        done_with = set(self._done_with)
        with self._store.writing() as books:
            account = _account(books)
            if account.session is None:
                books.set_account(replace(account, session=market.session))
                return
            for session in market.history.since(account.session):
                if session <= market.session:
                    self._trade(books, market, session, done_with)
        self._done_with = done_with  # not before it is kept: what is taken back is to be done again

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def _trade(self, books: PaperBooks, market: MarketState, session: date, done_with: set[Split]) -> None:
        self._split(books, market, session, done_with)
        for order in books.working():
            if order.session is None or order.session < session:
                self._fill(books, order, market, session)
        account = _account(books)
        books.set_account(PaperAccount(account.account_id, account.cash, session))

    def _split(self, books: PaperBooks, market: MarketState, session: date, done_with: set[Split]) -> None:
        """Change positions as every split effective by now does, one that was learned of late included.

        Orders on the symbol are void, as their price means something else now. Added to `done_with` is what need not be
        looked at again.
        """
        for split in market.splits:
            if split.session > session or split in done_with:
                continue
            events = books.events_of(split.symbol)
            booked = any(isinstance(event, SplitBooked) and event.session == split.session for event in events)
            held = ZERO if booked else replay(event for event in events if event.session < split.session).quantity
            if held:
                self._book_split(books, market, split, held)
            else:
                done_with.add(split)
            if not booked and split.session > self._last_session(books):
                self._void_orders(books, split, session)

    def _book_split(self, books: PaperBooks, market: MarketState, split: Split, held: Decimal) -> None:
        """Turn `held` old shares into new ones, and the fraction that is left into cash."""
        rest = remainder_of(held, split.ratio)
        books.add_split(split, remainder=rest)
        after = replay(books.events_of(split.symbol))
        books.set_position(Position(split.symbol, after.quantity, after.average_price))
        price = market.close_on(split.symbol, split.session) or ZERO
        account = _account(books)
        books.set_account(replace(account, cash=account.cash + cents(rest * price)))

    def _void_orders(self, books: PaperBooks, split: Split, session: date) -> None:
        why = f"void: {split.symbol} was split {split.ratio:f} for 1"
        for order in (order for order in books.working() if order.update.symbol == split.symbol):
            _end(books, order.update, OrderStatus.CANCELED, why, self._calendar.open_of(session))

    @staticmethod
    def _last_session(books: PaperBooks) -> date:
        return _account(books).session or date.min

    def _fill(self, books: PaperBooks, order: PaperOrder, market: MarketState, session: date) -> None:
        update, bar = order.update, _bar(market, order.update.symbol, session)
        ends = order.time_in_force is TimeInForce.DAY
        if bar is None:
            if ends:
                why = f"{update.symbol} did not trade on {session}"
                _end(books, update, OrderStatus.EXPIRED, why, self._calendar.close_of(session))
            return
        cash = _account(books).cash
        held = books.portfolio().held(update.symbol)
        working = Working(
            update.side, update.type, order.remaining, update.limit_price, update.filled == 0, update.stop_price
        )
        got = match(working, bar, cash=cash, held=held, costs=self._costs)
        if update.type is OrderType.STOP and not got.quantity and not ends:
            return  # it waits on
        at_close = bar.is_close_only or update.type is not OrderType.MARKET
        at = self._calendar.close_of(session) if at_close else self._calendar.open_of(session)
        if got.quantity:
            _book(books, update, got, session, at)
        filled = update.filled + got.quantity
        status = _status(update.quantity, filled, ends=ends)
        books.change_order(update.client_order_id, filled=filled, status=status, reason=got.reason, at=at)


def _place(setup: BrokerSetup) -> str:
    url = setup.settings.get("paper_url")
    return url.get_secret_value() if isinstance(url, SecretStr) else f"sqlite:///{setup.folder / ITS_BOOKS}"


def _book(books: PaperBooks, order: OrderUpdate, got: Match, session: date, at: datetime) -> None:
    """Write one execution: the fill, the position and the cash."""
    books.add_fill(order, Executed(got.quantity, got.price, got.fee, session, at))
    before = books.portfolio()
    held = before.positions.get(order.symbol)
    holding = Holding(held.quantity, held.average_price) if held else Holding()
    after = after_fill(holding, order.side, got.quantity, got.price)
    books.set_position(Position(order.symbol, after.quantity, after.average_price))
    paid = cents(order.side.sign * got.quantity * got.price) + got.fee
    books.set_account(PaperAccount(_account(books).account_id, before.cash - paid, session))


def _status(quantity: Decimal, filled: Decimal, *, ends: bool) -> OrderStatus:
    if filled == quantity:
        return OrderStatus.FILLED
    if ends:
        return OrderStatus.EXPIRED
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED


def _refusal(books: PaperBooks, intent: OrderIntent) -> str:
    """Return why the order cannot be accepted, "" when it can."""
    if intent.quantity <= 0:
        return f"{intent.quantity} shares is no order"
    if reason := _wrong_price(intent):
        return reason
    if intent.side is Side.SELL:
        return _refused_sale(books, intent)
    left = _account(books).cash - _reserved(books)
    if left <= 0 or (intent.limit_price is not None and intent.limit_price * intent.quantity > left):
        return f"insufficient buying power: ${max(left, ZERO):,.2f} left"
    return ""


def _wrong_price(intent: OrderIntent) -> str:
    if intent.type in (OrderType.STOP_LIMIT, OrderType.TRAILING_STOP):
        return f"the simulated broker takes market, limit and stop orders; {intent.type} is none of them"
    for kind, price in ((OrderType.LIMIT, intent.limit_price), (OrderType.STOP, intent.stop_price)):
        if (intent.type is kind) != (price is not None):
            return f"a {kind} order needs a {kind} price, and no other order has one"
        if price is not None and price <= 0:
            return f"a {kind} of ${price} is no price"
    return ""


def _refused_sale(books: PaperBooks, intent: OrderIntent) -> str:
    held = books.portfolio().held(intent.symbol)
    selling = (order for order in books.working() if order.update.side is Side.SELL)
    available = held - sum((o.remaining for o in selling if o.update.symbol == intent.symbol), ZERO)
    if intent.quantity > available:
        return f"insufficient holdings: {intent.quantity:f} shares to sell, {available:f} available"
    return ""


def _reserved(books: PaperBooks) -> Decimal:
    """Return what open limit buys will cost. A market buy has no price yet and reserves nothing."""
    buys = (order for order in books.working() if order.update.side is Side.BUY)
    return sum((cents(o.remaining * (o.update.limit_price or ZERO)) for o in buys), ZERO)


def _end(books: PaperBooks, order: OrderUpdate, status: OrderStatus, reason: str, at: datetime) -> None:
    books.change_order(order.client_order_id, filled=order.filled, status=status, reason=reason, at=at)


def _account(books: PaperBooks) -> PaperAccount:
    account = books.account()
    if account is None:
        raise LookupError("the paper account is gone from its books")
    return account


def _known(books: PaperBooks, order_id: ClientOrderId) -> OrderUpdate:
    order = books.find(order_id)
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
    row = history.row_of(session)
    values = [array.item(row, column) for array in (history.open, history.high, history.low, history.close)]
    if not all(0 < value < math.inf for value in values):  # NaN is none of these either
        return None
    factor, volume = market.split_factor(symbol, session), history.volume.item(row, column)
    paid = {value: price_of(value * float(factor)) for value in set(values)}  # one price only, where closes are known
    day_open, high, low, close = (paid[value] for value in values)
    return Bar(day_open, high, low, close, Decimal(round(volume)) / factor if math.isfinite(volume) else None)
