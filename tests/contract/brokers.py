"""A stand for every broker: how the contract suite opens it and lets its exchange trade.

A new broker adds one class here. It stands for a broker whose account is new and holds 10,000 dollars, and
whose exchange knows AAA and BBB at ten dollars.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from tests.unit.brokers.exchanges import DAYS, evening, flat, open_account, week
from tests.unit.brokers.sandboxes import connect, flat_bars, sandbox_of
from trading_bot.brokers.paper_books import MemoryStore, PaperStore
from trading_bot.domain.market import MarketState
from trading_bot.domain.ports import BrokerAdapter
from trading_bot.sandbox.market import SandboxClock


class BrokerStand(Protocol):
    """A broker under test, and the exchange behind it."""

    broker: BrokerAdapter

    keeps_refused: bool  # whether an order that was refused can be found

    @property
    def now(self) -> datetime:
        """The instant of decisions: the close of the exchange's session."""
        ...

    def trade(self) -> None:
        """Let the exchange trade one more session; a market order fills in it."""
        ...

    def reopen(self) -> None:
        """Close the broker and connect again, as the next process would."""
        ...

    def close(self) -> None:
        """Let go of broker and exchange."""
        ...


class PaperStand:
    """The paper broker, whose exchange trades when it is advanced."""

    keeps_refused = True

    def __init__(self, folder: Path, store: PaperStore | None = None) -> None:
        self._folder, self._store = folder, store
        self._sessions = 1
        self.broker: BrokerAdapter = open_account(folder, store=store)
        self.broker.advance(self.market)

    @property
    def market(self) -> MarketState:
        return week({name: [flat(10)] * self._sessions for name in ("AAA", "BBB")})

    @property
    def now(self) -> datetime:
        return evening(DAYS[self._sessions - 1])

    def trade(self) -> None:
        self._sessions += 1
        self.broker.advance(self.market)

    def reopen(self) -> None:
        self.broker.close()
        self.broker = open_account(self._folder, store=self._store)

    def close(self) -> None:
        self.broker.close()


class AlpacaStand:
    """The Alpaca adapter, on alpaca-py, before a sandbox on this machine."""

    keeps_refused = False  # Alpaca answers 403 or 422 and keeps nothing

    def __init__(self, folder: Path) -> None:
        del folder
        self._sessions = 1
        self.clock = SandboxClock(self.now)
        self.sandbox = sandbox_of(flat_bars("AAA", "BBB"), self.clock)
        self.sandbox.listen()
        self.broker: BrokerAdapter = connect(self.sandbox)

    @property
    def now(self) -> datetime:
        return evening(DAYS[self._sessions - 1])

    def trade(self) -> None:
        """Pass through the next session: its open, when market orders fill, and its close, when the day ends."""
        self._sessions += 1
        self.clock.turn_to(self.now - timedelta(hours=6, minutes=30) + timedelta(seconds=self._sessions))
        self.sandbox.exchange.orders()
        self.clock.turn_to(self.now)

    def reopen(self) -> None:
        self.broker.close()
        self.broker = connect(self.sandbox)

    def close(self) -> None:
        self.broker.close()
        self.sandbox.refuse()


STANDS: Mapping[str, Callable[[Path], BrokerStand]] = {
    "alpaca": AlpacaStand,
    "paper": PaperStand,
    "paper, in memory": lambda folder: PaperStand(folder, MemoryStore()),  # as a backtest opens it
}
