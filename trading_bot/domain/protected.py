"""Positions and the exits that protect them, as they stand at one close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from trading_bot.domain.orders import OpenOrder, Purpose
from trading_bot.domain.portfolio import Position
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol


class Exit(StrEnum):
    """What can end a position, the first that is hit wins. The words are the strategy of the order that sells."""

    STOP_LOSS = "position_stop"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"
    TIME_STOP = "time_stop"

    @property
    def purpose(self) -> Purpose:
        """Stops are counted by the stop guard; who reached the target or the end of the time was not stopped."""
        return Purpose.STOP if self in (Exit.STOP_LOSS, Exit.TRAILING_STOP) else Purpose.EXIT


@dataclass(frozen=True, slots=True)
class Level:
    """One exit of one position, as it stands at the session's close."""

    exit: Exit
    price: Decimal | None  # dollars a share at which it sells; None for the time stop
    sessions_left: int | None  # of the time stop
    is_hit: bool
    words: str  # where it lies and why, for people


@dataclass(frozen=True, slots=True)
class ProtectedPosition:
    """One position, what it is worth, and its exits, the strongest first."""

    position: Position
    price: Decimal  # dollars a share, the newest known
    is_fresh: bool  # whether that is the session's own close
    levels: tuple[Level, ...]
    stop_orders: tuple[OpenOrder, ...] = ()  # that wait at the broker, as the book has them
    unguarded: str = ""  # why shares have no stop order there though they should have; "" where all is as wanted

    @property
    def profit(self) -> Decimal:
        """What a sale at this price would bring, in dollars, fees left out."""
        return self.position.quantity * (self.price - self.position.average_price)


@dataclass(frozen=True, slots=True)
class Protected:
    """Everything that is held."""

    session: date  # whose closes count
    positions: tuple[ProtectedPosition, ...]  # by symbol
    cash: Decimal  # dollars
    equity: Decimal
    by_hand: Mapping[Symbol, Decimal] = field(default_factory=dict[Symbol, Decimal])  # shares of the owner's own
