"""Copies of SQLite files that are in use, all of one moment."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from trading_bot.domain.errors import StateCorrupt, StateError
from trading_bot.storage import dialects


def copy_together(books: Mapping[Path, Path], *, busy_timeout_seconds: float) -> None:
    """Copy each file to its new name while nobody can write to the first of them.

    The first is the book: what the bot does anywhere, it writes there before. The copies are their
    owner's alone, complete, and looked over; until then they have another name.

    Raises:
        StateError: a new name is taken, or a place cannot be written.
        StateBusy: somebody wrote for longer than the busy timeout.
        StateCorrupt: a copy is damaged, because the file is.
    """
    book = next(iter(books))
    try:
        with closing(sqlite3.connect(book, timeout=busy_timeout_seconds, isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            parts = {target: _copy(source, target) for source, target in books.items()}
            held.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise dialects.translate(error, str(book)) from error
    except OSError as error:
        raise StateError(f"Cannot write the backup {error.filename}: {error.strerror}. Name another place.") from error
    for target, part in parts.items():
        part.replace(target)


def _copy(source: Path, target: Path) -> Path:
    if target.exists():
        raise StateError(f"{target} exists, and a backup is never overwritten. Name another file.")
    part = target.with_name(f"{target.name}.part")
    os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
    from_source = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(from_source, uri=True)) as old, closing(sqlite3.connect(part)) as new:
        old.backup(new)
        (found,) = new.execute("PRAGMA quick_check(1)").fetchone()
        new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    if found != "ok":
        raise StateCorrupt(f"The copy of {source} is damaged ({found}), because the file is. It is in {part}.")
    return part
