"""Where the rooms of the house meet: what each one promises to the others.

`core/bot.py` puts adapters behind these ports; nobody else knows which adapter it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.listing import AssetStatus, Quote
from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory, MarketState, SessionAxis, Split, Symbol
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import ClientOrderId, Fill, Order, OrderIntent, OrderUpdate, Ruling
from trading_bot.domain.portfolio import Portfolio, Totals
from trading_bot.domain.records import dataclass
from trading_bot.domain.track_record import NOTHING_YET, Closed, TrackRecord


class Clock(Protocol):
    """Wall time, as an argument. Only `core/`, `flows/` and adapters ever ask it."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


# ── prices ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class RawBars:
    """What a source delivers, not yet trusted: `data.cleaning` turns it into a `MarketHistory`.

    Arrays are (T, N) in the source's own basis (see `splits`); sessions ascending and unique.
    """

    sessions: SessionAxis
    symbols: tuple[Symbol, ...]
    open: FloatMatrix
    high: FloatMatrix
    low: FloatMatrix
    close: FloatMatrix
    volume: FloatMatrix
    splits: tuple[Split, ...] = ()  # splits the prices are NOT adjusted for
    sectors: Mapping[Symbol, str] = field(default_factory=dict[Symbol, str])
    notes: tuple[str, ...] = ()  # what was repaired or left out while reading, in words
    benchmark: FloatVector | None = None  # (T,) closes of the market itself; None: the universe's mean stands in
    benchmark_name: str = ""  # as in a sentence: "The S&P 500"


class PriceSource(Protocol):
    """Daily bars from somewhere. Registered with `@price_source("name")`."""

    historical: ClassVar[bool]  # True: "now" is the data's clock; False: the wall clock

    def bars(self, as_of: date) -> RawBars:
        """Return all bars known at the close of `as_of`, nothing later.

        Raises:
            SourceUnavailable: the source did not answer; may be asked again.
            DataError: it answered with something that is no price data.
        """
        ...

    def sessions(self) -> SessionAxis:
        """Return every session the source can serve, ascending. The same errors as `bars`."""
        ...


# ── opinions ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What one strategy thinks of every symbol on every session at once.

    `exposure` is (T, N) in [-1, 1]: 1 wants a full position, 0 none. Row t depends on rows up to t
    only. `evidence` holds named (T, N) arrays: the numbers behind the exposure, for the reason text. What no
    number can say of the last session goes into `remarks`: column → words to follow the reason as they are.
    """

    exposure: FloatMatrix
    evidence: Mapping[str, FloatMatrix] = field(default_factory=dict[str, FloatMatrix])
    remarks: Mapping[int, str] = field(default_factory=dict[int, str])


class Strategy(Protocol):
    """An opinion about prices. Registered with `@strategy("name")`; a frozen dataclass of options."""

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return the opinion on every session of `history`."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A strategy that words its own reason. Optional: others are quoted by their evidence."""

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Say in a few words why the exposure is what it is, from one symbol's last evidence."""
        ...


# ── risk ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class RiskContext:
    """What rules may look at: the portfolio as it may become through open orders and this cycle's approvals.

    A buy counts as if it had filled, a sale does not before it has: a slot, a sector or a limit is free only
    once the shares are really gone.
    """

    market: MarketState
    portfolio: Portfolio  # with every buy that is open or approved already in it
    prices: Mapping[Symbol, Decimal]  # dollars per share, symbols with a usable price only
    equity: Decimal  # dollars, before this cycle's orders
    high_water: Decimal  # dollars, the highest equity since the last acknowledged resume
    buying_power: Decimal  # dollars left after open orders and this cycle's approvals
    state: TradingState
    state_cause: str = ""  # in words, where it is not the owner's switch that says so
    pending_sells: Mapping[Symbol, Decimal] = field(default_factory=dict[Symbol, Decimal])  # shares on their way out
    on_their_way: AbstractSet[Symbol] = frozenset()  # symbols of open orders and of approved buys
    booked: Portfolio | None = None  # what is really there, without buys on their way; None: all of `portfolio`
    approved: int = 0  # orders that this cycle has approved so far
    record: TrackRecord = NOTHING_YET
    assets: Mapping[Symbol, AssetStatus] = field(default_factory=dict[Symbol, AssetStatus])  # empty: nobody says
    quotes: Mapping[Symbol, Quote] = field(default_factory=dict[Symbol, Quote])  # empty: there are none
    totals: Totals | None = None  # of `portfolio`, kept up by the manager; None: to be worked out
    closed: Closed | None = None  # the trades of `record`, sorted by the manager; None: to be sorted

    def available(self, symbol: Symbol) -> Decimal:
        """Return the shares of `symbol` that no sale has claimed yet."""
        return self.portfolio.held(symbol) - self.pending_sells.get(symbol, ZERO)

    def sellable(self, symbol: Symbol) -> Decimal:
        """Return the shares of `symbol` that can be sold now: what is still being bought cannot."""
        there = (self.booked or self.portfolio).held(symbol)
        return min(self.available(symbol), there - self.pending_sells.get(symbol, ZERO))


class Stage(IntEnum):
    """When a rule is asked. Within a stage rules are asked in alphabetical order of their names."""

    INPUT = 1  # is the order sane at all?
    TRADING_STATE = 2
    SESSION = 3  # market hours, windows, coverage
    ASSET = 4  # may this symbol be traded?
    DUPLICATES = 5  # cooldowns, locks, what is already on its way
    LOSS_GUARDS = 6
    COUNTS = 7
    SIZE_CAPS = 8
    ROUNDING = 9
    BROKER = 10
    PRICE_COLLAR = 11
    ORDER_RATE = 12


class RiskRule(Protocol):
    """One reason to say no. Registered with `@risk_rule("name")`; a frozen dataclass of options."""

    stage: ClassVar[Stage]

    def check(self, order: Order, context: RiskContext) -> Ruling:
        """Return how many of the order's shares may be traded: all, fewer, or 0. Never more."""
        ...


# ── brokers ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """The account as the broker reports it."""

    account_id: str
    mode: str  # "paper" or "live"
    cash: Decimal
    buying_power: Decimal  # dollars free for new orders; open orders already taken off
    blocked: bool = False
    equity: Decimal | None = None  # dollars, cash and positions; NaN where the broker says so; None: it does not say
    margin_call: bool = False  # the positions need more equity than there is
    fees_due: Decimal = ZERO  # dollars of fees that are not charged yet; the cash may be without them already


@dataclass(frozen=True, slots=True)
class BrokerSetup:
    """What a broker is built from."""

    settings: Mapping[str, Any]  # the `broker` section; secrets are SecretStr
    folder: Path  # where a simulated broker may keep its own books
    calendar: TradingCalendar


class BrokerAdapter(Protocol):
    """A place where orders become fills. Registered with `@broker("name")`.

    Raises from every method: `BrokerUnavailable` when the answer is not clear, `NotSent` when the
    request never left, `CredentialsRefused`. A refusal of an order is an answer, not an error.
    """

    def account(self) -> BrokerAccount:
        """Return cash and buying power."""
        ...

    def get_portfolio(self) -> Portfolio:
        """Return positions and cash as the broker sees them."""
        ...

    def advance(self, market: MarketState) -> None:
        """Let a simulated exchange trade up to `market.session`; a real broker does nothing."""
        ...

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        """Place the order, once: an id the broker already has returns the order it has."""
        ...

    def find(self, order_id: ClientOrderId) -> OrderUpdate | None:
        """Return the order with our id, or None when the broker has never seen it."""
        ...

    def cancel(self, order_id: ClientOrderId, *, at: datetime) -> OrderUpdate:
        """Ask to cancel. Cancelling a finished order changes nothing and returns it."""
        ...

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Return every order that can still fill, oldest first."""
        ...

    def fills(self, order_ids: Sequence[ClientOrderId]) -> tuple[Fill, ...]:
        """Return every fill of these orders, oldest first. Asking twice gives the same fills."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


@runtime_checkable
class TellsTime(Protocol):
    """A broker with a clock of its own. Optional: a simulated one has none."""

    def time_there(self) -> datetime:
        """Return the broker's present instant, aware, in UTC. Raises BrokerError."""
        ...


# ── notices ───────────────────────────────────────────────────────────────────────────────────────


class Notifier(Protocol):
    """Tells people. Never raises: a failing channel fails nothing."""

    def send_alert(self, *, level: str, title: str, message: str, details: str = "") -> None:
        """Send one notice. `level` is info, warning, error or critical."""
        ...


# ── trading days ──────────────────────────────────────────────────────────────────────────────────


class TradingCalendar(Protocol):
    """The days and hours of the exchange. `date` is the New York date of a session."""

    def open_of(self, day: date) -> datetime:
        """Return the instant the session begins, aware, in UTC."""
        ...

    def is_session(self, day: date) -> bool:
        """Say whether the exchange opens on `day`."""
        ...

    def close_of(self, day: date) -> datetime:
        """Return the instant the session ends, aware, in UTC."""
        ...

    def sessions_between(self, first: date, last: date) -> SessionAxis:
        """Return every session from `first` to `last`, both included, ascending."""
        ...

    def newest_session(self, at: datetime) -> date:
        """Return the session of `at`'s day in New York, or the one before where that is a day off."""
        ...
