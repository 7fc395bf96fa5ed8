"""A broker that is connected when it is first asked for something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from trading_bot.domain.listing import AssetStatus, KnowsAssets, KnowsQuotes, Quote
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.orders import ClientOrderId, Fill, OrderIntent, OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import BrokerAccount, BrokerAdapter


class LateBroker:
    """Asks nobody before a cycle is let in: one that has to wait must not try the very door that is shut.

    Every method raises what connecting raises, and the next one tries again.
    """

    def __init__(self, connect: Callable[[], BrokerAdapter]) -> None:
        """Remember how to connect."""
        self._connect = connect
        self._connected: BrokerAdapter | None = None

    @property
    def _broker(self) -> BrokerAdapter:
        if self._connected is None:
            self._connected = self._connect()
        return self._connected

    def account(self) -> BrokerAccount:
        """Return cash and buying power."""
        return self._broker.account()

    def get_portfolio(self) -> Portfolio:
        """Return positions and cash as the broker sees them."""
        return self._broker.get_portfolio()

    def advance(self, market: MarketState) -> None:
        """Let a simulated exchange trade."""
        self._broker.advance(market)

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Place the order."""
        return self._broker.submit(intent, at=at)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Return the order with our id."""
        return self._broker.find(order_id)

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Ask to cancel."""
        return self._broker.cancel(order_id, at=at)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Return every order that can still fill."""
        return self._broker.open_orders()

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return every fill of these orders."""
        return self._broker.fills(order_ids)

    def assets(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, AssetStatus]:
        """Return what the broker says of these stocks; {} when it never says anything."""
        return self._broker.assets(symbols) if isinstance(self._broker, KnowsAssets) else {}

    def quotes(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Quote]:
        """Return the quotes the broker has of these stocks; {} when it has none at all."""
        return self._broker.quotes(symbols) if isinstance(self._broker, KnowsQuotes) else {}

    def close(self) -> None:
        """Let go of what was connected, if anything was."""
        if self._connected is not None:
            self._connected.close()
