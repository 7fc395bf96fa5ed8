"""What happens at the sandbox: orders come in, fill, end; cash and shares follow."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading_bot.domain.holdings import NOTHING, Holding, after_fill
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import Side
from trading_bot.sandbox.cash import Movement, Till
from trading_bot.sandbox.forms import Wanted, read_order
from trading_bot.sandbox.market import SandboxMarket
from trading_bot.sandbox.orders import Behaviour, Execution, SandboxOrder
from trading_bot.sandbox.refusals import Refusal, forbidden, unprocessable
from trading_bot.sandbox.working import (
    AT_ONCE,
    accepted,
    at_price,
    auction_of,
    canceled,
    claimed_by,
    legs_of,
    may_trade,
    siblings,
    time_is_over,
    trades_at,
)

NAMES = uuid.UUID("5b3f0c0e-8e1c-4f43-9a61-0d6f7d1f2a10")  # every id of the sandbox is derived from it
COLLAR = Decimal("1.025")  # a market buy is valued above the price when buying power is checked


class SandboxExchange:
    """One account and its orders. Every method may be called from any thread."""

    def __init__(
        self, market: SandboxMarket, *, cash: Decimal = Decimal(100_000), account_number: str = "PASANDBOX1"
    ) -> None:
        """Open a new account with `cash` dollars."""
        self.market, self.account_number = market, account_number
        self.account_id = str(uuid.uuid5(NAMES, account_number))
        self.opened_at = market.now()
        self.behaviour = Behaviour()
        self.listeners: list[Callable[[str, SandboxOrder, Execution | None], None]] = []
        self._lock = threading.RLock()
        self._till = Till(cash, NAMES, self.account_id)
        self._orders: dict[str, SandboxOrder] = {}  # by our id, in the order of arrival
        self._executions: list[Execution] = []
        self._held: dict[str, Holding] = {}

    # ── asking ────────────────────────────────────────────────────────────────────────────────────

    def orders(self) -> tuple[SandboxOrder, ...]:
        """Return every order, oldest first, after what time has done to them."""
        with self._lock:
            self._let_time_pass()
            return tuple(self._orders.values())

    def executions(self) -> tuple[Execution, ...]:
        """Return every execution, oldest first."""
        with self._lock:
            self._let_time_pass()
            return tuple(self._executions)

    def holdings(self) -> Mapping[str, Holding]:
        """Return what is held, by symbol; nothing with 0 shares."""
        with self._lock:
            self._let_time_pass()
            return dict(self._held)

    def cash(self) -> Decimal:
        """Return dollars, to the cent."""
        with self._lock:
            self._let_time_pass()
            pending = self._till.accrued if self.behaviour.fees == "accrued" else ZERO
            return self._till.cash - pending

    def fees_due(self) -> Decimal:
        """Return dollars of fees that will be charged overnight."""
        with self._lock:
            self._let_time_pass()
            return self._till.accrued

    def movements(self) -> tuple[Movement, ...]:
        """Return what moved cash beside trades, oldest first."""
        with self._lock:
            self._let_time_pass()
            return tuple(self._till.movements)

    def buying_power(self) -> Decimal:
        """Return the dollars that open buys leave."""
        with self._lock:
            return self.cash() - sum((self._cost(o) for o in self._open() if o.side is Side.BUY), ZERO)

    def available(self, symbol: str) -> Decimal:
        """Return the shares that no open sale has claimed."""
        with self._lock:
            return self._held.get(symbol, NOTHING).quantity - self.claimed().get(symbol, ZERO)

    def claimed(self) -> Mapping[str, Decimal]:
        """Return the shares that open sales have claimed, by symbol."""
        with self._lock:
            return claimed_by(self._open())

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def submit(self, body: Mapping[str, Any]) -> SandboxOrder:
        """Accept an order as the broker's document describes it. Raises Refusal."""
        with self._lock:
            self._let_time_pass()
            number = len(self._orders) + 1
            order_id = str(uuid.uuid5(NAMES, f"{self.account_id} order {number}"))
            wanted = read_order(body, spare_id=order_id)
            if wanted.client_order_id in self._orders:
                raise unprocessable("client_order_id must be unique", 40010001)
            self._refuse_what_cannot_be(wanted)
            order = accepted(wanted, order_id, self.market.now())
            for each in (order, *legs_of(wanted, order, NAMES)):
                self._tell("new", self._keep(each))
            return self._at_once(order) if order.time_in_force in AT_ONCE else order

    def legs(self, order: SandboxOrder) -> tuple[SandboxOrder, ...]:
        """Return the orders that came with this one, where it was the one that was sent."""
        with self._lock:
            found = (each for each in self._orders.values() if order.group == order.id == each.group)
            return tuple(each for each in found if each.id != order.id)

    def cancel(self, order_id: str) -> None:
        """Cancel by the broker's id. Raises Refusal (404 never seen, 422 finished)."""
        with self._lock:
            self._let_time_pass()
            order = next((order for order in self._orders.values() if order.id == order_id), None)
            if order is None:
                raise Refusal(404, 40410000, "order not found for " + order_id)
            if not order.is_open:
                raise Refusal(422, 42210000, f'order is already in "{order.status}" state')
            now = self.market.now()
            if self.behaviour.slow_cancel:
                self._keep(replace(order, status="pending_cancel", updated_at=now))
            else:
                self._cancel_with_siblings(order, now)

    def finish_cancelling(self) -> None:
        """Let every cancel that was asked for take place."""
        with self._lock:
            for order in [order for order in self._orders.values() if order.status == "pending_cancel"]:
                self._cancel_with_siblings(order, self.market.now())

    def fill(self, client_order_id: str, quantity: Decimal | None = None, price: Decimal | None = None) -> Execution:
        """Fill an order by hand, all that is left of it by default, at the market's price by default."""
        with self._lock:
            order = self._orders[client_order_id]
            at = self.market.now()
            paid = price or self.market.price(order.symbol, at)
            late = self.behaviour.both_exits and order.status == "canceled"  # it had traded before it was cancelled
            if paid is None or not (order.is_open or late):
                raise ValueError(f"order {client_order_id} is {order.status}; price {paid}")
            return self._execute(order, quantity or order.remaining, paid, at)

    def deposit(self, dollars: Decimal) -> Movement:
        """Pay money in, or take it out with a minus."""
        return self.move_cash("CSD" if dollars > 0 else "CSW", dollars)

    def pay_dividend(self, symbol: str, per_share: Decimal) -> Movement:
        """Pay a dividend on what is held. Raises KeyError where nothing is."""
        with self._lock:
            held = self._held[symbol].quantity
            return self.move_cash("DIV", cents(held * per_share), sub_type="CDIV", symbol=symbol, quantity=held)

    def move_cash(
        self, kind: str, dollars: Decimal, *, sub_type: str = "", symbol: str = "", quantity: Decimal | None = None
    ) -> Movement:
        """Move money for whatever reason, in Alpaca's words."""
        with self._lock:
            now = self.market.now()
            return self._till.move(Movement("", kind, sub_type, dollars, now.date(), now, symbol, quantity))

    def take_back(self, activity_id: str) -> Movement:
        """Undo a movement of cash. Raises KeyError for an id never seen."""
        with self._lock:
            return self._till.take_back(activity_id)

    def charge_fees(self) -> None:
        """Charge all fees now, though the day is not over."""
        with self._lock:
            self._till.charge(self.market.now(), at_once=True)

    # ── what time does ────────────────────────────────────────────────────────────────────────────

    def _let_time_pass(self) -> None:
        """Fill what can fill now, and end what its time has ended. Called before every look."""
        now = self.market.now()
        self._till.charge(now)
        for name in [order.client_order_id for order in self._open()]:
            auction = auction_of(self._orders[name], self.market)
            if not self.behaviour.hold_fills and self._orders[name].is_open:  # the end of another may have ended it
                if auction is not None and auction <= now:
                    self._try(self._orders[name], auction)
                elif auction is None and may_trade(self._orders[name], self.market, now):
                    self._try(self._orders[name], now)
            order = self._orders[name]
            if order.is_open and time_is_over(order, self.market, now):
                over = replace(order, status="expired", updated_at=now, expired_at=now)
                self._tell("expired", self._keep(over))

    def _try(self, order: SandboxOrder, at: datetime) -> None:
        price = self.market.price(order.symbol, at)
        if price is not None:
            order = self._keep(at_price(order, price))
            if trades_at(order, price):
                self._execute(order, order.remaining, price, at)

    def _at_once(self, order: SandboxOrder) -> SandboxOrder:
        """Trade now what trades now, and cancel the rest."""
        now = self.market.now()
        if not self.behaviour.hold_fills and may_trade(order, self.market, now):
            self._try(order, now)
        order = self._orders[order.client_order_id]
        if order.is_open:
            self._cancel_with_siblings(order, now)
        return self._orders[order.client_order_id]

    def _cancel_with_siblings(self, order: SandboxOrder, at: datetime) -> None:
        for each in (order, *siblings(order, self._orders.values())):
            self._tell("canceled", self._keep(canceled(each, at)))

    def _follow(self, order: SandboxOrder, at: datetime) -> None:
        """Let the exits of an entry work once it has filled; the end of one exit is the end of the other."""
        for other in siblings(order, self._orders.values()):
            if not other.waits_for_entry and self.behaviour.both_exits:
                continue
            if not other.waits_for_entry:
                self._tell("canceled", self._keep(canceled(other, at)))
            elif order.id == order.group:
                self._tell("new", self._keep(replace(other, status="new", updated_at=at)))

    def _execute(self, order: SandboxOrder, quantity: Decimal, price: Decimal, at: datetime) -> Execution:
        filled = order.filled + quantity
        number = len(self._executions) + 1
        name = f"{at:%Y%m%d%H%M%S}000::{uuid.uuid5(NAMES, f'{self.account_id} execution {number}')}"
        execution = Execution(name, order.id, order.symbol, order.side, quantity, price, filled, order.quantity, at)
        self._executions.append(execution)
        held = after_fill(self._held.get(order.symbol, NOTHING), order.side, quantity, price)
        self._held.pop(order.symbol, None)
        if held.quantity:
            self._held[order.symbol] = held
        self._till.cash -= cents(order.side.sign * quantity * price)
        if self.behaviour.fees:
            self._till.accrue(execution)
        status = "filled" if filled == order.quantity else "partially_filled"
        done = replace(order, filled=filled, paid=order.paid + quantity * price, status=status, updated_at=at)
        done = self._keep(replace(done, filled_at=at))
        self._tell("fill" if status == "filled" else "partial_fill", done, execution)
        if status == "filled":
            self._follow(done, at)
        return execution

    # ── refusing ──────────────────────────────────────────────────────────────────────────────────

    def _refuse_what_cannot_be(self, wanted: Wanted) -> None:
        """Raise Refusal for an asset that cannot be traded so, a wash trade, and what cannot be paid for."""
        if not self.market.knows(wanted.symbol):
            raise unprocessable(f'asset "{wanted.symbol}" not found')
        if wanted.symbol in self.behaviour.untradable:
            raise unprocessable(f"asset {wanted.symbol} is not tradable")
        if (wanted.quantity % 1 or wanted.notional is not None) and wanted.symbol in self.behaviour.whole_only:
            raise forbidden("requested asset is not fractionable")
        side = Side(wanted.side)
        working = [order for order in self._open() if not order.waits_for_entry]
        if any(order.symbol == wanted.symbol and order.side is not side for order in working):
            raise forbidden("potential wash trade detected. use complex orders")
        if side is Side.SELL and wanted.quantity > (left := self.available(wanted.symbol)):
            asked = f"(requested: {wanted.quantity:f}, available: {left:f})"
            raise forbidden(f"insufficient qty available for order {asked}")
        if side is Side.BUY and self._cost(accepted(wanted, "", self.market.now())) > self.buying_power():
            raise forbidden("insufficient buying power")

    def _cost(self, order: SandboxOrder) -> Decimal:
        """Return what a buy is valued at when buying power is checked, in dollars."""
        if order.notional is not None:
            return order.notional
        price = order.limit_price or (self.market.price(order.symbol, self.market.now()) or ZERO) * COLLAR
        return cents(order.remaining * price)

    def _open(self) -> list[SandboxOrder]:
        return [order for order in self._orders.values() if order.is_open]

    def _keep(self, order: SandboxOrder) -> SandboxOrder:
        self._orders[order.client_order_id] = order
        return order

    def _tell(self, event: str, order: SandboxOrder, execution: Execution | None = None) -> None:
        for listener in self.listeners:
            listener(event, order, execution)
