"""The manifest: what a history store holds. Who replaces it has committed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from shlex import quote
from typing import Any, cast

import numpy as np

from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.market import SessionAxis, Split, Symbol
from trading_bot.storage.durable import replace_file

NAME = "manifest.json"
FORMAT = 1
FIELDS = ("open", "high", "low", "close", "volume")
CELL = np.dtype("<f8")
BETWEEN = "|"  # symbols and sectors: one text is read in a tenth of the time that thousands take
CHECKSUM = b'{"checksum":"%08x",'  # of all bytes behind it


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the bars are from: a price source and its options, as text."""

    source: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """What is in the store, and how to know that it is what was written."""

    bars: str  # name of the file
    sessions: SessionAxis
    symbols: tuple[Symbol, ...]
    checksums: tuple[int, ...]  # CRC-32 of each session's row
    splits: tuple[Split, ...]  # those the prices are not adjusted for
    sectors: Mapping[Symbol, str]
    benchmark: str | None  # its name; None: the store has none
    notes: tuple[str, ...]
    origin: Origin
    changed_at: datetime

    @property
    def row_cells(self) -> int:
        """How many numbers a row has: the fields of every symbol, and the benchmark."""
        return len(FIELDS) * len(self.symbols) + 1

    @property
    def row_bytes(self) -> int:
        """How long a row is."""
        return self.row_cells * CELL.itemsize


def require_store(folder: Path) -> None:
    """Raise SettingsError when there is no store in `folder`."""
    if not (folder / NAME).exists():
        raise SettingsError(
            f"data.folder: {folder} holds no history store. To make one: "
            f"bensbot data import {folder} --from files --folder YOUR-PRICES"
        )


def read_manifest(folder: Path) -> Manifest:
    """Read what the store in `folder` holds.

    Raises:
        SettingsError: there is no store.
        DataError: the manifest is damaged, or was written by another version.
    """
    require_store(folder)
    path = folder / NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}).") from error
    head = len(CHECKSUM % 0)
    if content[:head] != CHECKSUM % zlib.crc32(content[head:]):
        raise DataError(damaged(folder, f"{NAME} does not match its checksum"))
    try:
        return _from_json(json.loads(content), folder)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise DataError(damaged(folder, f"{NAME} cannot be understood ({error!r})")) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Commit: from here on the store is what `manifest` says, also after a power cut."""
    body = json.dumps(_as_json(manifest), ensure_ascii=False, separators=(",", ":")).encode()[1:] + b"\n"
    replace_file(folder / NAME, CHECKSUM % zlib.crc32(body) + body)


def damaged(folder: Path, what: str, origin: Origin | None = None) -> str:
    """Say what is wrong with the store and how to make it anew."""
    return (
        f"The history store {folder} is damaged: {what}. Make it anew from where its bars are from: "
        f"bensbot data import {quote(str(folder))} {_words(origin)} --replace"
    )


def _words(origin: Origin | None) -> str:
    if origin is None:
        return "--from SOURCE --folder YOUR-PRICES"
    options = [
        f"--folder {quote(value)}" if name == "folder" else f"--option {quote(f'{name}={value}')}"
        for name, value in origin.options.items()
    ]
    return " ".join([f"--from {origin.source}", *options])


def _as_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "changed_at": manifest.changed_at.isoformat(),
        "origin": {"source": manifest.origin.source, "options": dict(manifest.origin.options)},
        "bars": manifest.bars,
        "benchmark": manifest.benchmark,
        "notes": manifest.notes,
        "splits": [(split.symbol, split.session.isoformat(), str(split.ratio)) for split in manifest.splits],
        "sectors": {"symbols": BETWEEN.join(manifest.sectors), "names": BETWEEN.join(manifest.sectors.values())},
        "symbols": BETWEEN.join(manifest.symbols),
        "sessions": manifest.sessions.astype(str).tolist(),
        "checksums": manifest.checksums,
    }


def _from_json(found: dict[str, Any], folder: Path) -> Manifest:
    if found["format"] != FORMAT:
        raise DataError(
            f"The history store {folder} has format {found['format']}, and this version of bensbot reads {FORMAT}. "
            f"Use the version that wrote it, or make it anew: bensbot data import {folder} --from SOURCE --replace"
        )
    sessions = np.array(found["sessions"], dtype="datetime64[D]")
    sessions.flags.writeable = False
    symbols, named = _symbols(found["symbols"]), found["sectors"]["symbols"]
    # Mostly they are the same thousands of words: then they are taken apart once, and compared in no time.
    of_sectors = symbols if named == found["symbols"] else _symbols(named)
    return Manifest(
        bars=found["bars"],
        sessions=sessions,
        symbols=symbols,
        checksums=tuple(found["checksums"]),
        splits=tuple(Split(Symbol(s), date.fromisoformat(day), Decimal(ratio)) for s, day, ratio in found["splits"]),
        sectors=dict(zip(of_sectors, _parts(found["sectors"]["names"]), strict=True)),
        benchmark=found["benchmark"],
        notes=tuple(found["notes"]),
        origin=Origin(found["origin"]["source"], found["origin"]["options"]),
        changed_at=datetime.fromisoformat(found["changed_at"]),
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.split(BETWEEN)) if text else ()


def _symbols(text: str) -> tuple[Symbol, ...]:
    return cast("tuple[Symbol, ...]", _parts(text))  # calling `Symbol` 5,000 times takes longer than reading them
