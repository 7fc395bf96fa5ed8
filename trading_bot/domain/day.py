"""One trading day as the book has it, when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from trading_bot.domain.cash import CashActivity
from trading_bot.domain.orders import Fill, OpenOrder, OrderUpdate
from trading_bot.domain.portfolio import EquityPoint, Position
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol


@dataclass(frozen=True, slots=True)
class DayFill:
    """A fill of the day, and the price its order was decided at."""

    fill: Fill
    reference_price: Decimal | None  # dollars per share; None where the book has none that can be compared


@dataclass(frozen=True, slots=True)
class DayDecisions:
    """How the day's signals were decided."""

    approved: int = 0
    trimmed: int = 0
    refused: int = 0
    refusals: tuple[tuple[str, int], ...] = ()  # rule and how often it refused, the most frequent first


@dataclass(frozen=True, slots=True)
class DayCycles:
    """How the day's cycles ended, each counted by its last attempt."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    running: int = 0
    begun_again: int = 0  # attempts before the last one: they failed or were interrupted
    skipped: tuple[tuple[str, int], ...] = ()  # reason and how often, the most frequent first
    failures: tuple[str, ...] = ()  # the words of the failed ones, each once


@dataclass(frozen=True, slots=True, eq=False)
class BookedDay:
    """Everything the book has of one session in which a cycle completed, read at one instant."""

    session: date
    opening_cash: Decimal  # dollars: what the book began with
    equity_curve: tuple[EquityPoint, ...]  # oldest first; the session's own point is the last one
    fills: tuple[DayFill, ...]  # in the order of booking
    fills_by_session: Mapping[date, int]  # up to this session; none where nothing filled
    positions: Mapping[Symbol, Position]  # after the session
    open_orders: tuple[OpenOrder, ...]  # of this session or an earlier one, open as of now
    troubled_orders: tuple[OrderUpdate, ...]  # of this session: refused, or never sent
    decisions: DayDecisions
    cycles: DayCycles
    booked_late: int  # fills of this session or earlier that its equity does not count
    cash: tuple[CashActivity, ...] = ()  # money that moved without a trade, as its equity counts it
