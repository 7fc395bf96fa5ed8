"""A book that lives as long as the backtest: the same answers as the bot's own book, without a database.

It keeps the laws that a single process can break (an order has an intent, a fill has an order and fits it) and leaves
out what guards against other processes: leases, owners and locks mean nothing here.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trading_bot.backtest.memory_journal import LONG_AGO, MemoryJournal
from trading_bot.backtest.memory_ledger import MemoryLedger
from trading_bot.domain.cycle import ControlState, Lease, TradingState
from trading_bot.domain.market import Coverage, Regime


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


class MemoryBook:
    """The book of one backtest."""

    def __init__(self, opening: Decimal) -> None:
        """Begin with `opening` dollars."""
        self.control = MemoryControl()
        self.cycles = MemoryCycles()
        self.journal = MemoryJournal()
        self.ledger = MemoryLedger(self.journal, opening)


__all__ = ["LONG_AGO", "MemoryBook", "MemoryControl", "MemoryCycles"]
