"""What the steps of a cycle want from the book. `StateManager` keeps one in a database, a backtest in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from trading_bot.domain.cash import CashActivity, Traded
from trading_bot.domain.cycle import ControlState, Lease, TradingState
from trading_bot.domain.errors import CycleSkipped
from trading_bot.domain.inputs import CycleRecord
from trading_bot.domain.market import Coverage, Regime, Split, Symbol
from trading_bot.domain.orders import ClientOrderId, Decision, Fill, OpenOrder, OrderIntent, OrderUpdate
from trading_bot.domain.portfolio import EquityPoint, Portfolio
from trading_bot.domain.track_record import ClosedTrade, OrdersSent, Worth

# Which errors each call raises stands with `state/`: whoever implements the port raises the same.


class ControlPort(Protocol):
    """May the bot trade?"""

    def read(self) -> ControlState:
        """Return the row that stands above everything."""
        ...

    def set_state(
        self,
        state: TradingState,
        *,
        cause: str,
        who: str,
        acknowledged: bool = False,
        only_from: TradingState | None = None,
        lease: Lease | None = None,
    ) -> ControlState:
        """Change the state; return what holds afterwards."""
        ...

    def forget_failures(self, lease: Lease | None = None) -> None:
        """Start counting failures from zero."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the right to trade back."""
        ...


class CyclesPort(Protocol):
    """Which cycles ran?"""

    def complete(self, cycle_id: str, lease: Lease, regime: Regime, coverage: Coverage) -> None:
        """End a cycle that has traded."""
        ...


class JournalPort(Protocol):
    """What was decided and sent?"""

    def commit_decisions(
        self,
        cycle_id: str,
        lease: Lease,
        *,
        decisions: Sequence[Decision],
        intents: Sequence[OrderIntent],
        market_hash: str,
        record: CycleRecord | None,
    ) -> None:
        """Write down every decision, what it rests on and the orders that follow, all of it or nothing."""
        ...

    def decisions(self, cycle_id: str) -> tuple[Decision, ...]:
        """Return the cycle's decisions in their order."""
        ...

    def intents(self, cycle_id: str) -> tuple[OrderIntent, ...]:
        """Return the cycle's intents in the order of their decisions."""
        ...

    def order_updates(self, cycle_id: str) -> tuple[OrderUpdate, ...]:
        """Return where the cycle's orders stand."""
        ...

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return every order, of any cycle, that something can still come from, oldest first."""
        ...

    def orders_sent(self, session: date, at: datetime) -> OrdersSent:
        """Return how many orders the cycles of `session` have decided on, in all and in the minute before `at`."""
        ...

    def given_up(self, since: date) -> tuple[OpenOrder, ...]:
        """Return the orders of the sessions from `since` on that ended as never arrived."""
        ...

    def mark_sending(self, client_order_id: ClientOrderId, lease: Lease) -> None:
        """Pass the last gate before an order is sent."""
        ...

    def mark_all_sending(self, order_ids: Sequence[ClientOrderId], lease: Lease) -> dict[ClientOrderId, CycleSkipped]:
        """Pass the last gate with several orders at once; return those that may not pass, and why."""
        ...

    def record_updates(self, lease: Lease, updates: Sequence[OrderUpdate]) -> tuple[OrderUpdate, ...]:
        """Write down the broker's words and return those that changed something."""
        ...

    def expire_unsent(
        self, client_order_id: ClientOrderId, lease: Lease, reason: str, *, sent_before: datetime | None = None
    ) -> bool:
        """End an order that never reached the broker, and say whether it has ended."""
        ...


class LedgerPort(Protocol):
    """What do we own?"""

    def portfolio(self) -> Portfolio:
        """Return cash and positions as booked."""
        ...

    def book_fills(self, lease: Lease, booked: Sequence[Fill]) -> tuple[Fill, ...]:
        """Book fills, oldest first, and return those that are new."""
        ...

    def apply_splits(self, lease: Lease, splits: Sequence[tuple[Split, Decimal]]) -> tuple[Split, ...]:
        """Turn old shares into new ones, once per symbol and session, and return the splits that did."""
        ...

    def mark_equity(self, lease: Lease, point: EquityPoint, cycle_id: str) -> None:
        """Write the book's worth after a session."""
        ...

    def equity_curve(self) -> Sequence[EquityPoint]:
        """Return every point, oldest first."""
        ...

    def worths_before(self, session: date, most: int) -> tuple[Worth, ...]:
        """Return the worth at the end of the newest `most` sessions before `session`, since the last resume."""
        ...

    def closed_trades(self, since: date) -> tuple[ClosedTrade, ...]:
        """Return the trades that ended in the sessions from `since` on, in the order of booking."""
        ...

    def high_water(self) -> Decimal:
        """Return the highest equity in dollars since the owner last resumed trading."""
        ...


class CashPort(Protocol):
    """What came and went without a trade?"""

    def ask_after(self) -> datetime:
        """Return the instant after which the broker is to be asked for what it has listed."""
        ...

    def book(self, lease: Lease, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
        """Book what is not booked yet, and return that: what it is listed with less what is booked of it."""
        ...

    def due(self, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
        """Return what `book` would book."""
        ...

    def listed(self, since: datetime) -> tuple[CashActivity, ...]:
        """Return what is booked of what the broker listed from an instant on."""
        ...

    def by_hand(self) -> Mapping[Symbol, Decimal]:
        """Return the shares that others hold in the same account, as far as they are booked."""
        ...

    def strangers(self, order_ids: Collection[ClientOrderId]) -> frozenset[ClientOrderId]:
        """Return the names of orders that no bot of ours has given."""
        ...

    def ours(self, order_ids: Collection[ClientOrderId]) -> frozenset[ClientOrderId]:
        """Return the names of orders of this book that the broker has taken."""
        ...

    def traded(self, since: date) -> Traded:
        """Return what changed hands in the sessions from `since` on."""
        ...


class Book(Protocol):
    """The book, as far as the steps of a cycle write in it."""

    @property
    def control(self) -> ControlPort:
        """May the bot trade?"""
        ...

    @property
    def cycles(self) -> CyclesPort:
        """Which cycles ran?"""
        ...

    @property
    def journal(self) -> JournalPort:
        """What was decided and sent?"""
        ...

    @property
    def ledger(self) -> LedgerPort:
        """What do we own?"""
        ...

    @property
    def cash(self) -> CashPort:
        """What came and went without a trade?"""
        ...
