"""`bensbot data`: local history stores. What a command does not need, it does not import."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from trading_bot.cli.options import Json
from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.terminal import DONE, FAILED, say

if TYPE_CHECKING:
    from trading_bot.data.store.manifest import Manifest, Origin
    from trading_bot.data.store.writing import Progress
    from trading_bot.domain.ports import RawBars

app = App(name="data", help="Keep daily bars in a local history store: import, append, list, check.")

TELL_AFTER = 2.0  # seconds: what is faster than that needs no progress

Source = Annotated[str | None, Parameter(name="--from", help="The price source to read.")]
Folder = Annotated[Path | None, Parameter(name="--folder", help="The source's folder, where it has one.")]
Options = Annotated[
    list[str] | None, Parameter(name="--option", negative="", help="Another option of the source, as NAME=VALUE.")
]


@app.command(name="import")
def import_(
    store: Path,
    *,
    source: Annotated[str, Parameter(name="--from", help="The price source to read.")],
    folder: Folder = None,
    option: Options = None,
    replace: Annotated[bool, Parameter(negative="", help="Replace the store that is there.")] = False,
    as_json: Json = False,
) -> int:
    """Make a history store in the folder STORE of all bars that a price source has."""
    from trading_bot.data.store.writing import import_bars

    origin = _origin(source, folder, option)
    manifest = import_bars(
        store, _read(origin, store), origin=origin, at=datetime.now(UTC), replacing=replace, progress=_progress()
    )
    _print(_document(store, manifest), _described(store, manifest), as_json)
    return DONE


@app.command
def append(
    store: Path,
    *,
    source: Source = None,
    folder: Folder = None,
    option: Options = None,
    corrections: Annotated[
        bool, Parameter(negative="", help="Where the source says otherwise about stored days, take its word.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Add what is newer at the source, which is the one the store was imported from unless --from names another."""
    from trading_bot.data.store.appending import append_bars
    from trading_bot.data.store.manifest import read_manifest

    if source is None and (folder or option):
        raise SettingsError("--folder and --option belong to a source; name it with --from.")
    origin = read_manifest(store).origin if source is None else _origin(source, folder, option)
    done = append_bars(store, _read(origin, store), at=datetime.now(UTC), corrections=corrections, progress=_progress())
    found = {
        "changed": done.changed,
        "added": done.added.astype(str).tolist(),
        "corrected": done.corrected.astype(str).tolist(),
        "new_symbols": list(done.newcomers),
        "rewritten": done.rewritten,
    }
    last = done.manifest.sessions[-1]
    if not done.changed:
        text = f"Nothing new: {store} ends with {last}."
    else:
        parts = [_many(len(done.added), "session"), _many(len(done.newcomers), "new symbol")]
        parts += [f"{_many(len(done.corrected), 'day')} corrected"] if len(done.corrected) else []
        text = f"{store}: {', '.join(parts)}; it ends with {last}."
    _print({**_document(store, done.manifest), **found}, text, as_json)
    return DONE


@app.command(name="list")
def list_(store: Path, *, as_json: Json = False) -> int:
    """Say what a history store holds."""
    from trading_bot.data.store.manifest import read_manifest

    manifest = read_manifest(store)
    _print(_document(store, manifest), _described(store, manifest), as_json)
    return DONE


@app.command
def check(store: Path, *, as_json: Json = False) -> int:
    """Compare every row of a history store with its checksum; exit 1 when one does not match."""
    from trading_bot.data.store.manifest import damaged
    from trading_bot.data.store.reading import open_store

    opened = open_store(store)
    days = opened.damaged_sessions().astype(str).tolist()
    what = f"the bars of {', '.join(days[:10])}{' …' * (len(days) > 10)} do not match their checksum"
    text = (
        damaged(store, what, opened.manifest.origin)
        if days
        else f"{store} is sound: {_many(len(opened.manifest.sessions), 'session')}."
    )
    _print({"ok": not days, "damaged_sessions": days}, text, as_json)
    return FAILED if days else DONE


def _origin(source: str, folder: Path | None, options: list[str] | None) -> Origin:
    """Return the source and its options, a folder as it is called from everywhere."""
    from trading_bot.data.store.manifest import Origin

    given = {} if folder is None else {"folder": str(folder.expanduser().absolute())}
    for option in options or ():
        name, equals, value = option.partition("=")
        if not equals or not name:
            raise SettingsError(f"--option {option} is no option; write NAME=VALUE.")
        given[name] = value
    return Origin(source, given)


def _read(origin: Origin, store: Path) -> RawBars:
    from trading_bot.data.registry import PRICE_SOURCES

    if origin.source == "store" and Path(origin.options.get("folder", "")).resolve() == store.resolve():
        raise SettingsError(f"{store} cannot be filled from itself.")
    source = PRICE_SOURCES.build(origin.source, origin.options)
    started = time.monotonic()
    days = source.sessions()
    if not len(days):
        raise DataError(f"The price source {origin.source!r} has no session: there is nothing to store.")
    bars = source.bars(days[-1].astype(object))
    if time.monotonic() - started > TELL_AFTER:
        say(f"Read {_many(len(bars.sessions), 'session')} of {_many(len(bars.symbols), 'symbol')}.")
    return bars


def _progress() -> Progress:
    """Return what tells how far the writing is, every other second."""
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_AFTER:
            told = time.monotonic()
            say(f"{done:,} of {total:,} sessions written …")

    return tell


def _document(store: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "store": str(store),
        "symbols": len(manifest.symbols),
        "sessions": len(manifest.sessions),
        "first": str(manifest.sessions[0]),
        "last": str(manifest.sessions[-1]),
        "splits": len(manifest.splits),
        "benchmark": manifest.benchmark,
        "bytes": len(manifest.sessions) * manifest.row_bytes,
        "changed_at": manifest.changed_at.isoformat(),
        "source": manifest.origin.source,
        "options": dict(manifest.origin.options),
        "notes": list(manifest.notes),
    }


def _described(store: Path, manifest: Manifest) -> str:
    sectors, symbols = len(manifest.sectors), len(manifest.symbols)
    megabytes = len(manifest.sessions) * manifest.row_bytes / 1e6
    options = "".join(f", {name} {value}" for name, value in manifest.origin.options.items())
    lines = [
        f"{store}: {_many(len(manifest.sessions), 'session')} × {_many(symbols, 'symbol')}, {megabytes:,.1f} MB",
        f"from {manifest.sessions[0]} to {manifest.sessions[-1]}",
        f"source {manifest.origin.source}{options}, changed {manifest.changed_at:%Y-%m-%d %H:%M} UTC",
        f"{_many(len(manifest.splits), 'split')}, sectors of {sectors:,}, benchmark {manifest.benchmark or 'none'}",
        *(f"note: {note}" for note in manifest.notes),
    ]
    return "\n  ".join(lines)


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _print(document: dict[str, Any], text: str, as_json: bool) -> None:
    sys.stdout.write((json.dumps(document, indent=2, ensure_ascii=False) if as_json else text) + "\n")
