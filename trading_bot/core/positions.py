"""What is held, what it is worth just now, and how far away the exits are that protect it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import data_manager
from trading_bot.core.deciding import valuation
from trading_bot.core.hours import TradingHours
from trading_bot.core.judges import protective_stop
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.money import ZERO, whole_shares
from trading_bot.domain.orders import OpenOrder, OrderStatus, OrderType
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.ports import Clock
from trading_bot.domain.protected import Level, Protected, ProtectedPosition
from trading_bot.domain.words import shares_text
from trading_bot.risk.protection import ProtectiveStop, levels
from trading_bot.state.manager import StateManager

UNTIL_THEN = "until then exits are checked in each cycle only"
PARTS = "parts cannot rest at the broker, so they are checked in each cycle only"


def positions_now(settings: TradingBotSettings, book: StateManager, clock: Clock) -> Protected:
    """Return every position with its exits, at the newest close. Nothing is asked of the broker.

    Raises:
        StateError: the book has traded no session yet.
        DataError, SourceUnavailable: the prices are not to be had.
    """
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    data, portfolio = data_manager(settings, hours), book.ledger.portfolio()
    at, session = moment_to_look_at(data.historical, book, hours, clock)
    stop = protective_stop(settings)
    refusals = {symbol: _refusal(book, symbol) for symbol in portfolio.positions} if stop.rests else {}
    market, orders = data.get_market_state(at, session), book.journal.open_orders()
    found = protected(portfolio, market, stop, orders=orders, refusals=refusals)
    return replace(found, by_hand=book.cash.by_hand())


def protected(
    portfolio: Portfolio,
    market: MarketState,
    stop: ProtectiveStop,
    *,
    orders: Sequence[OpenOrder] = (),
    refusals: Mapping[Symbol, str] | None = None,
) -> Protected:
    """Return every position with its exits. Raises DataError when one has no price at all.

    `orders` are those that something can still come from, `refusals` the broker's words where it refused the newest
    order of a symbol and that was a stop order.
    """
    prices, found = valuation(portfolio, market), list[ProtectedPosition]()
    for symbol, position in sorted(portfolio.positions.items()):
        price = prices[symbol]
        exits = levels(position, price, market, stop)
        mine = tuple(order for order in orders if order.intent.symbol == symbol and order.remaining)
        waiting = tuple(order for order in mine if order.is_waiting)
        why = ""
        if stop.rests and position.quantity > 0:
            why = _why_unguarded(
                position, exits, waiting, (refusals or {}).get(symbol, ""), busy=len(mine) > len(waiting)
            )
        found.append(ProtectedPosition(position, price, market.price(symbol) is not None, exits, waiting, why))
    return Protected(market.session, tuple(found), portfolio.cash, portfolio.equity(prices))


def _why_unguarded(
    position: Position, exits: Sequence[Level], waiting: Sequence[OpenOrder], refusal: str, *, busy: bool
) -> str:
    """Return why shares have no stop order at the broker, "" where all whole shares have one and there are no parts."""
    whole = whole_shares(position.quantity)
    if whole <= sum((order.remaining for order in waiting), ZERO):
        part = position.quantity - whole
        return f"none for {shares_text(part)} of a share: {PARTS}" if part else ""
    if any(level.is_hit for level in exits):
        return f"none: an exit is hit, and {'an order is on its way' if busy else 'the next cycle sells'}"
    if busy:
        return f"none: another order is on its way; {UNTIL_THEN}"
    if refusal:
        return f"none, for the broker refused it: {refusal}; {UNTIL_THEN}"
    return f"none yet: the next cycle places it; {UNTIL_THEN}"


def _refusal(book: StateManager, symbol: Symbol) -> str:
    newest = next(iter(book.stories.orders(symbol, limit=1)), None)
    order = newest.order if newest else None
    is_refused = order is not None and order.type is OrderType.STOP and order.status is OrderStatus.REJECTED
    return order.reason if order is not None and is_refused else ""


def moment_to_look_at(historical: bool, book: StateManager, hours: TradingHours, clock: Clock) -> tuple[datetime, date]:
    """Return the instant to look at: on history the close of the session traded last, else now."""
    if not historical:
        now = clock.now()
        return now, hours.newest_session(now)
    session = book.cycles.last_traded_session()
    if session is None:
        raise StateError("The book has traded no session yet, so nothing is held. The first one: bensbot run --once")
    return hours.close_of(session), session
