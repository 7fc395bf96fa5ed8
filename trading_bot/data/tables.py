"""Read one CSV or Parquet file of daily bars, whatever its columns are called.

Names count in any case, with blanks, dots, dashes or underscores alike:

| what | also called |
|---|---|
| date | timestamp, datetime, time, day; or a first column without a name; or a Parquet date index |
| symbol | ticker |
| open, high, low, close, volume | o, h, l, c, v, vol |
| adjusted close | adj close, adj_close, adjclose |

`close` is used whenever there is one. An adjusted close is used only where there is no other, and then
as open, high and low too: the file's own ones would not be on the same basis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from trading_bot.data.days import to_days
from trading_bot.domain.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

NAMES = {
    "date": ("date", "timestamp", "datetime", "time", "day"),
    "symbol": ("symbol", "ticker"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "adjusted": ("adjusted close", "adj close", "adjclose"),
    "volume": ("volume", "vol", "v"),
}
UNNAMED = ("", "index", "unnamed: 0", "index level 0")  # how a nameless index column arrives
NO_NUMBER = ["", "NaN", "nan", "NA", "N/A", "null", "None", "-"]
FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, eq=False)
class BarTable:
    """The bars of one file: columns `instant`, `day` and the five fields; `symbol` when the file has one."""

    path: Path
    frame: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def has_symbols(self) -> bool:
        """Whether the file says itself whose bars it holds."""
        return "symbol" in self.frame


def read_table(path: Path) -> BarTable:
    """Read one file.

    Raises:
        DataError: it cannot be read, lacks a column, or holds something that is no date or no number.
    """
    import pandas as pd

    table = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    columns = _columns(path.name, table.columns)
    instants, days, notes = to_days(table[columns["date"]], path.name)
    data: dict[str, object] = {"instant": instants, "day": days, **_fields(path.name, table, columns)}
    if "symbol" in columns:
        data["symbol"] = _symbols(path.name, table[columns["symbol"]])
    return BarTable(path, pd.DataFrame(data), (*notes, *_basis(path.name, columns)))


def _csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        names = [str(name) for name in pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns]
        columns = _columns(path.name, names)
        words = [columns[what] for what in ("date", "symbol") if what in columns]
        numbers = [name for name in names if name not in words]
        return pd.read_csv(
            path,
            encoding="utf-8-sig",
            dtype=dict.fromkeys(words, str),
            keep_default_na=False,  # NA and TRUE are symbols of real companies
            na_values=dict.fromkeys(numbers, NO_NUMBER),
        )
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as CSV: {error}") from error


def _parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow.parquet  # noqa: F401  # pyright: ignore[reportUnusedImport, reportMissingTypeStubs]
    except ImportError as error:
        raise DataError(f'To read {path.name}, install the Parquet reader: pip install "bensbot[parquet]"') from error
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {error}") from error
    return table if isinstance(table.index, pd.RangeIndex) else table.reset_index()


def _columns(file: str, names: Iterable[object]) -> dict[str, str]:
    """Return which column of the file is what. Raises DataError on two for one thing or on none."""
    names = [str(name) for name in names]
    found: dict[str, str] = {}
    for name in names:
        what = next((what for what, known in NAMES.items() if _plain(name) in known), None)
        if what is None:
            continue
        if what in found:
            raise DataError(f"{file} has two columns for {what}: {found[what]!r} and {name!r}. Keep one.")
        found[what] = name
    if "date" not in found and names and _plain(names[0]) in UNNAMED:
        found["date"] = names[0]
    if "date" not in found:
        raise DataError(f"{file} has no date column. Its columns: {', '.join(names)}. Call one of them date.")
    if "close" not in found and "adjusted" not in found:
        raise DataError(f"{file} has no close column. Its columns: {', '.join(names)}. Call one of them close.")
    return found


def _fields(file: str, table: pd.DataFrame, columns: dict[str, str]) -> dict[str, object]:
    """Return the five fields as float64; closes stand in for open, high and low where there are none."""
    numbers = {what: _numbers(file, table[name]) for what, name in columns.items() if what not in ("date", "symbol")}
    rest = [what for what in ("open", "high", "low") if what in numbers]
    if "close" not in numbers:
        numbers["close"], rest = numbers["adjusted"], []
    if rest and len(rest) < 3:
        lacking = [what for what in ("open", "high", "low") if what not in rest]
        raise DataError(f"{file} has {' and '.join(rest)} but no {' and no '.join(lacking)}: give all three or none.")
    nothing = np.full(len(table), np.nan)
    prices = {what: numbers[what] if rest else numbers["close"] for what in ("open", "high", "low")}
    return {**prices, "close": numbers["close"], "volume": numbers.get("volume", nothing)}


def _numbers(file: str, column: pd.Series) -> np.ndarray:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & column.notna()).to_numpy())
    if wrong.size:
        value = column.iloc[int(wrong[0])]
        raise DataError(f"{file}: {column.name} of row {wrong[0] + 1} is {value!r}, wanted a plain number like 1234.5")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _symbols(file: str, column: pd.Series) -> pd.Series:
    symbols = cast("pd.Series", column.astype("string").str.strip().str.upper())
    empty = np.flatnonzero((symbols.isna() | (symbols == "")).to_numpy(dtype=bool))
    if empty.size:
        raise DataError(f"{file}: row {empty[0] + 1} has no symbol.")
    return symbols


def _basis(file: str, columns: dict[str, str]) -> list[str]:
    if "close" not in columns:
        return [f"{file} has an adjusted close only: {columns['adjusted']!r} is used for open, high, low and close."]
    if "adjusted" in columns:
        return [f"{file}: {columns['close']!r} is used, {columns['adjusted']!r} is left aside."]
    return []


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]+", " ", name.strip().lower()).strip()
