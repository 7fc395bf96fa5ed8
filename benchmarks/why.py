"""How long `bensbot why` takes in a large book: `python benchmarks/why.py [DAYS] [REPEATS]`.

A book with DAYS (252) trading days of one-minute cycles, 390 a day, each with five decisions and all that it knew
(20 packaged stocks), beside a book of three days. A real cycle is traded first; the others are its rows under other
names, a minute apart, each with a newest session of its own. Timed are whole processes, in turn (A B A B), medians of
wall and CPU seconds:

* A: the small book, B: the large one, both `why SYMBOL` of the newest cycle (target: B ≤ 1 s, and about as long as A);
* the same for `why SYMBOL --cycle` in the middle, and for `journal --symbol SYMBOL --limit 20`.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

A_DAY, DECISIONS, SMALL = 390, 5, 3
SYMBOL = "AMD"
PROGRAM = "from trading_bot.cli import main; main()"


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 252
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory() as place:
        small, large = (make(Path(place) / name, count) for name, count in (("small", SMALL), ("large", days)))
        for folder, count in ((small, SMALL), (large, days)):
            size = (folder / ".bensbot" / "bensbot.db").stat().st_size / 1e6
            print(f"{folder.name}: {count * A_DAY:,} cycles, {count * A_DAY * DECISIONS:,} decisions, {size:,.0f} MB")
        middle = tick(days // 2, A_DAY // 2), tick(1, A_DAY // 2)
        compare("why, newest cycle", small, large, repeats, ["why", SYMBOL], ["why", SYMBOL])
        compare(
            "why, one in the middle", small, large, repeats,
            ["why", SYMBOL, "--cycle", name(middle[1])], ["why", SYMBOL, "--cycle", name(middle[0])],
        )  # fmt: skip
        listing = ["journal", "--symbol", SYMBOL, "--limit", "20"]
        compare("journal of one symbol", small, large, repeats, listing, listing)


def compare(what: str, small: Path, large: Path, repeats: int, one: list[str], other: list[str]) -> None:
    taken: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for _ in range(repeats):
        for times, folder, words in zip(taken, (small, large), (one, other), strict=True):
            times.append(run(folder, words))
    (wall, cpu), (more_wall, more_cpu) = (map(statistics.median, zip(*times, strict=True)) for times in taken)
    print(f"{what:24} small {wall:.2f} s ({cpu:.2f} s CPU), large {more_wall:.2f} s ({more_cpu:.2f} s CPU)")


def run(folder: Path, words: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def tick(day: int, minute: int) -> datetime:
    """Return an instant of a trading day; weekends do not matter here."""
    return datetime(2023, 1, 2, 14, 31, tzinfo=UTC) + timedelta(days=day, minutes=minute)


def name(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def make(folder: Path, days: int) -> Path:
    """Trade one cycle for real, and copy it."""
    folder.mkdir()
    quiet = {**os.environ, "BENSBOT_ORCHESTRATOR__ENABLE_STRATEGY_ROTATION": "false"}
    command = [sys.executable, "-c", PROGRAM, "run", "--once"]
    subprocess.run(command, cwd=folder, check=True, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with closing(sqlite3.connect(folder / ".bensbot" / "bensbot.db")) as book:
        book.execute("PRAGMA foreign_keys = OFF")
        copy(book, days)
        book.commit()
        book.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def copy(book: sqlite3.Connection, days: int) -> None:
    cycle = columns(book, "SELECT * FROM cycles")
    knew = columns(book, "SELECT * FROM cycle_inputs")
    body = book.execute("SELECT body FROM chunks WHERE digest = ?", (knew["newest"],)).fetchone()[0]
    wanted = "SELECT * FROM {} WHERE number < ? ORDER BY number"
    first = [columns_of(book, wanted.format(table), DECISIONS) for table in ("signals", "decisions")]
    for day in range(days):
        names = [name(tick(day, minute)) for minute in range(A_DAY)]
        session = f"{tick(day, 0):%Y-%m-%d}"
        insert(book, "cycles", ({**cycle, "cycle_id": each, "session": session} for each in names))
        insert(book, "chunks", ({"digest": digest_of(each), "body": body} for each in names))
        insert(book, "cycle_inputs", ({**knew, "cycle_id": each} for each in names))
        for table, rows in zip(("signals", "decisions"), first, strict=True):
            insert(book, table, ({**row, "cycle_id": each} for each in names for row in rows))


def digest_of(cycle_id: str) -> str:
    """Name a chunk that only takes room: the newest session of another minute."""
    return sha256(cycle_id.encode()).hexdigest()


def columns(book: sqlite3.Connection, query: str) -> dict[str, object]:
    return columns_of(book, query)[0]


def columns_of(book: sqlite3.Connection, query: str, *values: object) -> list[dict[str, object]]:
    found = book.execute(query, values)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def insert(book: sqlite3.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    every = list(rows)
    places = ", ".join("?" for _ in every[0])
    book.executemany(
        f"INSERT INTO {table} ({', '.join(every[0])}) VALUES ({places})",  # names of ours
        [tuple(row.values()) for row in every],
    )


if __name__ == "__main__":
    main()
