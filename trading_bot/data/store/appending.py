"""Let a history store grow by what its source knows now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from trading_bot.data.bars import as_days, take_rows
from trading_bot.data.store.manifest import Manifest, read_manifest, require_store, write_manifest
from trading_bot.data.store.merging import (
    check_sectors,
    check_sessions,
    check_symbols,
    difference,
    merged_rows,
    merged_splits,
    merged_symbols,
)
from trading_bot.data.store.reading import open_store
from trading_bot.data.store.writing import Progress, commit_anew, commit_behind, silent, writing
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import SessionAxis, Symbol
from trading_bot.domain.ports import RawBars


@dataclass(frozen=True, slots=True, eq=False)
class Appended:
    """What became of a store."""

    manifest: Manifest
    added: SessionAxis
    corrected: SessionAxis
    newcomers: tuple[Symbol, ...]
    rewritten: bool  # all bars went to a new file
    changed: bool  # anything was written


def append_bars(
    folder: Path, raw: RawBars, *, at: datetime, corrections: bool = False, progress: Progress = silent
) -> Appended:
    """Add the sessions of `raw` that come after the store's last one. When this returns, they survive a power cut.

    New sessions of known symbols are written behind the others. A symbol that is new has what `raw` says of old
    sessions stored too, NaN for the others; one that vanished has NaN from now on. Newcomers and corrections
    write all bars to a new file.

    Args:
        folder: The store.
        raw: What the source says now: all of it, or the newest days only.
        at: The present instant.
        corrections: Where `raw` says something else about a day that is stored, or has a day between those, take
            its word. Without it, that is an error: bars of two bases (adjusted anew, say) must not be mixed.
        progress: Is told how far the writing is.

    Raises:
        SettingsError: there is no store.
        SourceUnavailable: another process writes to it.
        DataError: it is damaged, cannot be written, or `raw` contradicts it.
    """
    check_sessions(raw)
    require_store(folder)
    with writing(folder):
        there = read_manifest(folder)
        newcomers = _newcomers(there.symbols, raw.symbols)
        corrected = _contradicted_days(folder, there, raw, corrections=corrections)
        added = raw.sessions[raw.sessions > there.sessions[-1]]
        rewritten = bool(len(corrected) or newcomers or (raw.benchmark is not None and there.benchmark is None))
        header = _with_words_of(raw, there, corrections=corrections)
        if rewritten:
            manifest = _rewrite(folder, replace(header, changed_at=at), raw, progress)
        else:
            manifest = _extend(folder, header, there, take_rows(raw, slice(len(raw.sessions) - len(added), None)), at)
        return Appended(manifest, added, corrected, newcomers, rewritten, changed=manifest is not there)


def _newcomers(known: tuple[Symbol, ...], named: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    if known == named:  # as on most days: 5,000 look-ups less
        return ()
    check_symbols(named)
    there = frozenset(known)
    return tuple(symbol for symbol in named if symbol not in there)


def _contradicted_days(folder: Path, there: Manifest, raw: RawBars, *, corrections: bool) -> SessionAxis:
    """Return the stored days about which `raw` says something else. Raises DataError when it may not."""
    first = int(np.count_nonzero(there.sessions < raw.sessions[0]))
    if first == len(there.sessions):
        return there.sessions[:0]
    found = difference(open_store(folder).bars(last=len(there.sessions) - first), raw)
    if found is None:
        return there.sessions[:0]
    if not corrections:
        days = f"{len(found.days)} day{'s' * (len(found.days) > 1)}"
        raise DataError(
            f"The source contradicts the history store {folder} about {days}, for example {found.example}. Nothing was "
            "changed. To take the source's word: --corrections. When all its prices are on another basis now, make "
            f"the store anew: bensbot data import {folder} … --replace."
        )
    return found.days


def _with_words_of(raw: RawBars, there: Manifest, *, corrections: bool) -> Manifest:
    """Return the manifest with the splits, sectors and notes of both, or itself where `raw` has no other ones."""
    splits = merged_splits(there.splits, raw.splits, corrections=corrections)
    sectors = there.sectors
    if raw.sectors != sectors:
        check_sectors(raw.sectors)
        sectors = {**sectors, **raw.sectors}
    notes = tuple(dict.fromkeys((*there.notes, *raw.notes)))
    if (splits, sectors, notes) == (there.splits, there.sectors, there.notes):
        return there
    return replace(there, splits=splits, sectors=sectors, notes=notes)


def _rewrite(folder: Path, header: Manifest, raw: RawBars, progress: Progress) -> Manifest:
    old = open_store(folder).bars()
    symbols = merged_symbols(old, raw)
    days: set[date] = {*old.sessions.tolist(), *raw.sessions.tolist()}
    sessions = as_days(sorted(days))
    benchmark = raw.benchmark_name if header.benchmark is None and raw.benchmark is not None else header.benchmark
    header = replace(header, symbols=symbols, sessions=sessions, benchmark=benchmark)
    return commit_anew(folder, header, merged_rows((old, raw), symbols, sessions), progress)


def _extend(folder: Path, header: Manifest, there: Manifest, new: RawBars, at: datetime) -> Manifest:
    """Write the new sessions behind the others, or the new words alone, or nothing where there is nothing new."""
    if len(new.sessions):
        rows = merged_rows((new,), header.symbols, new.sessions)
        return commit_behind(folder, replace(header, changed_at=at), rows, new.sessions)
    if header is there:
        return there
    header = replace(header, changed_at=at)
    write_manifest(folder, header)
    return header
