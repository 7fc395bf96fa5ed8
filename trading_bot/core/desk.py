"""What the steps of a cycle work with: a `Bot` has it all, and so has a backtest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from trading_bot.core.news import Newsdesk
from trading_bot.core.stopwatch import Stopwatch
from trading_bot.domain.book import Book
from trading_bot.domain.inputs import Conditions
from trading_bot.domain.market import MarketState
from trading_bot.domain.ports import BrokerAdapter, Clock, Notifier
from trading_bot.domain.tournament import Team
from trading_bot.risk.manager import RiskManager
from trading_bot.strategies.manager import StrategyManager


class Markets(Protocol):
    """Where the steps learn what the market was."""

    @property
    def historical(self) -> bool:
        """Whether "now" is the data's clock (True) or the wall clock (False)."""
        ...

    def get_market_state(self, at: datetime, session: date) -> MarketState:
        """Return everything known at the close of `session`."""
        ...


class BothBooks(Protocol):
    """What it takes to compare our book with the broker's."""

    @property
    def clock(self) -> Clock:
        """Wall time."""
        ...

    @property
    def broker(self) -> BrokerAdapter:
        """The trades."""
        ...

    @property
    def book(self) -> Book:
        """The book."""
        ...


class Desk(BothBooks, Protocol):
    """Everything between the market and the orders."""

    @property
    def data(self) -> Markets:
        """The prices."""
        ...

    @property
    def team(self) -> Team | None:
        """Who decides now; None where nobody has to be told."""
        ...

    @property
    def news(self) -> Newsdesk | None:
        """What the world says; None where nobody reads it."""
        ...

    @property
    def strategies(self) -> StrategyManager:
        """The opinions."""
        ...

    @property
    def risk(self) -> RiskManager:
        """The checks."""
        ...

    @property
    def conditions(self) -> Conditions | None:
        """What every decision is written down with; None where decisions are not kept."""
        ...

    @property
    def notifier(self) -> Notifier:
        """The people."""
        ...

    @property
    def stopwatch(self) -> Stopwatch | None:
        """How long the steps take; None where nobody asks."""
        ...
