"""How long many orders, and the comparison of many, take at Alpaca, counted in round trips.

A sandbox on this machine answers every request 50 ms late, as a server far away does. 30 committed orders are sent as a
cycle sends them, and the wall time is divided by that of one question. Then a book with 500 open orders and 100
positions is settled, as each cycle begins: orders, cash, positions and the clock, our database included. Wall time says
little on a machine that has other things to do: the requests and our own CPU time are printed, too.

Run: python benchmarks/alpaca_orders.py [rounds]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.core.clock import SystemClock
from trading_bot.core.hours import TradingHours
from trading_bot.core.sending import send
from trading_bot.core.settlement import settle
from trading_bot.domain.cycle import CycleTicket, Lease, TradingState
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Approved, OrderIntent, Purpose, Side, Signal, client_order_id
from trading_bot.domain.ports import BrokerSetup, RawBars
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.market import SandboxClock, SandboxMarket
from trading_bot.sandbox.server import API_KEY, SECRET_KEY, Sandbox
from trading_bot.state import StateManager

LATENCY = 0.05  # seconds
ORDERS, OPEN, HELD = 30, 500, 100
MOST_FOR_ORDERS, MOST_TO_COMPARE = 3, 5  # round trips
ROUNDS = 5
DAY = date(2024, 1, 9)
NOON = datetime(2024, 1, 9, 17, tzinfo=UTC)
CASH = Decimal(10_000_000)
CYCLES = ("held", *(f"open-{number}" for number in range(OPEN // HELD)))
SYMBOLS = [Symbol(f"S{number:02}") for number in range(HELD)]


class Nothing:
    """A live source of prices that has none: settling asks for splits only."""

    historical, splits = False, ()


class Noon:
    """The sandbox's clock."""

    def now(self) -> datetime:
        """Return noon."""
        return NOON

    def sleep(self, seconds: float) -> None:
        """Wait, which nothing here does: both sides agree. Raises RuntimeError."""
        raise RuntimeError(f"the books differ: {seconds} s were to be waited for")


@dataclass
class Desk:
    """What sending and settling need of a desk."""

    broker: AlpacaBroker
    book: StateManager
    data: Nothing = field(default_factory=Nothing)
    clock: Noon = field(default_factory=Noon)


def bars() -> RawBars:
    """Return one session of 100 stocks at ten dollars."""
    prices = np.full((1, HELD), 10.0)
    sessions = np.array([DAY], dtype="datetime64[D]")
    return RawBars(sessions, tuple(SYMBOLS), prices, prices, prices, prices, np.full_like(prices, 1e6))


def serve(line: Connection, *, full: bool) -> None:
    """Be the broker, in a process of its own, until the line is cut. `full`: with positions and orders that wait."""
    clock = SandboxClock(NOON)
    market = SandboxMarket(bars(), TradingHours(), clock.now)
    exchange = SandboxExchange(market, cash=CASH)
    if full:
        fill_account(exchange)
    with Sandbox(exchange, clock, latency_seconds=LATENCY) as opened:
        line.send(opened.url)
        while line.poll(None):
            try:
                method, path = line.recv()
            except EOFError:
                return
            line.send(opened.sent(method, path) if path else len(opened.requests))


class There:
    """A sandbox in another process."""

    def __init__(self, *, full: bool = False) -> None:
        """Start it."""
        self.line, theirs = Pipe()
        self.process = Process(target=serve, args=(theirs,), kwargs={"full": full}, daemon=True)
        self.process.start()
        theirs.close()
        self.url: str = self.line.recv()

    def sent(self, method: str = "", path: str = "") -> int:
        """Return how many requests have come in, of one kind or of all."""
        self.line.send((method, path))
        return self.line.recv()

    def close(self) -> None:
        """End it."""
        self.line.close()
        self.process.terminate()
        self.process.join()


def adapter(opened: There) -> AlpacaBroker:
    """Return the adapter as the bot has it, before the sandbox."""
    keys = {"api_key": SecretStr(API_KEY), "secret_key": SecretStr(SECRET_KEY)}
    settings = {"paper": True, "trading_url": opened.url, "data_url": opened.url, "queue_for_open": True, **keys}
    return AlpacaBroker(BrokerSetup(settings=settings, folder=Path(), calendar=TradingHours()))


@dataclass(frozen=True)
class Took:
    """What some work took."""

    seconds: float  # of wall time
    cpu: float  # seconds, of this process: the sandbox is another one
    once: float  # seconds of wall time for one question
    requests: int


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return seconds of wall time and of CPU time."""
    begin, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - cpu


def intent_of(decision: Approved, cycle_id: str) -> OrderIntent:
    """Return the order that carries a decision out."""
    wanted = decision.signal
    name = client_order_id(cycle_id, wanted.symbol, wanted.side, wanted.purpose)
    return OrderIntent(name, cycle_id, wanted.symbol, wanted.side, wanted.purpose, decision.quantity)


def send_orders(opened: There, book: StateManager, number: int) -> Took:
    """Commit 30 intents and send them; return what it took."""
    cycle_id, one = f"cycle-{number}", Decimal(1)
    lease = book.control.acquire_lease("benchmark", ttl_seconds=600, owner_is_dead=lambda _: True)
    if lease is None:
        raise SystemExit("the lease is taken")
    book.cycles.begin(
        cycle_id, session=DAY, scheduled_at=NOON, lease=lease, run_id="", settings_hash="", state=TradingState.ACTIVE
    )
    signals = [Signal(s, Side.BUY, Purpose.ENTRY, 0.1, 1.0, "benchmark", "", {}) for s in SYMBOLS[:ORDERS]]
    decisions = [Approved(signal, one, one, "", "", ()) for signal in signals]
    intents = [intent_of(decision, cycle_id) for decision in decisions]
    book.journal.commit_decisions(cycle_id, lease, decisions=decisions, intents=intents, market_hash="")
    broker = adapter(opened)
    broker.assets(SYMBOLS)  # the rules have asked for them by then
    once, _ = timed(broker.time_there)
    before = opened.sent()
    ticket = CycleTicket(cycle_id, NOON, DAY, lease, TradingState.ACTIVE)
    seconds, cpu = timed(lambda: send(Desk(broker, book), ticket, intents))  # pyright: ignore[reportArgumentType]
    sent = opened.sent() - before
    statuses = {update.status.value for update in book.journal.order_updates(cycle_id)}
    if statuses != {"accepted"} or opened.sent("POST", "/v2/orders") != ORDERS * (number + 1):
        raise SystemExit(f"not every order was taken once: {statuses}")
    book.control.release_lease(lease)
    broker.close()
    return Took(seconds, cpu, once, sent)


def settle_all(opened: There, folder: Path) -> list[Took]:
    """Settle a book with all orders and positions, as a cycle begins; return what it took, again and again."""
    found: list[Took] = []
    with StateManager.open(f"sqlite:///{folder / 'full.db'}", clock=SystemClock()) as book:
        book.cycles.bind_account("PA", "paper", CASH)
        lease = book.control.acquire_lease("benchmark", ttl_seconds=600, owner_is_dead=lambda _: True)
        if lease is None:
            raise SystemExit("the lease is taken")
        for cycle_id in CYCLES:
            commit_orders(book, lease, cycle_id)
        ticket = CycleTicket("now", NOON, DAY, lease, TradingState.ACTIVE)
        for number in range(ROUNDS + 1):
            broker = adapter(opened)
            once, _ = timed(broker.time_there)
            before = opened.sent()
            seconds, cpu = timed(partial(settle, Desk(broker, book), ticket, Nothing()))  # pyright: ignore[reportArgumentType]
            requests = opened.sent() - before
            broker.close()
            if len(book.journal.open_orders()) != OPEN or len(book.ledger.portfolio().positions) != HELD:
                raise SystemExit("something is missing")
            if book.control.read().state is not TradingState.ACTIVE:
                raise SystemExit(book.control.read().cause)
            if number:  # the first one books 100 fills
                found.append(Took(seconds, cpu, once, requests))
    return found


def commit_orders(book: StateManager, lease: Lease, cycle_id: str) -> None:
    """Decide on an order in every stock, and mark all of them as sent: they are at the broker already."""
    book.cycles.begin(
        cycle_id, session=DAY, scheduled_at=NOON, lease=lease, run_id="", settings_hash="", state=TradingState.ACTIVE
    )
    signals = [Signal(symbol, Side.BUY, Purpose.ENTRY, 0.1, 1.0, "benchmark", "", {}) for symbol in SYMBOLS]
    decisions = [Approved(signal, Decimal(1), Decimal(1), "", "", ()) for signal in signals]
    intents = [intent_of(decision, cycle_id) for decision in decisions]
    book.journal.commit_decisions(cycle_id, lease, decisions=decisions, intents=intents, market_hash="")
    book.journal.mark_all_sending([intent.client_order_id for intent in intents], lease)


def fill_account(exchange: SandboxExchange) -> None:
    """Hold 100 stocks and have 500 orders wait."""
    held, *waiting = CYCLES
    limit = {"type": "limit", "limit_price": "5", "time_in_force": "gtc"}
    for cycle_id, terms in ((held, {"type": "market", "time_in_force": "day"}), *((name, limit) for name in waiting)):
        for symbol in SYMBOLS:
            name = client_order_id(cycle_id, symbol, Side.BUY, Purpose.ENTRY)
            exchange.submit({"symbol": symbol, "qty": "1", "side": "buy", "client_order_id": name, **terms})
        exchange.orders()  # those that can fill do


def tell(what: str, found: list[Took], most: int) -> None:
    """Print the medians, and the ratio."""
    seconds, once = statistics.median(f.seconds for f in found), statistics.median(f.once for f in found)
    cpu = statistics.median(f.cpu for f in found)
    print(
        f"{what}: {seconds * 1000:.0f} ms, {cpu * 1000:.0f} ms of CPU, {found[0].requests} requests; one question "
        f"{once * 1000:.0f} ms: {seconds / once:.2f} round trips (wanted: {most} at most)"
    )


def main(rounds: int) -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder, closing(There()) as opened:
        with StateManager.open(f"sqlite:///{Path(folder) / 'book.db'}", clock=SystemClock()) as book:
            book.cycles.bind_account("PA", "paper", CASH)
            found = [send_orders(opened, book, number) for number in range(rounds)]
        tell(f"{ORDERS} orders sent", found, MOST_FOR_ORDERS)
    with tempfile.TemporaryDirectory() as folder, closing(There(full=True)) as opened:
        found = settle_all(opened, Path(folder))
        tell(f"{OPEN} open orders and {HELD} positions settled", found, MOST_TO_COMPARE)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
