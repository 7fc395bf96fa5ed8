"""Why something was done or not: what the journal answers with."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from trading_bot.domain.news import NewsItem
from trading_bot.domain.orders import Decision, Fill, OrderUpdate
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.tournament import Team


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision, the order that followed, and what that came to."""

    cycle_id: str
    session: date
    decided_at: datetime  # aware, UTC, wall clock
    decision: Decision
    order: OrderUpdate | None  # None: nothing was to be traded
    fills: tuple[Fill, ...] = ()

    @property
    def symbol(self) -> Symbol:
        """What it was about."""
        return self.decision.signal.symbol

    @property
    def average_price(self) -> Decimal | None:
        """Dollars per share over all fills; None without one."""
        shares = sum((fill.quantity for fill in self.fills), Decimal(0))
        return sum((fill.quantity * fill.price for fill in self.fills), Decimal(0)) / shares if shares else None


@dataclass(frozen=True, slots=True)
class Change:
    """One symbol for which something else was decided. None: no decision about it."""

    symbol: Symbol
    then: Decision | None
    now: Decision | None


@dataclass(frozen=True, slots=True)
class DecidedCycle:
    """A cycle that has decided."""

    cycle_id: str
    session: date
    decided_at: datetime  # aware, UTC, wall clock
    weather: str  # the market's regime in words; "" when the cycle has not ended well


@dataclass(frozen=True, slots=True)
class Filter:
    """Which decisions are wanted; None is any."""

    symbol: Symbol | None = None
    rule: str | None = None  # the one that bound
    outcome: str | None = None  # approved, resized or rejected
    since: date | None = None  # session
    until: date | None = None  # session, included
    cycle_id: str | None = None
    before: str | None = None  # cycles with a lower id than this one, which are earlier


@dataclass(frozen=True, slots=True)
class Thinking:
    """What the team thought of one symbol, taken again from what the cycle knew."""

    price: Decimal | None  # dollars per share, the session's close; None: there was no usable one
    held: Decimal  # shares before the decision
    score: float  # of all votes, in [-1, 1]
    votes: tuple[str, ...]  # one member's reason each, with its name
    verdict: str  # why a signal followed, or none, in one clause
    team: Team
    settings_hash: str
    market_hash: str
    program: str


@dataclass(frozen=True, slots=True)
class Story:
    """Why a cycle did what it did about one symbol."""

    symbol: Symbol
    cycle: DecidedCycle
    entry: Entry | None  # None: there was nothing to decide
    thinking: Thinking | None
    why_unknown: str = ""  # why nobody can say what the team thought
    last: Entry | None = None  # the newest decision before, where this cycle took none
    news: tuple[NewsItem, ...] = ()  # what was known about the symbol, oldest first
    guard: Entry | None = None  # about a stop order at the broker, beside what was decided otherwise
