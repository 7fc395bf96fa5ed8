"""How many order intents a second the book commits durably, against bare sqlite3 with the same rows.

A cycle commits 30 intents with their signals, decisions, rulings and order rows in one transaction
that survives a power cut. The baseline writes the same text into the same tables with `executemany`,
`synchronous=FULL` and one commit, and checks nothing. Both take turns (A B A B …), on the same disk,
and the medians are compared; a third line says what the disk alone needs for one `fsync` of as many bytes.

Run: python benchmarks/journal.py [rounds]
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from trading_bot.domain.cycle import Lease, TradingState
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import (
    Approved,
    OrderIntent,
    Purpose,
    Ruling,
    Side,
    Signal,
    client_order_id,
)
from trading_bot.state import StateManager, check_ledger

INTENTS = 30  # a busy cycle
RULES = 6  # asked for every order
ROUNDS = 100
WANTED_PER_SECOND = 10_000
TABLES = ("signals", "decisions", "intents", "orders")


class WallClock:
    """The time of day."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def decision(number: int) -> Approved:
    """Return an approved entry with the evidence and rulings of a usual one."""
    shares = Decimal(10 + number)
    signal = Signal(
        symbol=Symbol(f"SYM{number:02d}"),
        side=Side.BUY,
        purpose=Purpose.ENTRY,
        wanted_weight=0.05 + number / 1000,
        strength=1 / (number + 3),
        strategy="momentum+sma_cross",
        reason="Closed 12.3 % above its 50-session mean; third of 20 by momentum.",
        evidence={"fast": 101.25 + number, "slow": 99.5 + number, "momentum": 0.123456789},
    )
    rulings = tuple(
        Ruling(f"rule_{n}", "WITHIN_LIMIT", shares, shares, "0.051", "0.10", "share of equity", "Within the limit.")
        for n in range(RULES)
    )
    return Approved(signal, shares, shares, "", "Every rule let it pass.", rulings)


DECISIONS = [decision(number) for number in range(INTENTS)]


def intents_of(cycle_id: str) -> list[OrderIntent]:
    """Return the orders that follow from the decisions."""
    return [
        OrderIntent(
            client_order_id=client_order_id(cycle_id, d.signal.symbol, d.signal.side, d.signal.purpose),
            cycle_id=cycle_id,
            symbol=d.signal.symbol,
            side=d.signal.side,
            purpose=d.signal.purpose,
            quantity=d.quantity,
        )
        for d in DECISIONS
    ]


def begin(book: StateManager, lease: Lease, cycle_id: str) -> None:
    """Let a cycle in; not part of what is measured."""
    book.cycles.begin(
        cycle_id,
        session=date(2024, 1, 5),
        scheduled_at=datetime.now(UTC),
        lease=lease,
        run_id=cycle_id,
        settings_hash="s",
        state=TradingState.ACTIVE,
    )


def journal_once(book: StateManager, lease: Lease, cycle_id: str) -> float:
    """Return the seconds the book needs for one durable commit."""
    intents = intents_of(cycle_id)
    begin(book, lease, cycle_id)
    started = time.perf_counter()
    book.journal.commit_decisions(cycle_id, lease, decisions=DECISIONS, intents=intents, market_hash="m")
    return time.perf_counter() - started


def rows_of(path: Path, cycle_id: str) -> dict[str, list[tuple[object, ...]]]:
    """Return what the book wrote for one cycle, table by table, as the text it is."""
    with closing(sqlite3.connect(path)) as connection:
        by_cycle = {table: f"SELECT * FROM {table} WHERE cycle_id = ?" for table in TABLES[:3]}
        orders = "SELECT o.* FROM orders o JOIN intents i USING (client_order_id) WHERE i.cycle_id = ?"
        queries = {**by_cycle, "orders": orders}
        return {table: connection.execute(query, (cycle_id,)).fetchall() for table, query in queries.items()}


def bare_connection(path: Path, template: Path) -> sqlite3.Connection:
    """Return a connection to a database with the same tables and indexes, and no foreign keys."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with closing(sqlite3.connect(template)) as source:
        made = "SELECT sql FROM sqlite_master WHERE tbl_name IN (?, ?, ?, ?) AND sql IS NOT NULL ORDER BY type DESC"
        for (statement,) in source.execute(made, TABLES):
            connection.execute(statement)
    return connection


def bare_once(connection: sqlite3.Connection, rows: dict[str, list[tuple[object, ...]]], cycle_id: str) -> float:
    """Return the seconds sqlite3 alone needs for the same rows under another name."""
    renamed = {
        table: [tuple(c.replace("first", cycle_id) if isinstance(c, str) else c for c in row) for row in found]
        for table, found in rows.items()
    }
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for table, found in renamed.items():
        marks = ", ".join("?" * len(found[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
    connection.execute("COMMIT")
    return time.perf_counter() - started


def fsync_once(file: int, size: int) -> float:
    """Return the seconds the disk needs to take `size` bytes for good."""
    started = time.perf_counter()
    os.write(file, b"x" * size)
    os.fsync(file)
    return time.perf_counter() - started


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, the three in turns."""
    seconds: dict[str, list[float]] = {"book": [], "bare sqlite3": [], "one fsync": []}
    path = folder / "book.db"
    file = os.open(folder / "plain", os.O_CREAT | os.O_WRONLY)
    with StateManager.open(f"sqlite:///{path}", clock=WallClock()) as book:
        lease = book.control.acquire_lease("benchmark", ttl_seconds=3600)
        assert lease is not None
        journal_once(book, lease, "first")  # statements are compiled once
        rows = rows_of(path, "first")
        size = sum(len(str(cell)) for found in rows.values() for row in found for cell in row)
        with closing(bare_connection(folder / "bare.db", path)) as bare:
            for number in range(rounds):
                seconds["book"].append(journal_once(book, lease, f"c{number}"))
                seconds["bare sqlite3"].append(bare_once(bare, rows, f"c{number}"))
                seconds["one fsync"].append(fsync_once(file, size))
        assert check_ledger(book.engine) == ()
    os.close(file)
    return seconds


def main() -> None:
    """Measure, print medians and ratios, and say whether the goal is met."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory(dir=".") as folder:
        seconds = measure(Path(folder), rounds)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"{rounds} rounds of {INTENTS} intents with {RULES} rulings each, one durable transaction a round")
    for name, median in medians.items():
        quartiles = statistics.quantiles(seconds[name], n=4)
        spread = f"quartiles {quartiles[0] * 1e3:.2f} to {quartiles[2] * 1e3:.2f} ms"
        print(f"{name:>14}: {median * 1e3:6.2f} ms, {INTENTS / median:8,.0f} intents/s ({spread})")
    print(f"book / bare sqlite3 = {medians['book'] / medians['bare sqlite3']:.2f}")
    print(f"book / one fsync    = {medians['book'] / medians['one fsync']:.2f}")
    reached = INTENTS / medians["book"]
    print(
        f"goal {WANTED_PER_SECOND:,} intents/s: {'met' if reached >= WANTED_PER_SECOND else 'missed'} ({reached:,.0f})"
    )


if __name__ == "__main__":
    main()
