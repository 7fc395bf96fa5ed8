"""A bot that trades at a sandbox, through the Alpaca adapter, in a live market on packaged prices of January 2022."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.brokers.sandboxes import connect, patient
from tests.unit.core.trading import Desk, Notices, WallClock, open_desk
from trading_bot.brokers.late import late_broker
from trading_bot.core.bot import Bot
from trading_bot.core.cycle import run_cycle
from trading_bot.core.failures import handle_failure
from trading_bot.core.hours import TradingHours
from trading_bot.data.sources.sample import Sample
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.errors import BensBotError
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import BrokerAdapter, Opinion, Strategy
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.market import SandboxClock, SandboxMarket
from trading_bot.sandbox.orders import SandboxOrder
from trading_bot.sandbox.server import Sandbox
from trading_bot.state import check_ledger, open_read_only
from trading_bot.strategies.manager import StrategyManager
from trading_bot.strategies.voting import Member

MORNING = datetime(2022, 1, 3, 15, 0, tzinfo=UTC)  # ten o'clock in New York
# Apple costs 180.43 dollars a share on that day: 27 shares are what five per cent of equity buy.
ACCOUNT = "PASANDBOX1"
SECTIONS = {"orchestrator": {"recovery_backoff_seconds": 0}}


@dataclass
class Wants:
    """Wants to hold what it is told to, and nothing else."""

    symbols: frozenset[str] = frozenset()
    share: float = 1.0  # of a full position

    def opinion(self, history: MarketHistory) -> Opinion:
        wanted = np.array([self.share * (symbol in self.symbols) for symbol in history.symbols])
        return Opinion(exposure=np.tile(wanted, (len(history.sessions), 1)))


@dataclass
class Trading:
    """The bot, its broker, and the hand that turns clock and wishes."""

    bot: Bot
    desk: Desk
    sandbox: Sandbox
    wish: Wants
    naps: list[float] = field(default_factory=list)  # what the adapter would have slept, in seconds
    cycles: int = 0

    @property
    def clock(self) -> WallClock:
        return self.desk.clock

    @property
    def notices(self) -> Notices:
        return self.desk.notices

    @property
    def exchange(self) -> SandboxExchange:
        return self.sandbox.exchange

    def behave(self, **terms: Any) -> None:
        self.exchange.behaviour = replace(self.exchange.behaviour, **terms)

    def wants(self, *symbols: str) -> Trading:
        self.wish.symbols = frozenset(symbols)
        return self

    def cycle(self, *, after: timedelta = timedelta(minutes=1), scheduled: datetime | None = None) -> CycleReport:
        """Run one cycle a minute later. What it raises is counted as the loop would count it, and raised."""
        self.clock.instant += after
        self.cycles += 1
        run_id = f"run-{self.cycles}"
        try:
            return run_cycle(self.bot, run_id=run_id, scheduled=scheduled)
        except BensBotError as error:
            handle_failure(self.bot, run_id=run_id, error=error)
            raise

    def at_broker(self) -> tuple[SandboxOrder, ...]:
        return self.exchange.orders()

    def in_book(self) -> dict[str, str]:
        """Return symbol and side → status of every order, "AAPL buy" → "filled"."""
        rows = self.desk.rows(
            "SELECT symbol || ' ' || side, status FROM orders JOIN intents USING (client_order_id) ORDER BY sent_at"
        )
        return dict(rows)

    def held(self, symbol: str = "AAPL") -> Decimal:
        return self.bot.book.ledger.portfolio().held(symbol)  # pyright: ignore[reportArgumentType]

    def state(self) -> str:
        return self.bot.book.control.read().state.value


@contextmanager
def trading_at_alpaca(
    folder: Path, sandbox: Sandbox | None = None, *, risk: dict[str, Any] | None = None, **broker: object
) -> Iterator[Trading]:
    """Open the bot; afterwards the book must obey every law, and agree with the broker about orders.

    A `sandbox` that is given is open already, and its clock is of its own.
    """
    clock, wish, naps = WallClock(MORNING), Wants(), list[float]()
    opened = sandbox or open_sandbox(clock)
    with nullcontext() if sandbox else opened, open_desk(folder, clock, risk=risk or {}, **SECTIONS) as desk:
        settings = {"queue_for_open": False, **broker}
        adapter = connect(opened, patient(naps, read_seconds=1), calendar=TradingHours(), **settings)
        yield Trading(bot_of(desk, adapter, wish), desk, opened, wish, naps)
        adapter.close()
        assert wrong(folder, opened.exchange) == []


def bot_of(desk: Desk, broker: BrokerAdapter, strategy: Strategy) -> Bot:
    """Return the desk's bot with the packaged prices as a live market, this one strategy, and this broker.

    It stands before the broker what stands before it in every command: a broker that is connected late.
    """
    team = StrategyManager((Member("wants", 1.0, strategy),), desk.bot.strategies.targets)
    return replace(desk.live(), broker=late_broker(type(broker), lambda: broker), strategies=team)


def open_sandbox(clock: WallClock, *, cash: Decimal = Decimal(100_000), stream: bool = False) -> Sandbox:
    """Return a sandbox with the packaged prices whose time is that of the clock."""
    market = SandboxMarket(Sample().bars(Sample().sessions()[-1].item()), TradingHours(), clock.now)
    return Sandbox(SandboxExchange(market, cash=cash, account_number=ACCOUNT), SandboxClock(), stream=stream)


def wrong(folder: Path, exchange: SandboxExchange) -> list[str]:
    """Return every broken law, every order the book does not know, and every share it counts otherwise."""
    with open_read_only(f"sqlite:///{folder / 'bensbot.db'}") as book:
        found = [f"{v.law}: {v.subject}: {v.message}" for v in check_ledger(book.engine)]
        open_now = {order.intent.client_order_id for order in book.journal.open_orders()}
        held = {symbol: position.quantity for symbol, position in book.ledger.portfolio().positions.items()}
        others = book.cash.by_hand()
        ours = {name: held.get(name, 0) + others.get(name, 0) for name in {*held, *others}}
    ids = [order.client_order_id for order in exchange.orders()]
    if len(ids) != len(set(ids)):
        found.append(f"an order is there twice: {ids}")
    theirs = {symbol: held.quantity for symbol, held in exchange.holdings().items()}
    if ours != theirs and not open_now:  # what is open is asked for again in the next cycle
        found.append(f"positions: {theirs} at the broker, {ours} in the book")
    return found
