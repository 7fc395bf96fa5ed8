"""Which trades ended lately, worked out from the fills: what is read grows with these trades, not with the history.

The end of a trade is the fill, or the reverse split, that left nothing. From there its fills are walked back to where
there was nothing before, in the order of booking, because that is what the position was known to be at each moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, select

from trading_bot.domain.money import ZERO, cents
from trading_bot.domain.orders import Purpose
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.track_record import ClosedTrade
from trading_bot.state.schema import corporate_actions, fills, intents, positions

PAGE = 64  # fills read at once of what lies before


@dataclass(frozen=True, slots=True)
class _Booked:
    """A fill or a split of one symbol: what it did to cash and shares."""

    number: int
    symbol: Symbol
    session: date
    cash: Decimal
    bought: Decimal | None  # shares, negative: sold; None for a split
    before: Decimal  # shares before a split
    by_stop: bool

    def shares_before(self, after: Decimal) -> Decimal:
        """Return what was held before, when `after` was held after it."""
        return self.before if self.bought is None else after - self.bought


_FILLS = select(fills, intents.c.purpose).join(intents, intents.c.client_order_id == fills.c.client_order_id)


def closed_trades(connection: Connection, since: date) -> tuple[ClosedTrade, ...]:
    """Return the trades that ended in the sessions from `since` on, in the order of booking."""
    recent = sorted(_recent(connection, since), key=lambda event: event.number)
    by_symbol: dict[Symbol, list[_Booked]] = {}
    for event in recent:
        by_symbol.setdefault(event.symbol, []).append(event)
    held = _held(connection, tuple(by_symbol))
    ended = [end for symbol, events in by_symbol.items() for end in _ends(connection, events, held.get(symbol, ZERO))]
    return tuple(trade for _, trade in sorted(ended, key=lambda end: end[0]))


def _ends(connection: Connection, events: Sequence[_Booked], held: Decimal) -> list[tuple[int, ClosedTrade]]:
    """Return the trades that ended with one of these events, the newest ones of their symbol; `held` is left now."""
    before = {event.number: shares for event, shares in zip(reversed(events), _walked_back(events, held), strict=True)}
    ended: list[tuple[int, ClosedTrade]] = []
    running: list[_Booked] = []
    for place, event in enumerate(events):
        running.append(event)
        after = before[events[place + 1].number] if place + 1 < len(events) else held
        if after:
            continue
        first = running[0]
        cash = sum((each.cash for each in running), ZERO)
        if before[first.number]:
            cash += _cash_before(connection, first, before[first.number])
        ended.append((event.number, ClosedTrade(event.symbol, event.session, cash, event.by_stop)))
        running = []
    return ended


def _walked_back(events: Sequence[_Booked], held: Decimal) -> Iterator[Decimal]:
    """Give what was held before each event, the newest first."""
    for event in reversed(events):
        held = event.shares_before(held)
        yield held


def _cash_before(connection: Connection, first: _Booked, held: Decimal) -> Decimal:
    """Return what a trade did to cash before `first`, when `held` shares were held."""
    cash = ZERO
    for event in _older(connection, first.symbol, first.number):
        cash += event.cash
        held = event.shares_before(held)
        if not held:
            break
    return cash


def _older(connection: Connection, symbol: Symbol, number: int) -> Iterator[_Booked]:
    """Give what was booked in a symbol before a number, the newest first."""
    splits = [split for split in _splits(connection, symbol) if split.number < number]
    while True:
        query = _FILLS.where(fills.c.symbol == symbol, fills.c.number < number)
        page = [_fill(row) for row in connection.execute(query.order_by(fills.c.number.desc()).limit(PAGE))]
        least = page[-1].number if len(page) == PAGE else 0
        events = [*page, *(split for split in splits if least < split.number < number)]
        yield from sorted(events, key=lambda event: -event.number)
        if not least:
            return
        number = least


def _recent(connection: Connection, since: date) -> Iterator[_Booked]:
    for row in connection.execute(_FILLS.where(fills.c.session >= since)):
        yield _fill(row)
    for row in connection.execute(select(corporate_actions).where(corporate_actions.c.session >= since)):
        yield _split(row)


def _splits(connection: Connection, symbol: Symbol) -> list[_Booked]:
    found = connection.execute(select(corporate_actions).where(corporate_actions.c.symbol == symbol))
    return [_split(row) for row in found]


def _held(connection: Connection, symbols: Sequence[Symbol]) -> dict[Symbol, Decimal]:
    found = connection.execute(select(positions.c.symbol, positions.c.quantity).where(positions.c.symbol.in_(symbols)))
    return {Symbol(row.symbol): row.quantity for row in found}


def _fill(row: Row[Any]) -> _Booked:
    cash = cents(-row.side.sign * row.quantity * row.price) - row.fee
    bought = row.side.sign * row.quantity
    return _Booked(row.number, Symbol(row.symbol), row.session, cash, bought, ZERO, row.purpose is Purpose.STOP)


def _split(row: Row[Any]) -> _Booked:
    return _Booked(row.number, Symbol(row.symbol), row.session, row.cash, None, row.quantity, by_stop=False)
