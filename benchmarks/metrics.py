"""How long the metrics of a year take: 98,280 cycles, one a minute while the exchange is open.

    python benchmarks/metrics.py [REPEATS]

Most cycles trade nothing: seven steps are measured, four signals refused. One in 20 is skipped, ten a session send
an order that fills. What is measured is `read_metrics`, from the open book to every named number; the median must be
at most 1.5 seconds of CPU. Then the newest cycle is looked for, which must not depend on how many there are.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from trading_bot.core.clock import SystemClock
from trading_bot.core.metrics import read_metrics
from trading_bot.reporting.metrics_document import metrics_as_text, metrics_rows
from trading_bot.state import StateManager, open_read_only

SESSIONS, MINUTES = 252, 390
MOST_CPU_SECONDS, MOST_MS_FOR_THE_NEWEST = 1.5, 10.0
STEPS = (
    "update_market_data",
    "settle_orders",
    "generate_signals",
    "apply_risk_checks",
    "execute_signals",
    "update_portfolio_state",
    "send_status_updates",
)
RULES = ("coverage", "max_open_trades", "max_position", "sector_allocation")
COLUMNS = {
    "cycles": "cycle_id, session, scheduled_at, status, attempt, run_id, started_at, ended_at, skipped_because, "
    "message, symbols_wanted, symbols_usable",
    "cycle_steps": "cycle_id, step, seconds",
    "signals": "cycle_id, number, symbol, side, purpose, wanted_weight, strength, strategy, reason, evidence",
    "decisions": "cycle_id, number, outcome, requested, approved, rule, reason, rulings",
    "intents": "client_order_id, cycle_id, decision, symbol, side, purpose, quantity, type, time_in_force, "
    "reference_price",
    "orders": "client_order_id, status, filled, reported, settled, broker_order_id, reason",
    "fills": "execution_id, number, client_order_id, symbol, side, quantity, price, fee, session, filled_at",
    "equity": "session, cash, equity, gross, cycle_id, cash_rows, marked_at",
}
Rows = dict[str, list[tuple[object, ...]]]


def days() -> Iterator[date]:
    """Return the working days of a year, holidays left out of account."""
    weekdays = (day for n in range(400) if (day := date(2025, 1, 1) + timedelta(days=n)).weekday() < 5)
    return (day for day, _ in zip(weekdays, range(SESSIONS), strict=False))


def session_rows(day: date, chance: random.Random) -> Rows:
    """Return what one session leaves in the book."""
    rows: Rows = {table: [] for table in COLUMNS}
    at = datetime(day.year, day.month, day.day, 14, 29, tzinfo=UTC)
    for minute in range(MINUTES):
        at += timedelta(minutes=1)
        if chance.random() < 0.05:
            rows["cycles"].append((*cycle(day, at, "skipped", 0), "backing_off", "Backing off.", None, None))
            continue
        rows["cycles"].append((*cycle(day, at, "completed", 1), None, "", 20, chance.choice((19, 20))))
        trade_nothing(rows, at, chance)
        if minute % 39 == 0:
            trade(rows, day, at, chance)
    worth = f"{100_000 + chance.gauss(0, 1000):.2f}"
    rows["equity"].append((day.isoformat(), "50000.00", worth, "50000.00", name(at), 1, iso(at)))
    return rows


def cycle(day: date, at: datetime, status: str, attempt: int) -> tuple[object, ...]:
    """Return the first columns of a cycle."""
    return (name(at), day.isoformat(), iso(at), status, attempt, f"run-{name(at)}", iso(at), iso(at))


def trade_nothing(rows: Rows, at: datetime, chance: random.Random) -> None:
    """Add durations and refusals."""
    rows["cycle_steps"] += [(name(at), step, repr(chance.lognormvariate(-3, 1))) for step in STEPS]
    for number, rule in enumerate(RULES):
        rows["signals"].append((name(at), number, "AAPL", "buy", "entry", "0.1", "0.3", "momentum", "strong", "{}"))
        rows["decisions"].append((name(at), number, "rejected", "20", "0", rule, "no room", "[]"))


def trade(rows: Rows, day: date, at: datetime, chance: random.Random) -> None:
    """Add an order and its fill."""
    order, price = f"bb-{name(at)}-AAPL-buy-entry", f"{100 + chance.gauss(0.05, 0.02):.2f}"
    rows["signals"].append((name(at), 99, "AAPL", "buy", "entry", "0.1", "0.3", "momentum", "strong", "{}"))
    rows["decisions"].append((name(at), 99, "approved", "20", "20", "", "fine", "[]"))
    rows["intents"].append((order, name(at), 99, "AAPL", "buy", "entry", "20", "market", "day", "100.00"))
    rows["orders"].append((order, "filled", "20", "20", 1, "B", ""))
    number = int(at.timestamp()) // 60
    rows["fills"].append((f"x-{order}", number, order, "AAPL", "buy", "20", price, "0", day.isoformat(), iso(at)))


def name(at: datetime) -> str:
    """Return the name of the cycle of that minute."""
    return at.strftime("%Y%m%dT%H%M%SZ")


def iso(at: datetime) -> str:
    """Return the instant as the book has it."""
    return at.isoformat(timespec="microseconds")


def write_a_year(path: Path) -> None:
    """Make a book and fill it behind its back: through the front door it would take an hour."""
    StateManager.open(f"sqlite:///{path}", clock=SystemClock()).close()
    chance = random.Random(1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for day in days():
            for table, rows in session_rows(day, chance).items():
                marks = ", ".join("?" * len(COLUMNS[table].split(", ")))
                connection.executemany(f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})", rows)
        connection.commit()


def cpu_seconds(book: StateManager) -> float:
    """Return what it takes to read every metric once."""
    start = time.process_time()
    metrics_rows(read_metrics(book))
    return time.process_time() - start


def milliseconds_for_the_newest(book: StateManager) -> float:
    """Return how long it takes to find the newest cycles."""
    start = time.perf_counter()
    found = book.cycles.newest(), book.cycles.newest_completed()
    assert None not in found
    return (time.perf_counter() - start) * 1000


def main(repeats: int) -> int:
    """Print the figures; 1 when one of them is too high."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bensbot.db"
        write_a_year(path)
        with open_read_only(f"sqlite:///{path}") as book:
            print(metrics_as_text(read_metrics(book)))
            metrics = statistics.median(cpu_seconds(book) for _ in range(repeats))
            newest = statistics.median(milliseconds_for_the_newest(book) for _ in range(repeats))
        print(f"\nbook {path.stat().st_size / 1e6:,.0f} MB")
    print(f"metrics {metrics:.2f} s of CPU (at most {MOST_CPU_SECONDS})")
    print(f"newest cycles {newest:.1f} ms (at most {MOST_MS_FOR_THE_NEWEST})")
    return int(metrics > MOST_CPU_SECONDS or newest > MOST_MS_FOR_THE_NEWEST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
