"""What is held, and how far away the exits are, for `bensbot positions`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import OpenOrder
from trading_bot.domain.protected import Exit, Level, Protected, ProtectedPosition
from trading_bot.domain.words import counted, dollars, one_line, price_text, shares_text, signed_dollars, signed_percent

NAMES = {
    Exit.STOP_LOSS: "stop-loss",
    Exit.TRAILING_STOP: "trailing stop",
    Exit.TAKE_PROFIT: "take-profit",
    Exit.TIME_STOP: "time stop",
}
STOP_ORDER = "stop order"


def positions_as_text(held: Protected) -> str:
    """Return a few lines for each position."""
    head = f"After {held.session}: {counted(len(held.positions), 'position')}, cash {dollars(held.cash)}, "
    lines = [f"{head}equity {dollars(held.equity)}"]
    for each in held.positions:
        lines += ["", _headline(each)]
        lines += [f"  {NAMES[level.exit]:<13}  {_distance(each, level)}" for level in each.levels]
        lines += [] if each.levels else ["  no exit protects it"]
        lines += [f"  {STOP_ORDER:<13}  {line}" for line in _at_the_broker(each)]
    for symbol, shares in held.by_hand.items():
        lines += ["", f"{symbol}  {shares_text(shares)} EXTERNAL: bought by hand, and the bot leaves them alone"]
    return "\n".join(lines)


def positions_as_json(held: Protected) -> str:
    """Return the same for machines: money and shares as text that `Decimal` reads, distances as shares of the price."""
    document = {
        "session": held.session.isoformat(),
        "cash": str(held.cash),
        "equity": str(held.equity),
        "positions": [_document(each) for each in held.positions],
        "external": {symbol: str(shares) for symbol, shares in held.by_hand.items()},
    }
    return json.dumps(document, indent=2)


def _document(each: ProtectedPosition) -> dict[str, object]:
    position = each.position
    return {
        "symbol": position.symbol,
        "quantity": str(position.quantity),
        "average_price": str(position.average_price),
        "opened": position.opened.isoformat() if position.opened else None,
        "price": str(each.price),
        "price_is_fresh": each.is_fresh,
        "profit": f"{each.profit:.2f}",
        "exits": [_exit(each, level) for level in each.levels],
        "stop_orders": [_stop_order(order) for order in each.stop_orders],
        "unguarded": each.unguarded or None,
    }


def _stop_order(order: OpenOrder) -> dict[str, str]:
    return {
        "client_order_id": order.intent.client_order_id,
        "quantity": format(order.remaining, "f"),
        "price": format(order.intent.stop_price or ZERO, "f"),
        "status": str(order.status),
    }


def _at_the_broker(each: ProtectedPosition) -> Iterator[str]:
    for order in each.stop_orders:
        where = "at the broker" if order.rests else f"{order.status}: whether the broker has it is not known yet"
        yield f"{shares_text(order.remaining)} at {price_text(order.intent.stop_price or ZERO)}, {where}"
    if each.unguarded:
        yield one_line(each.unguarded)


def _exit(each: ProtectedPosition, level: Level) -> dict[str, object]:
    return {
        "exit": str(level.exit),
        "price": None if level.price is None else str(level.price),
        "distance": None if level.price is None else f"{level.price / each.price - 1:.6f}",
        "sessions_left": level.sessions_left,
        "is_hit": level.is_hit,
        "words": level.words,
    }


def _headline(each: ProtectedPosition) -> str:
    position, paid = each.position, each.position.average_price
    since = f" since {position.opened}" if position.opened else ""
    bought = f"{position.symbol}  {shares_text(position.quantity)} at {price_text(paid)}{since}"
    now = f"now {price_text(each.price)}{'' if each.is_fresh else ' (an older price)'}"
    return f"{bought}, {now}: {signed_dollars(each.profit)} ({signed_percent(each.price / paid - 1)})"


def _distance(each: ProtectedPosition, level: Level) -> str:
    if level.is_hit:
        return f"hit: {level.words}"
    if level.price is None:
        return f"in {counted(level.sessions_left or 0, 'session')}"
    return f"{price_text(level.price)}, {signed_percent(level.price / each.price - 1)} from here"
