"""What the book's rows come to, counted and measured."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from trading_bot.domain.cycle import CycleStatus
from trading_bot.domain.orders import OrderStatus
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class StepDuration:
    """How long one step of the cycle takes, over all cycles that measured it."""

    step: str
    count: int  # cycles
    median: float  # seconds
    p95: float  # seconds; 95 of 100 cycles took no longer


@dataclass(frozen=True, slots=True)
class Slippage:
    """What fills cost against the price each order was decided at. Fees are not in it.

    The part of the implementation shortfall that comes with executed shares: Perold (1988), The Implementation
    Shortfall: Paper versus Reality, Journal of Portfolio Management 14(3).
    """

    fills: int  # with a known reference price
    bps: float  # hundredths of a per cent, weighted by dollars; positive is worse for us


@dataclass(frozen=True, slots=True)
class Statistics:
    """The book in numbers, from one session on."""

    since: date | None  # None: from the beginning
    cycles: Mapping[CycleStatus, int]  # every status, those with 0 too
    skips: Mapping[str, int]  # reason → cycles
    failures: int  # failed runs, tried again or not
    orders: Mapping[OrderStatus, int]  # every status, those with 0 too
    decisions: Mapping[str, int]  # approved, resized and rejected
    rejections: Mapping[str, int]  # rule → decisions
    steps: tuple[StepDuration, ...]  # in alphabetical order
    fills: int
    fees: Decimal  # dollars
    slippage: Slippage | None  # None without a fill that has a reference price
    coverage: float | None  # mean share of the symbols with a usable price; None when no cycle completed
    first: EquityPoint | None  # None before the first session was marked
    newest: EquityPoint | None
    news_lag: float | None = None  # median seconds from a story's publication to its reading; None: none was read
