"""Read a history store: the arrays are the file itself, mapped, and every row is checked before it is handed out."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trading_bot.data.store.manifest import CELL, FIELDS, Manifest, damaged, read_manifest
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatMatrix, SessionAxis
from trading_bot.domain.ports import RawBars


@dataclass(frozen=True, slots=True, eq=False)
class HistoryStore:
    """A store as it was when it was opened: what is written later is not seen. Let go of it to close it."""

    folder: Path
    manifest: Manifest
    _rows: FloatMatrix  # (T, 5 N + 1): the file
    _sound: NDArray[np.bool_] = field(repr=False)  # (T,): which rows were compared with their checksum already

    def bars(self, as_of: date | None = None, *, last: int | None = None) -> RawBars:
        """Return the bars up to `as_of` (None: all), of the `last` sessions only: read-only views of the file.

        Raises:
            DataError: a row is not what was written.
        """
        manifest, width = self.manifest, len(self.manifest.symbols)
        limit = manifest.sessions[-1] if as_of is None else np.datetime64(as_of, "D")
        end = int(np.searchsorted(manifest.sessions, limit, side="right"))
        rows = slice(0 if last is None else max(end - last, 0), end)
        self._check(rows)
        found = self._rows[rows]
        opened, high, low, close, volume = (
            found[:, place * width : (place + 1) * width] for place in range(len(FIELDS))
        )
        return RawBars(
            sessions=manifest.sessions[rows],
            symbols=manifest.symbols,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            splits=tuple(split for split in manifest.splits if np.datetime64(split.session, "D") <= limit),
            sectors=manifest.sectors,
            notes=manifest.notes,
            benchmark=None if manifest.benchmark is None else found[:, -1],
            benchmark_name=manifest.benchmark or "",
        )

    def damaged_sessions(self) -> SessionAxis:
        """Compare every row with its checksum, anew, and return the sessions of those that differ."""
        return self.manifest.sessions[self._wrong(range(len(self._rows)))]

    def _check(self, rows: slice) -> None:
        wrong = self._wrong(row for row in range(rows.start, rows.stop) if not self._sound[row])
        if wrong:
            days = self.manifest.sessions[wrong]
            more = f" and {len(days) - 1} more" if len(days) > 1 else ""
            what = f"the bars of {days[0]}{more} do not match their checksum"
            raise DataError(damaged(self.folder, what, self.manifest.origin))
        self._sound[rows] = True

    def _wrong(self, rows: Iterable[int]) -> list[int]:
        return [row for row in rows if zlib.crc32(memoryview(self._rows[row])) != self.manifest.checksums[row]]


def open_store(folder: Path) -> HistoryStore:
    """Open the store in `folder` as it is now.

    Raises:
        SettingsError: there is no store.
        DataError: it is damaged, or cannot be read.
    """
    manifest = read_manifest(folder)
    while True:
        try:
            cells = _mapped(folder, manifest)
            break
        except FileNotFoundError:
            named, manifest = manifest.bars, read_manifest(folder)
            if manifest.bars == named:  # nobody replaced it since the manifest was read
                raise DataError(damaged(folder, f"{named} is missing", manifest.origin)) from None
        except OSError as error:
            raise DataError(f"{folder / manifest.bars} cannot be read ({error}).") from error
    rows = cells.reshape(len(manifest.sessions), manifest.row_cells)
    return HistoryStore(folder, manifest, rows, np.zeros(len(rows), dtype=np.bool_))


def _mapped(folder: Path, manifest: Manifest) -> NDArray[np.float64]:
    wanted = len(manifest.sessions) * manifest.row_bytes
    with (folder / manifest.bars).open("rb") as file:
        there = file.seek(0, 2)
        if there < wanted:
            what = f"{manifest.bars} has {there:,} bytes of {wanted:,}"
            raise DataError(damaged(folder, what, manifest.origin))
        return np.frombuffer(mmap.mmap(file.fileno(), wanted, access=mmap.ACCESS_READ), dtype=CELL)
