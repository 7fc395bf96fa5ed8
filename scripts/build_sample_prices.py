"""Build the packaged prices from two public Python packages, the same bytes on every run.

    python scripts/build_sample_prices.py                  download the wheels with pip, then build
    python scripts/build_sample_prices.py --wheels DIR     take the wheels from DIR

Downloading needs a Python that has pip; `uv run --with pip python scripts/build_sample_prices.py` has one.

Writes `sample.npz`, `sample_ohlcv.npz`, `PROVENANCE.md` and the licence into `trading_bot/data/packaged/`.
Prices are stored as whole numbers of a fraction of a dollar, uncompressed: exact, quick to read, and
independent of the compressor's version.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGED = Path(__file__).parents[1] / "trading_bot" / "data" / "packaged"
EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)
SAMPLE = "sample.npz"
OHLCV = "sample_ohlcv.npz"
MISSING = -1  # in arrays of whole numbers, where NaN cannot stand

Table = list[dict[str, str]]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Wheel:
    """One pinned release."""

    package: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The wheel's name on disk."""
        return f"{self.package}-{self.version}-py3-none-any.whl"


SKFOLIO = Wheel("skfolio", "1.12.2", "2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b")
BOKEH = Wheel("bokeh_sampledata", "2026.1", "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f")

# GICS sectors in force on the last session of each file.
SAMPLE_SECTORS = {
    "Consumer Discretionary": ("BBY", "HD"),
    "Consumer Staples": ("KO", "PEP", "PG", "WMT"),
    "Energy": ("CVX", "RRC", "XOM"),
    "Financials": ("BAC", "JPM"),
    "Health Care": ("JNJ", "LLY", "MRK", "PFE", "UNH"),
    "Industrials": ("GE",),
    "Information Technology": ("AAPL", "AMD", "MSFT"),
}
OHLCV_SECTORS = {"Information Technology": ("AAPL", "FB", "GOOG", "IBM", "MSFT")}

# Splits between the first and the last row of the OHLCV file: (symbol, first session, new shares for one).
SPLITS = (("AAPL", "2000-06-21", "2"), ("MSFT", "2003-02-18", "2"), ("AAPL", "2005-02-28", "2"))


def main() -> None:
    """Read the wheels, check what they hold, write the files."""
    parser = argparse.ArgumentParser(description="Build the packaged prices.")
    parser.add_argument("--wheels", type=Path, help="folder that already holds both wheels")
    wheels: Path | None = parser.parse_args().wheels
    with tempfile.TemporaryDirectory() as scratch:
        folder = wheels or download(Path(scratch))
        skfolio, bokeh = checked(folder, SKFOLIO), checked(folder, BOKEH)
        sample = sample_arrays(table(skfolio, "sp500_dataset.csv.gz"), table(skfolio, "sp500_index.csv.gz"))
        ohlcv = ohlcv_arrays(table(bokeh, "stocks.csv.gz"))
        (PACKAGED / "LICENSE-skfolio.txt").write_bytes(member(skfolio, "licenses/LICENSE"))
    hashes = {name: write(PACKAGED / name, arrays) for name, arrays in ((SAMPLE, sample), (OHLCV, ohlcv))}
    (PACKAGED / "PROVENANCE.md").write_text(provenance(sample, ohlcv, hashes), encoding="utf-8")
    for name, digest in hashes.items():
        print(f"{name}  sha256 {digest}")


def download(folder: Path) -> Path:
    """Let pip fetch both wheels from wherever it is configured to look."""
    pins = [f"{wheel.package}=={wheel.version}" for wheel in (SKFOLIO, BOKEH)]
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, *pins], check=True)
    return folder


def checked(folder: Path, wheel: Wheel) -> zipfile.ZipFile:
    """Open a wheel whose SHA-256 is the pinned one."""
    path = folder / wheel.file_name
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        sys.exit(f"{path} has sha256 {found}, wanted {wheel.sha256}")
    return zipfile.ZipFile(path)


def member(wheel: zipfile.ZipFile, ending: str) -> bytes:
    """Return the one file in the wheel whose path ends so."""
    (name,) = [name for name in wheel.namelist() if name.endswith(ending)]
    return wheel.read(name)


def table(wheel: zipfile.ZipFile, ending: str) -> Table:
    """Return a gzipped CSV of the wheel as rows of text."""
    return list(csv.DictReader(io.StringIO(gzip.decompress(member(wheel, ending)).decode())))


def sample_arrays(prices: Table, index: Table) -> Arrays:
    """Return 20 stocks and the index, both on the same sessions."""
    symbols = [name for name in prices[0] if name != "Date"]
    sessions = axis(row["Date"] for row in prices)
    wanted("sessions of the index", [row["Date"] for row in index], [row["Date"] for row in prices])
    close = np.array([[whole(row[symbol], 3) for symbol in symbols] for row in prices], dtype=np.int32)
    wanted("shape", close.shape, (8313, 20))
    wanted("prices above zero", bool((close > 0).all()), True)
    return {
        "sessions": sessions,
        "symbols": np.array(symbols),
        "sectors": sectors(symbols, SAMPLE_SECTORS),
        "close_mills": close,
        "index_cents": np.array([whole(row["SP500"], 2) for row in index], dtype=np.int32),
    }


def ohlcv_arrays(rows: Table) -> Arrays:
    """Return five stocks, unadjusted, with the splits that fall into the file."""
    symbols = sorted({row["Ticker"] for row in rows})
    days = sorted({row["Date"] for row in rows})
    wanted("symbols", symbols, ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
    wanted("rows without a twin", len({(row["Date"], row["Ticker"]) for row in rows}), len(rows))
    where = [(days.index(row["Date"]), symbols.index(row["Ticker"])) for row in rows]
    arrays: Arrays = {"sessions": axis(days), "symbols": np.array(symbols), "sectors": sectors(symbols, OHLCV_SECTORS)}
    for name in ("Open", "High", "Low", "Close"):
        arrays[f"{name.lower()}_tenths_of_mills"] = spread(where, [whole(row[name], 4) for row in rows], np.int32)
    arrays["volume"] = spread(where, [int(row["Volume"]) for row in rows], np.int64)
    check_splits(arrays)
    arrays["split_symbols"] = np.array([symbol for symbol, _, _ in SPLITS])
    arrays["split_sessions"] = axis((day for _, day, _ in SPLITS), unique=False)
    arrays["split_ratios"] = np.array([ratio for _, _, ratio in SPLITS])
    return arrays


def spread(where: list[tuple[int, int]], values: list[int], kind: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Return (T, N) with each value in its place and MISSING elsewhere."""
    matrix = np.full((max(t for t, _ in where) + 1, max(n for _, n in where) + 1), MISSING, dtype=kind)
    for place, value in zip(where, values, strict=True):
        matrix[place] = value
    return matrix


def check_splits(arrays: Arrays) -> None:
    """Refuse to write when a split does not show in the prices, or a jump like a split is not listed.

    The one other fall by half is Apple's of 2000-09-29: a profit warning, with eight times the usual volume.
    """
    crashes = {("AAPL", "2000-09-29")}
    close = arrays["close_tenths_of_mills"].astype(float)
    close[close < 0] = np.nan
    ratio = close[:-1] / close[1:]
    found = {
        (str(arrays["symbols"][n]), str(arrays["sessions"][t + 1]))
        for t, n in np.argwhere((ratio > 1.5) | (ratio < 0.67))
    }
    wanted("jumps like a split", found - crashes, {(symbol, day) for symbol, day, _ in SPLITS})


def sectors(symbols: list[str], table: dict[str, tuple[str, ...]]) -> NDArray[np.str_]:
    """Return the sector of each symbol, in the order of the symbols."""
    by_symbol = {symbol: sector for sector, members in table.items() for symbol in members}
    wanted("symbols with a sector", sorted(by_symbol), sorted(symbols))
    return np.array([by_symbol[symbol] for symbol in symbols])


def axis(days: Any, *, unique: bool = True) -> NDArray[np.datetime64]:
    """Return ISO dates as datetime64[D], ascending and unique."""
    sessions = np.array(list(days), dtype="datetime64[D]")
    if unique:
        wanted("ascending sessions", bool((np.diff(sessions) > np.timedelta64(0, "D")).all()), True)
    return sessions


def whole(text: str, decimals: int) -> int:
    """Return the price in units of 10 to the minus `decimals` dollars; exits when digits would be lost."""
    scaled = Decimal(text).scaleb(decimals)
    if scaled != scaled.to_integral_value():
        sys.exit(f"{text} has more than {decimals} decimals")
    return int(scaled)


def wanted(what: str, found: object, right: object) -> None:
    """Exit when a check of the source data fails."""
    if found != right:
        sys.exit(f"{what}: found {found}, wanted {right}")


def write(path: Path, arrays: Arrays) -> str:
    """Write an npz whose bytes depend on the arrays alone; return its SHA-256."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH_OF_ZIP), buffer.getvalue())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance(sample: Arrays, ohlcv: Arrays, hashes: dict[str, str]) -> str:
    """Return PROVENANCE.md with the numbers of this build filled in."""
    template = (Path(__file__).parent / "provenance.md.in").read_text(encoding="utf-8")
    facts = {
        "skfolio_wheel": SKFOLIO.file_name,
        "skfolio_sha256": SKFOLIO.sha256,
        "bokeh_wheel": BOKEH.file_name,
        "bokeh_sha256": BOKEH.sha256,
        "sample_sha256": hashes[SAMPLE],
        "ohlcv_sha256": hashes[OHLCV],
        "sample_span": span(sample),
        "ohlcv_span": span(ohlcv),
        "sample_sectors": sector_lines(SAMPLE_SECTORS),
        "sector_count": str(len(SAMPLE_SECTORS)),
        "ohlcv_symbols": symbol_lines(ohlcv),
        "splits": "\n".join(f"| {symbol} | {day} | {ratio}:1 |" for symbol, day, ratio in SPLITS),
    }
    for name, text in facts.items():
        template = template.replace("{" + name + "}", text)
    return template


def span(arrays: Arrays) -> str:
    """Return how many sessions there are, from when to when."""
    days = arrays["sessions"]
    return f"{len(days):,} sessions, {days[0]} to {days[-1]}"


def sector_lines(table: dict[str, tuple[str, ...]]) -> str:
    """Return one table row a sector."""
    return "\n".join(f"| {sector} | {', '.join(members)} |" for sector, members in table.items())


def symbol_lines(arrays: Arrays) -> str:
    """Return one table row a symbol: first session, last session, how many bars."""
    lines: list[str] = []
    for n, symbol in enumerate(arrays["symbols"]):
        days = arrays["sessions"][arrays["volume"][:, n] != MISSING]
        lines.append(f"| {symbol} | {days[0]} | {days[-1]} | {len(days):,} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
