"""The sandbox's records as the JSON of Alpaca's trading document. Money and shares are text there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading_bot.domain.holdings import Holding
from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import Side
from trading_bot.sandbox.cash import Movement
from trading_bot.sandbox.exchange import NAMES, SandboxExchange
from trading_bot.sandbox.market import SandboxMarket, value_of
from trading_bot.sandbox.orders import Execution, SandboxOrder

Document = dict[str, Any]

ALWAYS: Document = {  # what every account of the sandbox says of itself: it has cash, and no margin
    "status": "ACTIVE",
    "crypto_status": "INACTIVE",
    "currency": "USD",
    "options_buying_power": "0",
    "short_market_value": "0",
    "initial_margin": "0",
    "maintenance_margin": "0",
    "last_maintenance_margin": "0",
    "multiplier": "1",
    "sma": "0",
    "pending_transfer_in": "0",
    "account_blocked": False,
    "trading_blocked": False,
    "transfers_blocked": False,
    "trade_suspended_by_user": False,
    "shorting_enabled": False,
}


def account_document(exchange: SandboxExchange) -> Document:
    """Return the account."""
    cash, power = exchange.cash(), exchange.buying_power()
    market, at = exchange.market, exchange.market.now()
    values = [value_of(held.quantity, market.price(symbol, at)) for symbol, held in exchange.holdings().items()]
    shares = cents(sum(values, ZERO))
    document: Document = {
        "id": exchange.account_id,
        "account_number": exchange.account_number,
        "cash": text(cash),
        "buying_power": text(power),
        "regt_buying_power": text(power),
        "non_marginable_buying_power": text(power),
        "equity": text(cash + shares),
        "last_equity": text(cash + shares),
        "portfolio_value": text(cash + shares),
        "long_market_value": text(shares),
        "accrued_fees": text(exchange.fees_due()),
        "created_at": stamp(exchange.opened_at),
    }
    return ALWAYS | document | exchange.behaviour.fields


def order_document(order: SandboxOrder, *, said_status: str = "", legs: Iterable[SandboxOrder] = ()) -> Document:
    """Return one order with those that came with it; `said_status` is told in place of the true status."""
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": stamp(order.submitted_at),
        "submitted_at": stamp(order.submitted_at),
        "updated_at": stamp(order.updated_at),
        "filled_at": stamp(order.filled_at) if order.status == "filled" else None,
        "canceled_at": stamp(order.canceled_at),
        "expired_at": stamp(order.expired_at),
        "failed_at": None,
        "replaced_at": None,
        "replaced_by": None,
        "replaces": None,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": _known(order.notional),
        "qty": text(order.quantity) if order.notional is None else None,
        "filled_qty": text(order.filled),
        "filled_avg_price": text(order.paid / order.filled) if order.filled else None,
        "order_class": "" if order.order_class == "simple" else order.order_class,
        "order_type": order.type,
        "type": order.type,
        "side": order.side.value,
        "time_in_force": order.time_in_force,
        **_prices(order),
        "legs": [order_document(leg) for leg in legs] or None,
        "extended_hours": order.extended_hours,
        "status": said_status or order.status,
    }


def _prices(order: SandboxOrder) -> Document:
    return {
        "limit_price": _known(order.limit_price),
        "stop_price": _known(order.stop_price),
        "trail_price": _known(order.trail_price),
        "trail_percent": _known(order.trail_percent),
        "hwm": _known(order.highest),
    }


def execution_document(execution: Execution) -> Document:
    """Return one execution as an account activity."""
    left = execution.ordered - execution.filled_so_far
    return {
        "id": execution.id,
        "activity_type": "FILL",
        "type": "partial_fill" if left else "fill",
        "transaction_time": stamp(execution.at),
        "price": text(execution.price),
        "qty": text(execution.quantity),
        "side": execution.side.value,
        "symbol": execution.symbol,
        "leaves_qty": text(left),
        "cum_qty": text(execution.filled_so_far),
        "order_id": execution.order_id,
        "order_status": "partially_filled" if left else "filled",
    }


def movement_document(movement: Movement) -> Document:
    """Return one account activity that is no trade."""
    document: Document = {
        "id": movement.id,
        "activity_type": movement.type,
        "date": str(movement.day),
        "created_at": stamp(movement.created_at),
        "net_amount": text(movement.amount),
        "currency": "USD",
        "status": movement.status,
    }
    told = {"activity_sub_type": movement.sub_type, "symbol": movement.symbol}
    if movement.quantity:
        told |= {"qty": text(movement.quantity), "per_share_amount": text(movement.amount / movement.quantity)}
    return document | {name: value for name, value in told.items() if value}


def position_document(exchange: SandboxExchange, symbol: str, held: Holding, claimed: Decimal) -> Document:
    """Return what is held of one symbol, `claimed` shares of it by open sales."""
    price = exchange.market.price(symbol, exchange.market.now()) or held.average_price
    cost, worth = held.quantity * held.average_price, held.quantity * price
    gain = worth - cost
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": text(held.quantity),
        "qty_available": text(held.quantity - claimed),
        "avg_entry_price": text(held.average_price),
        "side": "long" if held.quantity > 0 else "short",
        "market_value": text(worth),
        "cost_basis": text(cost),
        "unrealized_pl": text(gain),
        "unrealized_plpc": text(gain / cost if cost else ZERO),
        "unrealized_intraday_pl": "0",
        "unrealized_intraday_plpc": "0",
        "current_price": text(price),
        "lastday_price": text(price),
        "change_today": "0",
    }


def asset_document(exchange: SandboxExchange, symbol: str) -> Document:
    """Return one asset."""
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": f"{symbol} of the sandbox",
        "status": "active",
        "tradable": symbol not in exchange.behaviour.untradable,
        "marginable": True,
        "shortable": False,
        "fractionable": symbol not in exchange.behaviour.whole_only,
        "attributes": [],
    }


def clock_document(market: SandboxMarket) -> Document:
    """Return the time, and whether orders fill now."""
    at = market.now()
    return {
        "timestamp": stamp(at),
        "is_open": market.is_open(at),
        "next_open": stamp(market.next_open(at)),
        "next_close": stamp(market.next_close(at)),
    }


def stream_document(event: str, order: SandboxOrder, execution: Execution | None) -> Document:
    """Return an order update as the stream sends it."""
    data: Document = {"event": event, "timestamp": stamp(order.updated_at), "order": order_document(order)}
    if execution is not None:
        data |= {
            "execution_id": execution.id.rpartition("::")[2],  # without the instant that activities have before it
            "price": text(execution.price),
            "qty": text(execution.quantity),
            "position_qty": text(execution.filled_so_far if execution.side is Side.BUY else ZERO),
        }
    return {"stream": "trade_updates", "data": data}


def asset_id(symbol: str) -> str:
    """Return the broker's id of a symbol: always the same one."""
    return str(uuid.uuid5(NAMES, f"asset {symbol}"))


def text(number: Decimal) -> str:
    """Write a number without an exponent."""
    return f"{number:f}"


def _known(number: Decimal | None) -> str | None:
    return None if number is None else text(number)


def stamp(at: datetime | None) -> str | None:
    """Write an instant as RFC 3339 with nine decimals, which is what Alpaca sends; None stays None."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}000Z"
