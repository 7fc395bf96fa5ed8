"""Read a folder of price files into raw bars."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trading_bot.data.bars import read_only
from trading_bot.data.tables import FIELDS, BarTable, read_table
from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.market import FloatMatrix, Split, Symbol
from trading_bot.domain.ports import RawBars

if TYPE_CHECKING:
    import pandas as pd

SPLITS, SECTORS = SIDE_FILES = ("splits.csv", "sectors.csv")
SUFFIXES = (".csv", ".parquet")


def price_files(folder: Path) -> list[Path]:
    """Return the price files in `folder` by name. Raises SettingsError when it is missing or has none."""
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"data.folder: {folder} is a file. Name the folder that it is in.")
    if not folder.is_dir():
        raise SettingsError(f"data.folder: the folder of price files {folder} does not exist.")
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and path.name.lower() not in SIDE_FILES and not path.name.startswith(".")
    )
    if not files:
        raise SettingsError(f"data.folder: {folder} holds no price file: put one CSV or Parquet file a symbol in it.")
    return files


def side_files(folder: Path) -> dict[str, Path]:
    """Return `splits.csv` and `sectors.csv` where they exist, by that name, in whatever case they are written."""
    return {path.name.lower(): path for path in sorted(folder.iterdir()) if path.name.lower() in SIDE_FILES}


def read_folder(folder: Path) -> RawBars:
    """Read every price file, `splits.csv` and `sectors.csv`.

    Raises:
        DataError: the files are no daily bars; the message names the file and says what to do.
    """
    tables = [read_table(path) for path in price_files(folder)]
    rows, doubles = _one_row_a_day(_long(tables))
    bars, sides = _spread(rows), side_files(folder)
    known = frozenset(bars.symbols)
    return read_only(
        replace(
            bars,
            splits=tuple(split for split in _splits(sides.get(SPLITS)) if split.symbol in known),
            sectors={symbol: sector for symbol, sector in _sectors(sides.get(SECTORS)) if symbol in known},
            notes=(*(note for table in tables for note in table.notes), *doubles),
        )
    )


def _long(tables: Sequence[BarTable]) -> pd.DataFrame:
    """Return the rows of all files with their symbol: the file's own column, or else the file's name."""
    import pandas as pd

    with_symbols = [table.has_symbols for table in tables]
    if any(with_symbols) and not all(with_symbols):
        one = tables[with_symbols.index(True)].path.name
        other = tables[with_symbols.index(False)].path.name
        raise DataError(f"{one} has a symbol column and {other} has none: use one layout for the whole folder.")
    owners: dict[str, str] = {}
    frames: list[pd.DataFrame] = []
    for table in tables:
        frame = table.frame if table.has_symbols else table.frame.assign(symbol=table.path.stem.strip().upper())
        for symbol in frame["symbol"].unique():
            if symbol in owners:
                raise DataError(f"{symbol} is in {owners[symbol]} and in {table.path.name}: keep one of them.")
            owners[symbol] = table.path.name
        frames.append(frame)
    rows = pd.concat(frames, ignore_index=True)
    return rows[rows["day"].notna()]


def _one_row_a_day(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Merge equal rows, empty contradicting ones, refuse several times of the same day."""
    notes: list[str] = []
    distinct = rows.drop_duplicates()
    if len(distinct) < len(rows):
        notes.append(f"Rows that repeat another row exactly were dropped: {len(rows) - len(distinct)}.")
    doubled = distinct.duplicated(["symbol", "day"], keep=False)
    if not doubled.any():
        return distinct, notes
    suspects = distinct[doubled]
    times = suspects.drop_duplicates(["symbol", "instant"]).duplicated(["symbol", "day"])
    if times.any():
        symbol, day = _where(suspects.drop_duplicates(["symbol", "instant"])[times])
        raise DataError(f"{symbol} has several times on {day}: these are intraday bars, wanted one bar a day.")
    symbol, day = _where(suspects)
    notes.append(f"Bars refused because several rows contradict each other, the first is {symbol} on {day}.")
    emptied = distinct.drop_duplicates(["symbol", "day"]).copy()
    emptied.loc[doubled.reindex(emptied.index), list(FIELDS)] = np.nan
    return emptied, notes


def _where(rows: pd.DataFrame) -> tuple[str, str]:
    return str(rows["symbol"].iloc[0]), str(rows["day"].iloc[0].date())


def _spread(rows: pd.DataFrame) -> RawBars:
    """Turn the long rows into (T, N) arrays, NaN where a symbol has no row."""
    sessions, places = np.unique(rows["day"].to_numpy(dtype="datetime64[D]"), return_inverse=True)
    names, columns = np.unique(rows["symbol"].to_numpy(dtype=str), return_inverse=True)

    def matrix(field: str) -> FloatMatrix:
        cells = np.full((len(sessions), len(names)), np.nan)
        cells[places, columns] = rows[field].to_numpy(dtype=np.float64)
        return cells

    return RawBars(
        sessions=sessions,
        symbols=tuple(Symbol(str(name)) for name in names),
        open=matrix("open"),
        high=matrix("high"),
        low=matrix("low"),
        close=matrix("close"),
        volume=matrix("volume"),
    )


def _splits(path: Path | None) -> Iterator[Split]:
    for row in _rows(path, ("symbol", "date", "ratio")):
        try:
            split = Split(Symbol(row["symbol"].upper()), date.fromisoformat(row["date"]), Decimal(row["ratio"]))
        except (ValueError, InvalidOperation) as error:
            raise DataError(f"{SPLITS}: {row} is no split, wanted for example AAPL,2020-08-31,4") from error
        yield split


def _sectors(path: Path | None) -> Iterator[tuple[Symbol, str]]:
    for row in _rows(path, ("symbol", "sector")):
        yield Symbol(row["symbol"].upper()), row["sector"]


def _rows(path: Path | None, wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    """Return the rows of a small table, an absent file being an empty one."""
    if path is None:
        return
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = [name.strip().lower() for name in next(reader, list[str]())]
        if missing := [name for name in wanted if name not in header]:
            raise DataError(f"{path.name} lacks {', '.join(missing)}: its first line must be {','.join(wanted)}")
        for line in reader:
            if line:
                yield {name: cell.strip() for name, cell in zip_longest(header, line[: len(header)], fillvalue="")}
