"""What the book says about the days before: all that loss guards, cooldowns and counts have to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol

MOST_SESSIONS = 21  # a month of them: as far back as a loss is counted
RATE_WINDOW = timedelta(minutes=1)  # in which orders are counted against a rate


@dataclass(frozen=True, slots=True)
class Worth:
    """What everything was worth at the end of one session."""

    session: date
    equity: Decimal  # dollars


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A position from its first share to its last one, in the order of booking."""

    symbol: Symbol
    session: date  # of the fill that left nothing
    profit: Decimal  # dollars, what came in less what went out, fees taken off
    by_stop: bool  # whether a protective stop sold the last share


@dataclass(frozen=True, slots=True)
class OrdersSent:
    """How many orders cycles of one session have decided on so far, whatever became of them."""

    this_session: int = 0
    last_minute: int = 0  # of those, decided within the minute before now


NONE_SENT = OrdersSent()


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The facts, gathered once a cycle when there is something to decide. Nothing in it grows with the history."""

    worths: tuple[Worth, ...] = ()  # of a month of sessions before this one, none before the last resume; oldest first
    closed: tuple[ClosedTrade, ...] = ()  # trades that ended within the sessions the rules look back on, oldest first
    sent: OrdersSent = NONE_SENT


NOTHING_YET = TrackRecord()


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """The closed trades, sorted for whoever asks about each signal. Sessions ascend as in the record."""

    by_symbol: Mapping[Symbol, tuple[ClosedTrade, ...]]
    losing_stops: tuple[ClosedTrade, ...]  # a stop sold the last share, and money was lost


def sorted_out(closed: Sequence[ClosedTrade]) -> Closed:
    """Sort the closed trades of a record."""
    by_symbol: dict[Symbol, tuple[ClosedTrade, ...]] = {}
    for trade in closed:
        by_symbol[trade.symbol] = (*by_symbol.get(trade.symbol, ()), trade)
    return Closed(by_symbol, tuple(trade for trade in closed if trade.by_stop and trade.profit < 0))


@runtime_checkable
class LooksBack(Protocol):
    """A rule that has to know trades which ended in earlier sessions. Optional."""

    @property
    def sessions_back(self) -> int:
        """How many sessions back, this one included; 0 for none."""
        ...
