"""Write a history store: whole, or days at its end. After a kill at any point it is the old one or the new one."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from trading_bot.data.store.manifest import CELL, NAME, Manifest, Origin, write_manifest
from trading_bot.data.store.merging import check_bars, merged_rows
from trading_bot.domain.errors import DataError, SettingsError, SourceUnavailable
from trading_bot.domain.market import FloatVector, SessionAxis
from trading_bot.domain.ports import RawBars
from trading_bot.storage.durable import held, make_durable

Progress = Callable[[int, int], None]  # rows written, rows in all


def silent(done: int, total: int) -> None:
    """Show no progress."""


def import_bars(
    folder: Path, raw: RawBars, *, origin: Origin, at: datetime, replacing: bool = False, progress: Progress = silent
) -> Manifest:
    """Make a store of `raw` in `folder`. When this returns, it survives a power cut.

    Raises:
        SettingsError: there is one already, and it is not to be replaced.
        SourceUnavailable: another process writes to it.
        DataError: there are no bars, or the folder cannot be written.
    """
    check_bars(raw)
    with writing(folder, make=True):
        if (folder / NAME).exists() and not replacing:
            raise SettingsError(
                f"{folder} holds a history store already. To add what is new: bensbot data append {folder}. "
                "To make it anew: --replace."
            )
        header = Manifest(
            bars="",
            sessions=raw.sessions,
            symbols=raw.symbols,
            checksums=(),
            splits=raw.splits,
            sectors=raw.sectors,
            benchmark=None if raw.benchmark is None else raw.benchmark_name,
            notes=raw.notes,
            origin=origin,
            changed_at=at,
        )
        return commit_anew(folder, header, merged_rows((raw,), header.symbols, header.sessions), progress)


def commit_anew(folder: Path, header: Manifest, rows: Iterable[FloatVector], progress: Progress) -> Manifest:
    """Write all rows to a new file, then the manifest that names it, then remove what no manifest names."""
    path = folder / _unused(folder)
    total = len(header.sessions)
    try:
        with path.open("xb", buffering=1 << 20) as file:
            checksums: list[int] = []
            for row in rows:
                checksums.append(_write_row(file.write, row))
                progress(len(checksums), total)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    make_durable(folder, folder.parent)
    manifest = replace(header, bars=path.name, checksums=tuple(checksums))
    write_manifest(folder, manifest)
    _remove_all_but(folder, path.name)
    return manifest


def commit_behind(folder: Path, header: Manifest, rows: Iterable[FloatVector], sessions: SessionAxis) -> Manifest:
    """Write rows where the committed ones end, over whatever a killed process left there, then the manifest."""
    with (folder / header.bars).open("r+b", buffering=0) as file:
        file.seek(len(header.sessions) * header.row_bytes)
        checksums = [_write_row(file.write, row) for row in rows]
        os.fsync(file.fileno())
    manifest = replace(
        header,
        sessions=np.concatenate([header.sessions, sessions]),
        checksums=(*header.checksums, *checksums),
    )
    write_manifest(folder, manifest)
    return manifest


def _write_row(write: Callable[[bytes], int | None], row: FloatVector) -> int:
    """Write a row and return its checksum. Raises OSError when the disk took a part of it only."""
    content = row.astype(CELL, copy=False).tobytes()
    if write(content) != len(content):
        raise OSError(f"a row of {len(content):,} bytes was not written whole")
    return zlib.crc32(content)


def _bars_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("bars-*.f64"))


def _unused(folder: Path) -> str:
    """Return a name that no file of bars has: a reader may have an old one open."""
    numbers = [int(path.stem.removeprefix("bars-")) for path in _bars_files(folder)]
    return f"bars-{max(numbers, default=0) + 1}.f64"


def _remove_all_but(folder: Path, name: str) -> None:
    for path in _bars_files(folder):
        if path.name != name:
            with suppress(PermissionError):  # some systems keep what a reader has open; the next writer removes it
                path.unlink()


@contextmanager
def writing(folder: Path, *, make: bool = False) -> Generator[None]:
    """Hold the store's lock, and tell what the disk refuses in our words."""
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with held(folder / "lock"):
            yield
    except BlockingIOError:
        raise SourceUnavailable(f"Another process writes to the history store {folder} now; wait for it.") from None
    except OSError as error:
        raise DataError(f"Cannot write the history store {folder} ({error}). What it had, it has.") from error
