"""Daily bars from a folder of the user's own CSV or Parquet files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from trading_bot.data.bars import known_by
from trading_bot.data.folder import price_files, read_folder, side_files
from trading_bot.data.registry import price_source
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars

Stamps = tuple[tuple[str, int, int], ...]  # name, time of the last change in ns, size in bytes


@price_source("files")
@dataclass(frozen=True, slots=True)
class Files:
    """Your own prices: one file a symbol (AAPL.csv), or files with a symbol column.

    Daily bars, with or without open, high, low and volume; `data.tables` lists the column names that
    are understood. Prices are taken as they were traded. Splits they are not adjusted for belong in
    `splits.csv` (symbol,date,ratio) and GICS sectors in `sectors.csv` (symbol,sector), in the same
    folder. The folder is read once and again when a file in it changes.
    """

    historical: ClassVar[bool] = True

    folder: Path | None = None

    def bars(self, as_of: date) -> RawBars:
        """Return the bars up to `as_of`: read-only views. Raises DataError on files that are no daily bars."""
        return known_by(self._everything(), as_of)

    def sessions(self) -> SessionAxis:
        """Return every day that has a row in any file."""
        return self._everything().sessions

    def _everything(self) -> RawBars:
        if self.folder is None:
            raise DataError("The price source 'files' needs the option folder: where your CSV or Parquet files are.")
        folder = self.folder.expanduser().resolve()
        return _read(folder, _stamps(folder))


@lru_cache(maxsize=2)
def _read(folder: Path, stamps: Stamps) -> RawBars:  # noqa: ARG001  # the stamps are what makes a change seen
    return read_folder(folder)


def _stamps(folder: Path) -> Stamps:
    found = [(path.name, path.stat()) for path in (*price_files(folder), *side_files(folder).values())]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)
