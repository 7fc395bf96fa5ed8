"""What a backtest is asked, and what it answers, whichever engine ran it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from trading_bot.domain.market import FloatVector, SessionAxis, Symbol
from trading_bot.domain.orders import Side
from trading_bot.domain.records import dataclass


class Engine(StrEnum):
    """Which way the past is traded again."""

    REPLAY = "replay"  # every session through the steps, rules and broker of the live bot
    VECTORISED = "vectorised"  # all opinions at once, then a plain ledger with explicit terms


class FillAt(StrEnum):
    """When an order that was decided at a session's close is filled."""

    NEXT_OPEN = "next-open"
    NEXT_CLOSE = "next-close"
    SAME_CLOSE = "same-close"  # the close that decided: nobody can trade so, some published results do


class Sizing(StrEnum):
    """How an opinion becomes a wanted position."""

    WEIGHTED = "weighted"  # as the live bot: position_weight of equity, the best-scored stocks, a rebalance threshold
    ALL_IN = "all-in"  # an equal part of equity for every symbol, all of it when there is one; changed on new opinions


class LastBar(StrEnum):
    """What happens to positions that are open on the last bar."""

    KEEP = "keep"  # valued at the last close
    CLOSE_AT_OPEN = "close-at-open"  # closed at the open of the last bar
    CLOSE_AT_CLOSE = "close-at-close"


@dataclass(frozen=True, slots=True)
class Terms:
    """Every rule that turns opinions into money, so that a result can be computed by hand."""

    fill: FillAt = FillAt.NEXT_OPEN
    sizing: Sizing = Sizing.WEIGHTED
    size_at_fill: bool = False  # True: shares are counted with the price they fill at; False: with the deciding close
    fractional_shares: bool = False
    short: bool = False  # negative exposure sells short; False: it wants nothing
    cash_buffer: Decimal = Decimal(0)  # share of equity that is never invested
    slippage_bps: Decimal = Decimal(5)  # hundredths of a per cent of the price, always against us
    commission_per_share: Decimal = Decimal(0)  # dollars
    commission_minimum: Decimal = Decimal(0)  # dollars an order
    commission_pct: Decimal = Decimal(0)  # share of the order's value, added to what the shares cost
    volume_share: Decimal = Decimal("0.1")  # of a session's volume, the most that one order fills, where it is known
    last_bar: LastBar = LastBar.KEEP


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of a backtest, and why it happened."""

    session: date
    symbol: Symbol
    side: Side
    quantity: Decimal  # shares, > 0
    price: Decimal  # dollars per share
    fee: Decimal  # dollars
    strategy: str  # who wanted it, e.g. "momentum+sma_cross"; "position_stop", "last bar" where nobody did
    reason: str  # one sentence in words


@dataclass(frozen=True, slots=True)
class SplitPaid:
    """A split of a stock that was held: old shares became new ones, less a remainder that was paid in cash.

    It takes effect before the executions of its session. Prices adjusted for splits know none.
    """

    symbol: Symbol
    session: date
    ratio: Decimal  # new shares for each old one
    remainder: Decimal = Decimal(0)  # new shares that were paid out, with the sign of the position
    cash: Decimal = Decimal(0)  # dollars received for them; negative where a short position pays


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """SHA-256 of what a result depends on: equal hashes give equal results."""

    data: str
    code: str
    settings: str


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """What became of `opening` dollars. Arrays have one value a session, (T,), in dollars to the cent."""

    engine: Engine
    label: str  # the team in words, e.g. "sma_cross(fast=10, slow=30)"
    opening: Decimal  # dollars before the first session
    sessions: SessionAxis
    equity: FloatVector
    cash: FloatVector
    gross: FloatVector  # dollars in positions, long and short added up
    executions: tuple[Execution, ...]  # oldest first
    benchmark: FloatVector | None  # (T,) closes of what the result is compared with; None: nothing is known
    benchmark_name: str  # as in a sentence: "The S&P 500"
    fingerprints: Fingerprints
    settings: Mapping[str, str]  # what was asked, as text by name, in the order to be shown
    decisions: Mapping[str, int] = field(default_factory=dict[str, int])  # approved, resized, rejected → how many
    rejections: Mapping[str, int] = field(default_factory=dict[str, int])  # rule → how many
    splits: tuple[SplitPaid, ...] = ()  # oldest first
    prices: Mapping[Symbol, Decimal] = field(default_factory=dict[Symbol, Decimal])  # last close of what is still held
    trials: int = 1  # how many variants were tried before this one was chosen
    notes: tuple[str, ...] = ()  # what a reader must know, in words: too short, too good, data that was left out
