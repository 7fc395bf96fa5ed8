"""The life of a cycle: may it trade, how did it end, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from trading_bot.domain.records import dataclass

if TYPE_CHECKING:
    from trading_bot.domain.cash import CashActivity
    from trading_bot.domain.market import MarketState, Symbol
    from trading_bot.domain.orders import Decision, Fill, OrderUpdate
    from trading_bot.domain.portfolio import EquityPoint, Portfolio
    from trading_bot.domain.tournament import Team


class TradingState(StrEnum):
    """What the bot may do at all. It is a row of the book and survives every restart."""

    ACTIVE = "active"
    PAUSED = "paused"  # keeps everything, does nothing
    REDUCING = "reducing"  # exits only
    HALTED = "halted"  # emergency; ended by an acknowledged resume only


class CycleStatus(StrEnum):
    """How a cycle stands. RUNNING without a living owner counts as failed."""

    RUNNING = "running"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"  # the owner interrupted it; the next run goes on with it


class SkipReason(StrEnum):
    """Why a cycle did not trade though nothing was wrong with it."""

    MARKET_CLOSED = "market_closed"
    PAUSED = "paused"
    HALTED = "halted"
    REDUCING = "reducing"  # an entry met a book that lets exits through only
    BACKING_OFF = "backing_off"
    STALE_TICK = "stale_tick"
    LEASE_TAKEN = "lease_taken"
    ALREADY_TRADED = "already_traded"
    END_OF_DATA = "end_of_data"  # the price history has no session left


@dataclass(frozen=True, slots=True)
class ControlState:
    """The row that is read first in every cycle and again before every order."""

    state: TradingState
    cause: str  # in words
    changed_by: str
    changed_at: datetime  # aware, UTC
    consecutive_errors: int
    next_allowed_at: datetime | None  # aware, UTC, wall clock


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change of the trading state, as it was journalled."""

    at: datetime  # aware, UTC, wall clock
    old: TradingState
    new: TradingState  # the old one where somebody confirmed it
    changed_by: str
    cause: str  # in words


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to trade. Each grant has a higher token; an older token can neither write nor send."""

    token: int
    owner: str
    expires_at: datetime  # aware, UTC, wall clock


@dataclass(frozen=True, slots=True)
class CycleTicket:
    """One cycle that was let in: its name, its instant and the lease it trades under."""

    cycle_id: str
    at: datetime  # aware, UTC: the market's clock
    session: date
    lease: Lease
    state: TradingState  # ACTIVE or REDUCING
    decided: bool = False  # an earlier attempt has committed its decisions: they stand
    window: str = ""  # of the trading hours; "" outside of them, where hours do not matter
    strategies: tuple[str, ...] = ()  # who decides in this window; empty: the whole team
    exits_only: bool = False  # the window lets nothing in, whatever the trading state is
    by_owner: bool = False  # the owner says what is wanted, and the strategies are not asked


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of open orders since the last cycle."""

    updates: tuple[OrderUpdate, ...] = ()  # orders that changed
    fills: tuple[Fill, ...] = ()  # newly booked
    warnings: tuple[str, ...] = ()  # what a person should know, e.g. books that differ
    cash: tuple[CashActivity, ...] = ()  # newly booked: money that moved without a trade


@dataclass(frozen=True, slots=True, eq=False)
class CycleReport:
    """Everything a cycle did, for people, artifacts and notices."""

    cycle_id: str
    session: date
    market: MarketState
    decisions: tuple[Decision, ...]
    orders: tuple[OrderUpdate, ...]  # sent by this cycle
    settled: tuple[OrderUpdate, ...]  # orders of earlier cycles that changed since
    fills: tuple[Fill, ...]  # booked by this cycle
    portfolio: Portfolio
    prices: Mapping[Symbol, Decimal]  # dollars per share of every holding, last known
    equity: Decimal
    equity_curve: Sequence[EquityPoint]  # oldest first; the session's own point is the last one
    state: TradingState
    warnings: tuple[str, ...] = field(default=())
    cash: tuple[CashActivity, ...] = ()  # booked by this cycle: money that moved without a trade
    team: Team | None = None  # who decided; None: a backtest, whose result names them once
