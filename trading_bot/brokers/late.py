"""A broker that is connected when it is first asked for something."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from trading_bot.domain.market import MarketState
from trading_bot.domain.orders import ClientOrderId, Fill, OrderIntent, OrderUpdate
from trading_bot.domain.portfolio import Portfolio
from trading_bot.domain.ports import BrokerAccount, BrokerAdapter


class LateBroker:
    """Asks nobody before a cycle is let in: one that has to wait must not try the very door that is shut.

    Every method raises what connecting raises, and the next one tries again. `late_broker` makes one that has the
    optional ports of its kind, too.
    """

    def __init__(self, connect: Callable[[], BrokerAdapter]) -> None:
        """Remember how to connect."""
        self._connect = connect
        self._connected: BrokerAdapter | None = None

    def connected(self) -> BrokerAdapter:
        """Return the broker itself, connected now if it was not before."""
        if self._connected is None:
            self._connected = self._connect()
        return self._connected

    def account(self) -> BrokerAccount:
        """Return cash and buying power."""
        return self.connected().account()

    def get_portfolio(self) -> Portfolio:
        """Return positions and cash as the broker sees them."""
        return self.connected().get_portfolio()

    def advance(self, market: MarketState) -> None:
        """Let a simulated exchange trade."""
        self.connected().advance(market)

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Place the order."""
        return self.connected().submit(intent, at=at)

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Return the order with our id."""
        return self.connected().find(order_id)

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Ask to cancel."""
        return self.connected().cancel(order_id, at=at)

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Return every order that can still fill."""
        return self.connected().open_orders()

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return every fill of these orders."""
        return self.connected().fills(order_ids)

    def close(self) -> None:
        """Let go of what was connected, if anything was."""
        if self._connected is not None:
            self._connected.close()


def late_broker(kind: Callable[..., BrokerAdapter], connect: Callable[[], BrokerAdapter]) -> LateBroker:
    """Return a broker that offers all that a class of brokers does, and is connected when it is first asked."""
    return _late(kind)(connect)


@cache
def _late(kind: Callable[..., BrokerAdapter]) -> type[LateBroker]:
    more = [name for name in dir(kind) if not name.startswith("_") and not hasattr(LateBroker, name)]
    members = {name: _passed_on(name, inspect.getattr_static(kind, name)) for name in more}
    return type(f"Late{getattr(kind, '__name__', 'Broker')}", (LateBroker,), members)


def _passed_on(name: str, member: object) -> object:
    """Return what passes a question on to the connected broker; a fact about all of its kind is kept as it is."""
    if inspect.isdatadescriptor(member):
        return property(lambda late: getattr(late.connected(), name))
    if not inspect.isroutine(member):
        return member

    def ask(late: LateBroker, *args: Any, **named: Any) -> Any:
        return getattr(late.connected(), name)(*args, **named)

    return ask
