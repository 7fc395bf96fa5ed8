"""What broker and exchange say about one stock at one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Protocol, runtime_checkable

from trading_bot.domain.orders import ClientOrderId, OrderUpdate
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """What may be done with a stock."""

    tradable: bool
    halted: bool = False
    fractionable: bool = False  # whether parts of a share are traded
    shortable: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """The best prices at which somebody would buy and sell."""

    bid: Decimal  # dollars a share
    ask: Decimal
    at: datetime  # aware, UTC

    @property
    def spread(self) -> Decimal:
        """How far apart they are, as a share of their middle."""
        return 2 * (self.ask - self.bid) / (self.ask + self.bid)


@runtime_checkable
class KnowsAssets(Protocol):
    """A broker that says what may be done with a stock. Optional."""

    def assets(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, AssetStatus]:
        """Return what is known of these stocks; {} when it never says anything. The errors of a broker."""
        ...


@runtime_checkable
class TakesManyAtOnce(Protocol):
    """A broker whose `submit` may be called from several threads. Optional: others get one order after the other."""

    @property
    def most_at_once(self) -> int:
        """How many orders may be on their way at the same time."""
        ...

    def make_way(self, orders: int) -> None:
        """Wait for as long as so many orders would have to wait, so that none does once it has passed the last gate."""
        ...


@runtime_checkable
class FindsMany(Protocol):
    """A broker that looks for several orders with few questions, or with several at once. Optional."""

    def find_all(self, order_ids: Sequence[ClientOrderId]) -> Sequence[OrderUpdate | None]:
        """Return what `find` returns for each. The errors of a broker."""
        ...


@runtime_checkable
class TellsOfOrders(Protocol):
    """A broker that says when something became of an order, so that nobody need wait longer to ask. Optional."""

    def wait_for_order(self, seconds: float) -> bool | None:
        """Wait at most so long; return True as soon as there may be something new, though it may say so for no reason.

        Return None at once where the settings do not want to hear it.
        """
        ...


@runtime_checkable
class KnowsSessions(Protocol):
    """A broker that says when its exchange is open. Optional."""

    def session_times(self, first: date, last: date) -> Mapping[date, tuple[datetime, datetime]]:
        """Return when each session from `first` to `last` opens and closes, aware, in UTC. The errors of a broker."""
        ...


@runtime_checkable
class KnowsQuotes(Protocol):
    """A broker that says at what prices others buy and sell just now. Optional."""

    def quotes(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Quote]:
        """Return the newest quotes of these stocks; {} when it has none at all. The errors of a broker."""
        ...


@runtime_checkable
class HoldsStops(Protocol):
    """A broker that takes stop orders good till cancelled, and watches their price itself. Optional.

    `submit` takes an intent of type STOP in whole shares then. Without it exits are checked in each cycle only.
    """

    holds_stops: ClassVar[bool]
