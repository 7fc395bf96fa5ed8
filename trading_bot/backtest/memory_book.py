"""A book that lives as long as the backtest: the same answers as the bot's own book, without a database.

It keeps the laws that a single process can break (an order has an intent, a fill has an order and fits it) and leaves
out what guards against other processes: leases, owners and locks mean nothing here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from trading_bot.backtest.memory_journal import LONG_AGO, MemoryJournal
from trading_bot.backtest.memory_ledger import MemoryLedger
from trading_bot.domain.cash import CashActivity, Traded
from trading_bot.domain.cycle import ControlState, Lease, TradingState
from trading_bot.domain.errors import StateError
from trading_bot.domain.market import Coverage, Regime, Symbol
from trading_bot.domain.orders import ClientOrderId


class MemoryControl:
    """May it trade? Always: unless the books differ, which then stops entries as it does live."""

    def __init__(self) -> None:
        """Begin ACTIVE."""
        self._state = ControlState(TradingState.ACTIVE, "a backtest begins", "backtest", LONG_AGO, 0, None)

    def read(self) -> ControlState:
        """Return the row that stands above everything."""
        return self._state

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
        del acknowledged, lease
        if only_from in (None, self._state.state):
            self._state = replace(self._state, state=state, cause=cause, changed_by=who)
        return self._state

    def forget_failures(self, lease: Lease | None = None) -> None:
        """Nothing ever fails and goes on here."""

    def release_lease(self, lease: Lease) -> None:
        """Nobody else waits for it."""


class MemoryCycles:
    """Which cycles ran? Their results are what is kept."""

    def complete(self, cycle_id: str, lease: Lease, regime: Regime, coverage: Coverage) -> None:
        """End a cycle that has traded."""


class MemoryCash:
    """What came and went without a trade? Nothing: the broker of a backtest lists no such thing."""

    def ask_after(self) -> datetime:
        """Return when the account was opened."""
        return LONG_AGO

    def book(self, lease: Lease, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
        """Take nothing. Raises StateError where there is something to take."""
        del lease
        if listed:
            raise StateError(f"A backtest books no cash beside trades, but {listed[0].activity_id} is listed.")
        return ()

    def due(self, listed: Sequence[CashActivity]) -> tuple[CashActivity, ...]:
        """Return what is listed: nothing of it is booked."""
        return tuple(listed)

    def listed(self, since: datetime) -> tuple[CashActivity, ...]:
        """Return nothing."""
        del since
        return ()

    def by_hand(self) -> Mapping[Symbol, Decimal]:
        """Return nothing: nobody else trades here."""
        return {}

    def strangers(self, order_ids: Collection[ClientOrderId]) -> frozenset[ClientOrderId]:
        """Return nobody."""
        del order_ids
        return frozenset()

    def ours(self, order_ids: Collection[ClientOrderId]) -> frozenset[ClientOrderId]:
        """Return nothing: no order fills after its end here."""
        del order_ids
        return frozenset()

    def traded(self, since: date) -> Traded:
        """Return nothing: no fees are due."""
        del since
        return Traded()


class MemoryBook:
    """The book of one backtest."""

    def __init__(self, opening: Decimal) -> None:
        """Begin with `opening` dollars."""
        self.control = MemoryControl()
        self.cycles = MemoryCycles()
        self.cash = MemoryCash()
        self.journal = MemoryJournal()
        self.ledger = MemoryLedger(self.journal, opening)


__all__ = ["LONG_AGO", "MemoryBook", "MemoryControl", "MemoryCycles"]
