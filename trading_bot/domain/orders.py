"""From a signal to a fill: the records an order becomes on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, NewType

from trading_bot.domain.money import cents
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol

ClientOrderId = NewType("ClientOrderId", str)
ExecutionId = NewType("ExecutionId", str)


class Side(StrEnum):
    """Which way shares move."""

    BUY = "buy"
    SELL = "sell"

    sign: int  # +1 for shares that come, -1 for shares that go

    def __init__(self, word: str) -> None:
        """Note it once: every order asks."""
        self.sign = 1 if word == "buy" else -1


class Purpose(StrEnum):
    """Why an order exists. Exits are let through where entries are not."""

    ENTRY = "entry"  # opens or enlarges a position
    EXIT = "exit"  # closes or shrinks one because opinions changed
    STOP = "stop"  # closes one because its price fell too far

    is_entry: bool  # whether the order adds risk

    def __init__(self, word: str) -> None:
        """Note it once: every rule asks."""
        self.is_entry = word == "entry"


class OrderType(StrEnum):
    """How the price of an order is found."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"  # a market order, once the price has reached its stop
    STOP_LIMIT = "stop_limit"  # a limit order then; the bot sends none, it may find the owner's
    TRAILING_STOP = "trailing_stop"  # a stop that follows the price; as above


class TimeInForce(StrEnum):
    """How long an order works."""

    DAY = "day"
    GTC = "gtc"


class OrderStatus(StrEnum):
    """Where an order stands. UNKNOWN means: ask the broker, never guess."""

    INTENDED = "intended"  # committed in our book, not sent yet
    UNKNOWN = "unknown"  # sent, no clear answer
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    EXPIRED_UNSENT = "expired_unsent"  # never reached the broker, and its time is over

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _FINAL


_FINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED_UNSENT,
    }
)


@dataclass(frozen=True, slots=True)
class Signal:
    """What the strategies want for one symbol, and why."""

    symbol: Symbol
    side: Side
    purpose: Purpose
    wanted_weight: float  # share of equity the position should have afterwards, in [-1, 1]
    strength: float  # combined score in [-1, 1]; orders signals, breaks no rule
    strategy: str  # who wants it, e.g. "momentum+sma_cross"
    reason: str  # one sentence in words, with the numbers behind it
    evidence: Mapping[str, float] = field(default_factory=dict[str, float])
    stop_price: Decimal | None = None  # dollars per share: wait at the broker until it is reached; None: trade now


@dataclass(frozen=True, slots=True)
class Order:
    """A signal with a size: what the risk rules look at."""

    signal: Signal
    quantity: Decimal  # shares, > 0
    price: Decimal  # dollars per share the size was computed with

    @property
    def symbol(self) -> Symbol:
        """The symbol to trade."""
        return self.signal.symbol

    @property
    def side(self) -> Side:
        """Which way shares move."""
        return self.signal.side

    @property
    def notional(self) -> Decimal:
        """Quantity times price, in dollars."""
        return self.quantity * self.price


class Ruling(NamedTuple):
    """What one rule said about one order: how many shares it allows, and the numbers it saw.

    A tuple, because hundreds of thousands are made when years are traded again: a frozen dataclass takes four times as
    long to make.
    """

    rule: str  # the rule's registered name, e.g. "max_position"
    code: str  # for machines, e.g. "POSITION_EXCEEDS_MAX_PCT"
    asked: Decimal  # shares
    allowed: Decimal  # shares; equal to asked = passed, 0 = refused, between = trimmed
    observed: str  # the number the rule saw, as text
    limit: str  # the number it compared with, as text
    unit: str  # of both, e.g. "share of equity"
    message: str  # one sentence in words

    @property
    def binds(self) -> bool:
        """Whether the rule took something away."""
        return self.allowed < self.asked


# `new_ruling(Ruling, fields)` is `Ruling(*fields)` in less than half the time: nothing looks for names and defaults.
new_ruling: Callable[[type[Ruling], tuple[str, str, Decimal, Decimal, str, str, str, str]], Ruling] = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


@dataclass(frozen=True, slots=True)
class _Decided:
    signal: Signal
    requested: Decimal  # shares the signal came to before any rule
    quantity: Decimal  # shares that may be traded
    rule: str  # the binding rule, "" when none bound
    reason: str
    rulings: tuple[Ruling, ...]  # every rule that was asked, in order


@dataclass(frozen=True, slots=True)
class Approved(_Decided):
    """Every rule let the order pass as it was."""


@dataclass(frozen=True, slots=True)
class Resized(_Decided):
    """A rule made the order smaller."""


@dataclass(frozen=True, slots=True)
class Rejected(_Decided):
    """A rule refused the order; `quantity` is 0."""


Decision = Approved | Resized | Rejected


def binding_ruling(decision: Decision) -> Ruling | None:
    """Return the ruling that set the size or refused, None when no rule bound."""
    return next((ruling for ruling in decision.rulings if ruling.binds and ruling.rule == decision.rule), None)


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order as it is committed in the book before it is sent. Its id is the broker's, too."""

    client_order_id: ClientOrderId
    cycle_id: str
    symbol: Symbol
    side: Side
    purpose: Purpose
    quantity: Decimal  # shares, > 0
    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None  # dollars per share
    time_in_force: TimeInForce = TimeInForce.DAY
    reference_price: Decimal | None = None  # dollars per share when it was decided; slippage counts from here
    stop_price: Decimal | None = None  # dollars per share


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order of ours that something can still come from, as our book has it."""

    intent: OrderIntent
    status: OrderStatus
    filled: Decimal  # shares booked so far
    reported: Decimal = Decimal(0)  # shares the broker says are filled, at least

    @property
    def remaining(self) -> Decimal:
        """Shares that can still come: while it is open all that are not booked, then those reported and not booked."""
        most = self.reported if self.status.is_final else self.intent.quantity
        return max(most - self.filled, Decimal(0))

    @property
    def is_waiting(self) -> bool:
        """Whether it is a stop order whose price was not reached, as far as is known: it may never fill."""
        return self.intent.type is OrderType.STOP and not self.status.is_final and not self.reported

    @property
    def rests(self) -> bool:
        """Whether it waits at the broker for certain, so that it can be cancelled and something else done."""
        return self.is_waiting and self.status is OrderStatus.ACCEPTED


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """What the broker says about one order."""

    client_order_id: ClientOrderId
    broker_order_id: str
    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Decimal  # shares
    filled: Decimal  # shares
    status: OrderStatus
    reason: str  # the broker's words where it refused or ended the order, else ""
    updated_at: datetime  # aware, UTC
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares that changed hands. `execution_id` is the broker's and never repeats."""

    execution_id: ExecutionId
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    quantity: Decimal  # shares, > 0
    price: Decimal  # dollars per share
    fee: Decimal  # dollars, >= 0
    session: date
    filled_at: datetime  # aware, UTC

    @property
    def cash(self) -> Decimal:
        """What the fill does to the cash, in dollars and before the fee, to the cent."""
        return cents(-self.side.sign * self.quantity * self.price)


OUR_PREFIX = "bb-"  # of the names of all our orders


def client_order_id(cycle_id: str, symbol: Symbol, side: Side, purpose: Purpose) -> ClientOrderId:
    """Name an order so that the same wish in the same cycle always has the same name.

    Brokers take at most 128 characters of letters, digits, dots and dashes.
    """
    return ClientOrderId(f"{OUR_PREFIX}{cycle_id}-{symbol}-{side}-{purpose}")
