"""Accounts at Alpaca, paper and live: https://docs.alpaca.markets ."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any, ClassVar, cast

from trading_bot.alpaca.activities import cash_activities_of
from trading_bot.alpaca.connect import Line, account_at, data_wire, trading_wire
from trading_bot.alpaca.doorbell import Doorbell
from trading_bot.alpaca.executions import Placed, everything_since, executions_of
from trading_bot.alpaca.finding import PAGE, found_all, open_pages
from trading_bot.alpaca.limits import AT_ONCE
from trading_bot.alpaca.orders import (
    account_of,
    instant,
    number,
    order_of,
    position_of,
    refused_order,
    submitted_at,
    text,
)
from trading_bot.alpaca.pretrade import Asset, asset_of, too_late, wrong_asset, wrong_form, wrong_sale, wrong_time
from trading_bot.alpaca.quotes import latest_quotes
from trading_bot.alpaca.sessions import session_times_of
from trading_bot.alpaca.ticket import Ticket, body_of, on_the_tick, ticket_of
from trading_bot.alpaca.wire import Refused
from trading_bot.brokers.registry import broker
from trading_bot.domain.cash import CashActivity, Execution
from trading_bot.domain.errors import BrokerUnavailable, NotSent
from trading_bot.domain.listing import AssetStatus, Quote
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import ClientOrderId, Fill, OrderIntent, OrderUpdate, Side
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import BrokerAccount, BrokerSetup

log = logging.getLogger(__name__)

ONE_BY_ONE = 10  # assets; for more of them all are asked for at once
TAKEN = "client_order_id must be unique"
SENDINGS = 2  # of one order under one name, when the first one got no clear answer and is not there


@broker("alpaca")
class AlpacaBroker:
    """One account at Alpaca, by alpaca-py.

    An order is sent under our name for it. Where the answer is not clear it is asked for by that name; what is not
    there is sent once more, under the same name, which the broker takes once only.
    """

    holds_stops: ClassVar[bool] = True
    require_settings = staticmethod(account_at)

    def __init__(self, setup: BrokerSetup, line: Line | None = None) -> None:
        """Get ready; nothing is sent yet. Raises SettingsError without keys."""
        settings: Mapping[str, Any] = setup.settings
        self._mode = "paper" if settings.get("paper", True) else "live"
        self._queue_for_open = bool(settings.get("queue_for_open", False))
        self._calendar = setup.calendar
        self._line = line or Line()
        keys, url = account_at(settings)
        self._wire = trading_wire(keys, url, self._line)
        own = Line(self._line.patience, sleep=self._line.sleep)  # the prices' host counts its requests apart
        self._data = data_wire(keys, settings.get("data_url"), own)
        stream = settings.get("stream_url")
        self._bell = Doorbell(stream, keys) if stream else None
        self._placed: dict[ClientOrderId, Placed] = {}
        self._assets: dict[str, Asset | None] = {}

    @property
    def most_at_once(self) -> int:
        """Orders that may be on their way at the same time; all of them share one limit of requests a minute."""
        return AT_ONCE

    def make_way(self, orders: int) -> None:
        """Wait until the limit of requests a minute lets so many through at once."""
        self._line.limit.make_way(orders)

    def wait_for_order(self, seconds: float) -> bool | None:
        """Wait at most so long; return True as soon as Alpaca has told of an order, None at once without a stream."""
        return None if self._bell is None else self._bell.wait(seconds)

    def account(self) -> BrokerAccount:
        """Return cash and buying power."""
        return account_of(self._read("/account"), self._mode)

    def time_there(self) -> datetime:
        """Return the broker's present instant."""
        return instant(self._read("/clock"), "timestamp")

    def session_times(self, first: date, last: date) -> Mapping[date, tuple[datetime, datetime]]:
        """Return when each session from `first` to `last` opens and closes, in UTC."""
        return session_times_of(self._list("/calendar", {"start": first.isoformat(), "end": last.isoformat()}))

    def get_portfolio(self) -> Portfolio:
        """Return positions and cash as the broker sees them."""
        with ThreadPoolExecutor(1, thread_name_prefix="portfolio") as other:  # both at once: one round trip
            asked = other.submit(self.account)
            positions = self._list("/positions")
            account = asked.result()
        held = [position_of(document) for document in positions]
        return Portfolio(account.cash, {position.symbol: position for position in held if position.quantity})

    def advance(self, market: MarketState) -> None:
        """Do nothing: the market moves by itself."""

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Place the order, once."""
        return self.place(ticket_of(intent), at=at)

    def place(self, ticket: Ticket, *, at: datetime) -> OrderUpdate:
        """Place an order of any type and class that Alpaca has, once. The bot itself needs few of them."""
        wanted = on_the_tick(ticket)
        reason = wrong_form(wanted)
        if reason:  # no broker has ever taken such an order
            return refused_order(wanted, reason, at)
        reason = self._refusal(wanted, at)
        if reason:  # things may have changed since it was sent the first time
            return self.find(wanted.client_order_id) or refused_order(wanted, reason, at)
        return self._place(wanted, at)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Return the order with our id, or None when the broker has never seen it."""
        try:
            found = self._wire.get("/orders:by_client_order_id", {"client_order_id": order_id})
        except Refused as no:
            if no.status == 404:
                return None
            raise _unexpected(no) from no
        return self._remember(found)

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Ask to cancel. Raises KeyError for an id never seen, BrokerUnavailable when it is not clear what became."""
        del at  # the broker has its own clock
        order = self._there(order_id)
        if order.status.is_final:
            return order
        try:
            self._wire.delete(f"/orders/{order.broker_order_id}")
        except Refused as no:  # it has ended meanwhile: asking again says how
            log.info("Order %s was not cancelled: %s", order_id, no.message)
        return self._there(order_id)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Return every order that can still fill, oldest first; the owner's own too, where we have words for them."""
        return tuple(order for page in self._open_pages() for order in page)

    def find_all(self, order_ids: Sequence[ClientOrderId]) -> Sequence[OrderUpdate | None]:
        """Return what `find` returns for each: what is open is listed, and only the rest is asked for by name."""
        return found_all(order_ids, self._open_pages(), self.find)

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return every fill of these orders, oldest first."""
        placed = [order for order_id in dict.fromkeys(order_ids) if (order := self._seen(order_id)) is not None]
        return executions_of(placed, lambda query: self._list("/account/activities/FILL", query), self._calendar)

    def cash_activities(self, after: datetime) -> tuple[CashActivity, ...]:
        """Return what moved cash beside trades, listed after an instant, oldest first."""
        return cash_activities_of(lambda query: self._list("/account/activities", query), after)

    def executions_since(self, after: datetime) -> tuple[Execution, ...]:
        """Return all that was traded in the account after an instant, by whomever, oldest first."""
        names = {placed.broker_order_id: placed.client_order_id for placed in self._placed.values()}
        query = {"status": "all", "limit": PAGE, "direction": "desc"}
        names |= {text(o, "id"): ClientOrderId(text(o, "client_order_id")) for o in self._list("/orders", query)}

        def named(order_id: str) -> ClientOrderId:
            if order_id not in names:
                names[order_id] = ClientOrderId(text(self._read(f"/orders/{order_id}"), "client_order_id"))
            return names[order_id]

        return everything_since(
            lambda asked: self._list("/account/activities/FILL", asked), after, named, self._calendar
        )

    def assets(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, AssetStatus]:
        """Return what may be done with these stocks; one that the broker does not know cannot be traded."""
        unknown = [symbol for symbol in symbols if symbol not in self._assets]
        if len(unknown) > ONE_BY_ONE:  # one long list is sooner there than many short answers
            listed = map(asset_of, self._list("/assets", {"status": "active", "asset_class": "us_equity"}))
            by_symbol = {asset.symbol: asset for asset in listed}
            self._assets |= {symbol: by_symbol.get(symbol) for symbol in unknown}
        known = {symbol: self._asset(symbol) for symbol in symbols}
        return {symbol: asset.status if asset else AssetStatus(tradable=False) for symbol, asset in known.items()}

    def quotes(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Quote]:
        """Return the newest quotes that the plan allows."""
        try:
            return latest_quotes(self._data, symbols) if symbols else {}
        except Refused as no:
            raise _unexpected(no) from no

    def close(self) -> None:
        """Let go of the connections."""
        if self._bell is not None:
            self._bell.close()
        self._wire.close()
        self._data.close()

    # ── placing ───────────────────────────────────────────────────────────────────────────────────

    def _place(self, ticket: Ticket, at: datetime) -> OrderUpdate:
        """Send, and ask by name where there is no clear answer. Raises BrokerUnavailable when none can be had."""
        for _ in range(SENDINGS):
            try:
                return self._remember(self._wire.post("/orders", body_of(ticket)))
            except Refused as no:
                if TAKEN in no.message:
                    return self._there(ticket.client_order_id)
                return refused_order(ticket, no.message, at)
            except BrokerUnavailable as unclear:
                log.warning("No clear answer to order %s, asking for it: %s", ticket.client_order_id, unclear)
                found = self._asked_for(ticket.client_order_id)
            if found is not None:
                return found
        raise BrokerUnavailable(f"Order {ticket.client_order_id} was sent {SENDINGS} times, and is not at the broker")

    def _asked_for(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Ask for an order that may be on its way, several times. Raises BrokerUnavailable when nobody answers."""
        try:
            for wait in self._line.patience.waits:
                if (found := self.find(order_id)) is not None:
                    return found
                self._line.sleep(wait)
            return self.find(order_id)
        except NotSent as error:  # the question was not sent; the order may well have been
            raise BrokerUnavailable(f"Order {order_id} may be at the broker, and cannot be asked for") from error

    def _refusal(self, ticket: Ticket, at: datetime) -> str:
        """Return why the order is not sent, "" when it is."""
        reason = wrong_asset(ticket, self._asset(ticket.symbol)) or too_late(ticket, at, self._calendar)
        if not reason and not self._queue_for_open:
            reason = wrong_time(ticket, at, self._calendar)
        return reason or (self._refused_sale(ticket) if ticket.side is Side.SELL else "")

    def _refused_sale(self, ticket: Ticket) -> str:
        """Return why shares cannot be sold, "" when they can."""
        try:
            available = number(self._wire.get(f"/positions/{ticket.symbol}"), "qty_available")
        except Refused as no:
            if no.status != 404:
                raise _unexpected(no) from no
            available = ZERO
        return wrong_sale(ticket, available)

    def _asset(self, symbol: str) -> Asset | None:
        """Return what may be done with a symbol, asked once for as long as the connection lasts."""
        if symbol not in self._assets:
            try:
                self._assets[symbol] = asset_of(cast("dict[str, Any]", self._wire.get(f"/assets/{symbol}")))
            except Refused as no:
                if no.status != 404:
                    raise _unexpected(no) from no
                self._assets[symbol] = None
        return self._assets[symbol]

    # ── reading ───────────────────────────────────────────────────────────────────────────────────

    def _there(self, order_id: ClientOrderId) -> OrderUpdate:
        order = self.find(order_id)
        if order is None:
            raise KeyError(f"Alpaca has no order {order_id}")
        return order

    def _seen(self, order_id: ClientOrderId) -> Placed | None:
        if order_id not in self._placed:
            self.find(order_id)
        return self._placed.get(order_id)

    def _remember(self, document: object) -> OrderUpdate:
        order = order_of(document)
        placed = Placed(order.client_order_id, order.broker_order_id, submitted_at(document))
        self._placed[order.client_order_id] = placed
        return order

    def _open_pages(self) -> Iterator[list[OrderUpdate]]:
        return open_pages(lambda query: self._list("/orders", query), self._remember)

    def _read(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        try:
            return self._wire.get(path, query)
        except Refused as no:
            raise _unexpected(no) from no

    def _list(self, path: str, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        found = self._read(path, query)
        if not isinstance(found, list):
            raise BrokerUnavailable(f"Alpaca's answer to {path} is no list")
        return cast("list[dict[str, Any]]", found)


def _unexpected(no: Refused) -> BrokerUnavailable:
    return BrokerUnavailable(f"Alpaca refused a question, HTTP {no.status}: {no.message}")
