"""Rows that leave the database for Parquet files: each file is whole, verified and on the disk, or not there.

A file grows by being written anew beside the old one and taking its place. Rows that it has already are not
written twice, so a run that was cut off is simply made again.
"""

from __future__ import annotations

import errno
import importlib
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from trading_bot.domain.errors import StateCorrupt, StateError, StateFull
from trading_bot.storage.durable import make_durable

Cell = str | int | None
Record = tuple[Any, ...]  # one row as Python values


class Kind(Enum):
    """What a column holds. Money stays the text it is in the book, so that no digit is lost."""

    TEXT = "text"
    WHOLE = "whole"
    REAL = "real"  # a float64, bit for bit
    DAY = "day"
    INSTANT = "instant"  # microseconds, UTC


_VALUE: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: str,
    Kind.WHOLE: int,
    Kind.REAL: float,
    Kind.DAY: date.fromisoformat,
    Kind.INSTANT: lambda written: datetime.fromisoformat(written).astimezone(UTC),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of one kind, as the book writes them, and what their columns hold."""

    name: str  # of the file, without its suffix
    columns: Mapping[str, Kind]
    key: int  # so many first columns name a row
    rows: tuple[tuple[Cell, ...], ...]

    def records(self) -> list[Record]:
        """Return the rows as Python values."""
        values = [_VALUE[kind] for kind in self.columns.values()]
        return [
            tuple(None if cell is None else value(cell) for value, cell in zip(values, row, strict=True))
            for row in self.rows
        ]


def require_parquet() -> None:
    """Raise StateError unless Parquet files can be written here."""
    _arrow()


def add_rows(sheet: Sheet, folder: Path) -> Path:
    """Add the sheet's rows to its file in `folder`, read the file back, and return its path.

    When this returns, the rows survive a power cut. A row that is there already is left as it is.

    Raises:
        StateError: pyarrow is not installed, or the folder cannot be written.
        StateFull: no room.
        StateCorrupt: the file holds other rows under the same names, or does not read back as written.
    """
    path = folder / f"{sheet.name}.parquet"
    with _errors_translated(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        merged = _merge(path, sheet, read_rows(path, sheet) if path.exists() else [])
        _replace(path, _table(sheet.columns, merged))
    return path


def read_rows(path: Path, sheet: Sheet) -> list[Record]:
    """Return the rows of a file of this sheet, as Python values.

    Raises:
        StateCorrupt: it is no Parquet file, or has other columns.
    """
    pa, pq = _arrow()
    try:
        found = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise StateCorrupt(
            f"{path} is no Parquet file ({error}). Move it aside; the rows are still in the book."
        ) from error
    if found.schema != _table(sheet.columns, []).schema:
        raise StateCorrupt(f"{path} has other columns than this version writes. Move it aside and archive again.")
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _merge(path: Path, sheet: Sheet, old: list[Record]) -> list[Record]:
    rows = {row[: sheet.key]: row for row in old}
    for row in sheet.records():
        if rows.setdefault(row[: sheet.key], row) != row:
            raise StateCorrupt(
                f"{path} has another row {row[: sheet.key]}: it belongs to another book. "
                "Move that archive aside, or name another folder with --folder. Nothing was removed from the book."
            )
    return sorted(rows.values())


def _table(columns: Mapping[str, Kind], rows: list[Record]) -> Any:
    pa, _ = _arrow()
    types = {
        Kind.TEXT: pa.string(),
        Kind.WHOLE: pa.int64(),
        Kind.REAL: pa.float64(),
        Kind.DAY: pa.date32(),
        Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    }
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [pa.array(column, types[kind]) for column, kind in zip(cells, columns.values(), strict=True)]
    return pa.table(dict(zip(columns, arrays, strict=True)))


def _replace(path: Path, table: Any) -> None:
    _, pq = _arrow()
    written = path.with_suffix(".writing")
    with os.fdopen(os.open(written, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    if not pq.read_table(written).equals(table):
        raise StateCorrupt(f"{written} does not read back as it was written. Nothing was removed from the book.")
    written.replace(path)
    make_durable(path.parent, path.parent.parent, path.parent.parent.parent)


@contextmanager
def _errors_translated(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StateFull(
                f"No room to write the archive {folder} ({error.strerror}). Nothing was removed."
            ) from error
        raise StateError(f"Cannot write the archive {folder} ({error}). Nothing was removed from the book.") from error


def _arrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise StateError(
            'Parquet files need pyarrow, which is not installed: pip install "bensbot[parquet]"'
        ) from error
