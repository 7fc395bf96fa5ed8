"""How long many orders, and the comparison of many, take at Alpaca, counted in round trips.

A sandbox on this machine answers every request 50 ms late, as a server far away does. 30 committed orders are sent as a
cycle sends them, and the wall time is divided by that of one question; then a book with 500 open orders and 100
positions is compared. Wall time says little on a machine that has other things to do: the requests are printed, too.

Run: python benchmarks/alpaca_orders.py [rounds]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
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
from trading_bot.core.settlement import where_they_stand
from trading_bot.domain.cycle import CycleTicket, TradingState
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Approved, ClientOrderId, OrderIntent, Purpose, Side, Signal, client_order_id
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
SYMBOLS = [Symbol(f"S{number:02}") for number in range(HELD)]


@dataclass
class Desk:
    """What sending needs of a desk."""

    broker: AlpacaBroker
    book: StateManager


def bars() -> RawBars:
    """Return one session of 100 stocks at ten dollars."""
    prices = np.full((1, HELD), 10.0)
    sessions = np.array([DAY], dtype="datetime64[D]")
    return RawBars(sessions, tuple(SYMBOLS), prices, prices, prices, prices, np.full_like(prices, 1e6))


def serve(line: Connection, *, full: bool) -> None:
    """Be the broker, in a process of its own, until the line is cut. `full`: with positions and orders that wait."""
    clock = SandboxClock(NOON)
    market = SandboxMarket(bars(), TradingHours(), clock.now)
    exchange = SandboxExchange(market, cash=Decimal(10_000_000))
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


def timed(work: Callable[[], Any]) -> float:
    """Return seconds of wall time."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def intent_of(decision: Approved, cycle_id: str) -> OrderIntent:
    """Return the order that carries a decision out."""
    wanted = decision.signal
    name = client_order_id(cycle_id, wanted.symbol, wanted.side, wanted.purpose)
    return OrderIntent(name, cycle_id, wanted.symbol, wanted.side, wanted.purpose, decision.quantity)


def send_orders(opened: There, book: StateManager, number: int) -> tuple[float, float, int]:
    """Commit 30 intents and send them; return the seconds, those of one question, and the requests."""
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
    once = timed(broker.time_there)
    before = opened.sent()
    ticket = CycleTicket(cycle_id, NOON, DAY, lease, TradingState.ACTIVE)
    seconds = timed(lambda: send(Desk(broker, book), ticket, intents))  # pyright: ignore[reportArgumentType]
    sent = opened.sent() - before
    statuses = {update.status.value for update in book.journal.order_updates(cycle_id)}
    if statuses != {"accepted"} or opened.sent("POST", "/v2/orders") != ORDERS * (number + 1):
        raise SystemExit(f"not every order was taken once: {statuses}")
    book.control.release_lease(lease)
    broker.close()
    return seconds, once, sent


def compare(opened: There) -> tuple[float, float, int]:
    """Ask where all orders, positions and cash stand; return the seconds, those of one question, the requests."""
    broker = adapter(opened)
    once = timed(broker.time_there)
    names = [ClientOrderId(f"open-{number}") for number in range(OPEN)]
    before = opened.sent()

    def ask() -> None:
        answers = where_they_stand(broker, names)
        broker.cash_activities(NOON)
        if None in answers or len(broker.get_portfolio().positions) != HELD:
            raise SystemExit("something is missing")

    seconds = timed(ask)
    broker.close()
    return seconds, once, opened.sent() - before


def fill_account(exchange: SandboxExchange) -> None:
    """Hold 100 stocks and have 500 orders wait."""
    for symbol in SYMBOLS:
        terms = {"symbol": symbol, "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
        exchange.submit({**terms, "client_order_id": f"held-{symbol}"})
    for number in range(OPEN):
        terms = {"symbol": SYMBOLS[0], "qty": "1", "side": "buy", "type": "limit", "limit_price": "5"}
        exchange.submit({**terms, "time_in_force": "gtc", "client_order_id": f"open-{number}"})


def tell(what: str, found: list[tuple[float, float, int]], most: int) -> None:
    """Print the medians, and the ratio."""
    seconds, once = statistics.median(f[0] for f in found), statistics.median(f[1] for f in found)
    print(
        f"{what}: {seconds * 1000:.0f} ms, {found[0][2]} requests; one question {once * 1000:.0f} ms: "
        f"{seconds / once:.2f} round trips (wanted: {most} at most)"
    )


def main(rounds: int) -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder, closing(There()) as opened:
        with StateManager.open(f"sqlite:///{Path(folder) / 'book.db'}", clock=SystemClock()) as book:
            book.cycles.bind_account("PA", "paper", Decimal(10_000_000))
            found = [send_orders(opened, book, number) for number in range(rounds)]
        tell(f"{ORDERS} orders sent", found, MOST_FOR_ORDERS)
    with closing(There(full=True)) as opened:
        found = [compare(opened) for _ in range(rounds)]
        tell(f"{OPEN} open orders and {HELD} positions compared", found, MOST_TO_COMPARE)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
