"""What a source says now against what a store has: what is new, and where the two contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading_bot.data.store.manifest import BETWEEN, FIELDS
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatMatrix, FloatVector, SessionAxis, Split, Symbol
from trading_bot.domain.ports import RawBars


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Days about which a source says something else than the store, and one of them in words."""

    days: SessionAxis
    example: str


def check_bars(raw: RawBars) -> None:
    """Raise DataError unless there are bars, in the order of their days, of symbols and sectors that can be named."""
    check_sessions(raw)
    check_symbols(raw.symbols)
    check_sectors(raw.sectors)


def check_sessions(raw: RawBars) -> None:
    """Raise DataError unless there are bars, in the order of their days."""
    if not len(raw.sessions) or not raw.symbols:
        raise DataError("The price source has no bars: there is nothing to store.")
    if np.isnat(raw.sessions).any() or not (np.diff(raw.sessions) > np.timedelta64(0, "D")).all():
        raise DataError("The price source's sessions are not in ascending order, each once: they cannot be stored.")


def check_symbols(symbols: tuple[Symbol, ...]) -> None:
    """Raise DataError unless each is named once, and can be kept."""
    if len(set(symbols)) < len(symbols):
        raise DataError("The price source names a symbol twice: its bars cannot be stored.")
    _check_names(symbols)


def check_sectors(sectors: Mapping[Symbol, str]) -> None:
    """Raise DataError unless they can be kept."""
    _check_names({*sectors, *sectors.values()})


def _check_names(names: Collection[str]) -> None:
    if "" in names or BETWEEN in "".join(names):
        raise DataError(f"The price source has a symbol or a sector that is empty or has {BETWEEN!r} in it.")


def difference(old: RawBars, new: RawBars) -> Difference | None:
    """Compare what both say about the days that the store covers; a symbol that only one knows is no difference.

    A day before the store's last that the store lacks is one: it cannot be put in by appending.
    """
    if not len(old.sessions):
        return None
    known = {symbol: column for column, symbol in enumerate(old.symbols)}
    ours = np.array([known[symbol] for symbol in new.symbols if symbol in known], dtype=np.intp)
    theirs = np.array([column for column, symbol in enumerate(new.symbols) if symbol in known], dtype=np.intp)
    rows = {day: row for row, day in enumerate(old.sessions.tolist())}
    days: list[np.datetime64] = []
    example = ""
    for at, day in enumerate(new.sessions[new.sessions <= old.sessions[-1]]):
        row = rows.get(day.astype(object))
        if row is None:
            said = f"the store has no {day}"
        else:
            said = _said_otherwise(_Day(old, row, ours), _Day(new, at, theirs))
        if said:
            days.append(day)
            example = example or said
    return Difference(np.array(days, dtype="datetime64[D]"), example) if days else None


@dataclass(frozen=True, slots=True)
class _Day:
    """One session of some bars, and the columns that are compared."""

    raw: RawBars
    row: int
    columns: NDArray[np.intp]

    def cells(self) -> FloatMatrix:
        """Return the fields of these columns, (5, K)."""
        return np.stack([getattr(self.raw, name)[self.row][self.columns] for name in FIELDS])


def _said_otherwise(old: _Day, new: _Day) -> str:
    """Return an example of what the two say differently; nothing when they agree."""
    day, here, there = old.raw.sessions[old.row], old.cells(), new.cells()
    apart = (here != there) & ~(np.isnan(here) & np.isnan(there))
    if apart.any():
        field, column = map(int, np.argwhere(apart)[0])
        symbol = old.raw.symbols[int(old.columns[column])]
        return f"{FIELDS[field]} of {symbol} on {day}: {here[field, column]:g} here, {there[field, column]:g} there"
    if old.raw.benchmark is None or new.raw.benchmark is None:
        return ""
    ours, theirs = float(old.raw.benchmark[old.row]), float(new.raw.benchmark[new.row])
    same = ours == theirs or (np.isnan(ours) and np.isnan(theirs))
    return "" if same else f"benchmark on {day}: {ours:g} here, {theirs:g} there"


def merged_symbols(old: RawBars, new: RawBars) -> tuple[Symbol, ...]:
    """Return the symbols of both: in the source's order if it has all of them, else newcomers at the end."""
    known, named = frozenset(old.symbols), frozenset(new.symbols)
    if known <= named:
        return new.symbols
    return (*old.symbols, *(symbol for symbol in new.symbols if symbol not in known))


def merged_rows(sides: Sequence[RawBars], symbols: tuple[Symbol, ...], sessions: SessionAxis) -> Iterator[FloatVector]:
    """Yield each session as a row of the store: every field of every symbol, then the benchmark.

    NaN where no side has a bar; where several have one, the last of them counts. `symbols` are all of the sides'.
    """
    columns = [_columns(raw.symbols, symbols) for raw in sides]
    rows = [{day: row for row, day in enumerate(raw.sessions.tolist())} for raw in sides]
    for day in sessions.tolist():
        row = np.full(len(FIELDS) * len(symbols) + 1, np.nan)
        cells = row[:-1].reshape(len(FIELDS), len(symbols))
        for raw, where, at in zip(sides, columns, [found.get(day) for found in rows], strict=True):
            if at is not None:
                cells[:, where] = [getattr(raw, name)[at] for name in FIELDS]
                if raw.benchmark is not None:
                    row[-1] = raw.benchmark[at]
        yield row


def _columns(some: tuple[Symbol, ...], symbols: tuple[Symbol, ...]) -> slice | NDArray[np.intp]:
    """Return where `some` stand among `symbols`; as a slice where they are the same, as on most days."""
    if some == symbols:
        return slice(None)
    places = {symbol: column for column, symbol in enumerate(symbols)}
    return np.array([places[symbol] for symbol in some], dtype=np.intp)


def merged_splits(old: tuple[Split, ...], new: tuple[Split, ...], *, corrections: bool) -> tuple[Split, ...]:
    """Return the splits of both. Raises DataError when they name different ratios and none may be corrected."""
    found = {(split.session, split.symbol): split for split in old}
    for split in new:
        known = found.get((split.session, split.symbol), split)
        if known.ratio != split.ratio and not corrections:
            raise DataError(
                f"The split of {split.symbol} on {split.session} is {known.ratio} in the store and {split.ratio} "
                "at the source. Nothing was changed. To take the source's word: --corrections."
            )
        found[split.session, split.symbol] = split
    return tuple(found[key] for key in sorted(found))
