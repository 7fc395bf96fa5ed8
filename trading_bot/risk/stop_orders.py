"""Stop orders that rest at the broker: which ones there should be, beside those that are there already.

They work while no cycle runs. What is not whole shares cannot rest there, and is checked in each cycle like all exits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO, round_against_us, whole_shares
from trading_bot.domain.orders import OpenOrder, Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.protected import Exit, Level
from trading_bot.risk.protection import ProtectiveStop, levels

NEAR_ENOUGH = Decimal("0.005")  # share of the price: an order so near to its level is not replaced
RESTING = frozenset({Exit.STOP_LOSS, Exit.TRAILING_STOP})


def stop_orders(
    market: MarketState,
    portfolio: Portfolio,
    stop: ProtectiveStop,
    *,
    resting: Iterable[OpenOrder],
    busy: Collection[Symbol],
) -> tuple[Signal, ...]:
    """Return the stop orders that are missing at the broker, or not what they should be, by symbol.

    Args:
        market: the market.
        portfolio: what is really held: only that can be sold.
        stop: which exits there are.
        resting: the stop orders that wait at the broker.
        busy: symbols of which something else is on its way, so that their quantity may change.
    """
    if not stop.rests:
        return ()
    there = by_symbol(resting)
    found: list[Signal] = []
    for symbol, position in sorted(portfolio.positions.items()):
        price = market.price(symbol)
        if price is None or symbol in market.quarantined or symbol in busy:
            continue
        level = resting_level(levels(position, price, market, stop))
        if level is None or level.price is None or whole_shares(position.quantity) <= 0:
            continue
        at = stop_price(level.price)
        if at > 0 and not _is_there(position, at, there.get(symbol, ())):
            found.append(_signal(position, price, at, level))
    return tuple(found)


def is_needed(order: OpenOrder, portfolio: Portfolio, stop: ProtectiveStop) -> bool:
    """Say whether a stop order at the broker still guards shares that are held."""
    return stop.rests and order.remaining <= portfolio.held(order.intent.symbol)


def resting_level(exits: Iterable[Level]) -> Level | None:
    """Return the exit that a stop order can stand for: the highest one; None where there is none, or one is hit."""
    stops = [level for level in exits if level.exit in RESTING and level.price is not None]
    if not stops or any(level.is_hit for level in stops):
        return None
    return max(stops, key=lambda level: level.price or ZERO)


def stop_price(level: Decimal) -> Decimal:
    """Return a level on the tick, rounded down: the order sells no sooner than the bot would."""
    return round_against_us(level, buying=False)


def by_symbol(orders: Iterable[OpenOrder]) -> Mapping[Symbol, list[OpenOrder]]:
    """Return the orders of each symbol."""
    found: dict[Symbol, list[OpenOrder]] = {}
    for order in orders:
        found.setdefault(order.intent.symbol, []).append(order)
    return found


def _is_there(position: Position, at: Decimal, there: Collection[OpenOrder]) -> bool:
    """Say whether just one order rests there, over all whole shares and near enough to the price."""
    return len(there) == 1 and all(
        order.remaining == whole_shares(position.quantity)
        and order.intent.stop_price is not None
        and abs(order.intent.stop_price - at) < at * NEAR_ENOUGH
        for order in there
    )


def _signal(position: Position, price: Decimal, at: Decimal, level: Level) -> Signal:
    return Signal(
        symbol=position.symbol,
        side=Side.SELL,
        purpose=Purpose.STOP,
        wanted_weight=0.0,
        strength=0.0,  # nothing is wanted now
        strategy=str(level.exit),
        reason=f"a stop order guards it at the broker between cycles: {level.words}",
        evidence={"price": float(price), "stop": float(at), "average_price": float(position.average_price)},
        stop_price=at,
    )
