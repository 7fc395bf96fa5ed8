"""How fast the history store hands out 5,000 symbols × 504 sessions, in how much memory, and takes a day more.

    python benchmarks/history_store.py [ROUNDS]

Loading: the files are in the page cache, as they are for a bot that runs every day. Everything that is asked for is
read and compared with its checksums; all arrays of all sides are equal, or the benchmark stops. Sides take turns
(A B C A B C …), medians:

* A: the store (`open_store`, `bars`), every row's checksum compared.
* B: numpy's `load` of an uncompressed .npz (its CRC-32 is compared by `zipfile`), C: of a compressed one.
* D: SQLite, a session a row with all its bars as one blob; it has no checksums.
* E: Parquet by pyarrow, a file a field, a column a symbol, uncompressed; without pyarrow that side is left out.

Memory: how much a fresh process grows while it loads (peak resident set, the mapped file counted), over the bytes of
the arrays. Appending: a day through `append_bars` until it survives a power cut, beside what the disk alone needs for
the same three syncs, beside D with `synchronous=FULL`, and beside writing B anew, which is how a day gets into it.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from trading_bot.core.hours import TradingHours
from trading_bot.data.bars import take_rows
from trading_bot.data.manager import DataManager
from trading_bot.data.sources.store import Store
from trading_bot.data.store.appending import append_bars
from trading_bot.data.store.manifest import FIELDS, Origin
from trading_bot.data.store.reading import open_store
from trading_bot.data.store.writing import import_bars
from trading_bot.domain.market import Symbol
from trading_bot.domain.ports import RawBars

SYMBOLS, SESSIONS, ROUNDS = 5000, 504, 15
MOST_LOAD_MS, MOST_MEMORY, MOST_APPEND_MS = 150.0, 1.1, 10.0
AT = datetime(2024, 1, 5, tzinfo=UTC)
SECTORS = ("Energy", "Financials", "Health Care", "Industrials", "Information Technology", "Utilities")

# What is loaded in a process of its own, to weigh it: the same code with and without the load.
WEIGH = """
import resource, sys
from pathlib import Path
import numpy as np
from trading_bot.data.store.reading import open_store
def grown():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
before = grown()
raw = open_store(Path(sys.argv[1])).bars()
arrays = (raw.open, raw.high, raw.low, raw.close, raw.volume)
total = sum(float(np.nansum(array[:, ::512])) for array in arrays)
print(grown() - before, sum(array.nbytes for array in arrays))
"""

Arrays = dict[str, np.ndarray]


def world(sessions: int) -> RawBars:
    """Return so many sessions of a seeded random walk, real trading days; one bar in a hundred is missing."""
    rng = np.random.default_rng(20240105)
    days = TradingHours().sessions_between(date(2020, 1, 2), date(2024, 12, 31))[:sessions]
    close = rng.uniform(5, 500, SYMBOLS) * np.exp(np.cumsum(rng.normal(0, 0.02, (sessions, SYMBOLS)), axis=0))
    close[rng.random(close.shape) < 0.01] = np.nan
    symbols = tuple(Symbol(f"S{number:04d}") for number in range(SYMBOLS))
    return RawBars(
        days,
        symbols,
        open=close * 1.001,
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.floor(rng.uniform(1e4, 1e7, close.shape)),
        sectors={symbol: SECTORS[number % len(SECTORS)] for number, symbol in enumerate(symbols)},
    )


def arrays_of(raw: RawBars) -> Arrays:
    return {name: getattr(raw, name) for name in FIELDS}


def from_npz(path: Path) -> Arrays:
    with np.load(path) as file:
        return {name: file[name] for name in FIELDS}


def parquet(folder: Path, raw: RawBars) -> Callable[[], Arrays] | None:
    """Write the same bars as Parquet and return what reads them; None without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return None
    for name, array in arrays_of(raw).items():
        columns = [pa.array(array[:, column]) for column in range(SYMBOLS)]
        table = pa.Table.from_arrays(columns, names=list(raw.symbols))
        pq.write_table(table, folder / f"{name}.parquet", compression="none", use_dictionary=False)

    def load() -> Arrays:
        found: Arrays = {}
        for name in FIELDS:
            table = pq.read_table(folder / f"{name}.parquet")
            found[name] = np.column_stack([column.to_numpy() for column in table.columns])
        return found

    return load


def sqlite_book(path: Path, raw: RawBars) -> tuple[Callable[[], Arrays], Callable[[int, bytes], None]]:
    """Write the same bars as one blob a session; return what reads them all, and what adds one."""
    book = sqlite3.connect(path, isolation_level=None)
    book.execute("PRAGMA journal_mode = WAL")
    book.execute("PRAGMA synchronous = FULL")
    book.execute("CREATE TABLE bars (session INTEGER PRIMARY KEY, cells BLOB NOT NULL)")

    def add(number: int, cells: bytes) -> None:
        book.execute("INSERT INTO bars VALUES (?, ?)", (number, cells))

    def load() -> Arrays:
        cells = np.empty((len(raw.sessions), len(FIELDS), SYMBOLS))
        for row, (blob,) in enumerate(book.execute("SELECT cells FROM bars ORDER BY session LIMIT ?", (len(cells),))):
            cells[row] = np.frombuffer(blob).reshape(len(FIELDS), SYMBOLS)
        return {name: cells[:, place] for place, name in enumerate(FIELDS)}

    book.execute("BEGIN")
    for row in range(len(raw.sessions)):
        add(row, row_bytes(raw, row))
    book.execute("COMMIT")
    return load, add


def row_bytes(raw: RawBars, row: int) -> bytes:
    return np.concatenate([array[row] for array in arrays_of(raw).values()]).tobytes()


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return wall and CPU milliseconds of a call, and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, result


def in_turn(rounds: int, sides: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, float]]:
    """Return median wall and CPU milliseconds of each side, the sides taking turns."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            wall, cpu, _result = timed(call)
            seen[name].append((wall, cpu))
    return {name: (_median(found, 0), _median(found, 1)) for name, found in seen.items()}


def _median(found: list[tuple[float, float]], place: int) -> float:
    return statistics.median(pair[place] for pair in found)


def loading(folder: Path, raw: RawBars, rounds: int, from_sqlite: Callable[[], Arrays]) -> tuple[float, float]:
    """Print how long each side loads, and return what the store needs: wall and CPU milliseconds."""
    store, plain, small = folder / "store", folder / "plain.npz", folder / "small.npz"
    import_bars(store, raw, origin=Origin("benchmark", {}), at=AT)
    np.savez(plain, allow_pickle=False, **arrays_of(raw))
    np.savez_compressed(small, allow_pickle=False, **arrays_of(raw))
    sides: dict[str, Callable[[], Arrays]] = {
        "the store": lambda: arrays_of(open_store(store).bars()),
        "numpy .npz": lambda: from_npz(plain),
        "numpy .npz, compressed": lambda: from_npz(small),
        "SQLite, a blob a row": from_sqlite,
    }
    if load := parquet(folder, raw):
        sides["Parquet (pyarrow)"] = load
    else:
        print("pyarrow is not installed: no comparison with Parquet")
    for name, side in sides.items():
        found = side()
        if not all(np.array_equal(found[field], array, equal_nan=True) for field, array in arrays_of(raw).items()):
            raise SystemExit(f"{name} hands out other arrays: there is nothing to compare")
    medians = in_turn(rounds, sides)
    ours = medians["the store"]
    for name, (wall, cpu) in medians.items():
        print(f"load, {name:>22}: {wall:7.1f} ms, {cpu:7.1f} ms of CPU = {cpu / ours[1]:5.1f} × the store's CPU")
    return ours


def memory(store: Path) -> float:
    """Return how much a fresh process grows while it loads, over the bytes of the arrays."""
    found = [
        subprocess.run([sys.executable, "-c", WEIGH, store], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    return statistics.median(int(grown) / int(arrays) for grown, arrays in found)


def appending(folder: Path, raw: RawBars, rounds: int, to_sqlite: Callable[[int, bytes], None]) -> tuple[float, float]:
    """Print how long a day takes in the store and elsewhere, and return the store's wall and CPU milliseconds."""
    store, days = folder / "store", iter(range(SESSIONS, len(raw.sessions)))
    blobs = iter(range(SESSIONS, len(raw.sessions)))
    plain, manifest = folder / "plain", (store / "manifest.json").read_bytes()
    row = b"x" * (8 * (5 * SYMBOLS + 1))

    def a_day() -> None:
        at = next(days)
        append_bars(store, take_rows(raw, slice(at, at + 1)), at=AT)

    def a_blob() -> None:
        at = next(blobs)
        to_sqlite(at, row_bytes(raw, at))

    def syncs() -> None:
        for content in (row, manifest):
            with plain.open("ab") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        number = os.open(folder, os.O_RDONLY)
        os.fsync(number)
        os.close(number)

    def npz_anew() -> None:
        with (folder / "anew.npz").open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays_of(take_rows(raw, slice(0, SESSIONS))))
            file.flush()
            os.fsync(file.fileno())

    medians = in_turn(rounds, {"the store": a_day, "the disk's syncs alone": syncs, "SQLite, a blob a row": a_blob})
    medians |= in_turn(3, {"numpy .npz, written anew": npz_anew})
    for name, (wall, cpu) in medians.items():
        print(f"append, {name:>24}: {wall:7.1f} ms, {cpu:6.1f} ms of CPU")
    grown = open_store(store).bars()
    if not all(
        np.array_equal(getattr(grown, name), array, equal_nan=True)
        for name, array in arrays_of(take_rows(raw, slice(0, len(grown.sessions)))).items()
    ):
        raise SystemExit("what was appended does not come out again")
    return medians["the store"]


def market_state(store: Path, raw: RawBars, rounds: int) -> None:
    """Print how long a cycle's whole reading of the market takes on the store."""
    hours = TradingHours()
    session = raw.sessions[SESSIONS - 1].astype(object)
    source = Store(folder=store, last=SESSIONS)
    manager = DataManager(source, symbols=(), min_coverage=0.5, start=session, calendar=hours)
    at = hours.close_of(session)
    source.bars(session)  # opened, and its rows compared with their checksums
    manager.get_market_state(at, session)
    medians = in_turn(
        rounds, {"source": lambda: source.bars(session), "state": lambda: manager.get_market_state(at, session)}
    )
    for name, what in (("source", "a checked store again"), ("state", "read, cleaned and described")):
        wall, cpu = medians[name]
        print(f"the market, {what}: {wall:.1f} ms, {cpu:.1f} ms of CPU")


def verdict(what: str, seen: float, most: float, unit: str) -> None:
    print(f"{what}: {seen:.2f} {unit} (target at most {most:g}: {'met' if seen <= most else 'MISSED'})")


def main() -> None:
    """Measure, print medians and ratios, and say whether the goals are met."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    raw = world(SESSIONS + 4 * rounds)
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        print(f"{SYMBOLS:,} symbols × {SESSIONS} sessions × 5 fields, {rounds} rounds")
        print(f"{os.cpu_count()} processors, {os.getloadavg()[0]:.1f} processes want one: wall time counts theirs, too")
        first = take_rows(raw, slice(0, SESSIONS))
        from_sqlite, to_sqlite = sqlite_book(folder / "bars.db", first)
        load = loading(folder, first, rounds, from_sqlite)
        weight = memory(folder / "store")
        market_state(folder / "store", raw, max(rounds // 3, 1))
        day = appending(folder, raw, 3 * rounds, to_sqlite)
        for place, of in enumerate(("ms", "ms of CPU")):
            verdict("load", load[place], MOST_LOAD_MS, of)
            verdict("append, durable", day[place], MOST_APPEND_MS, of)
        verdict("memory", weight, MOST_MEMORY, "× the arrays")


if __name__ == "__main__":
    main()
