"""Move old rows from the book to Parquet files: written first, verified, and only then removed.

A process that dies in between leaves the rows in both places; the next one finds the file and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from trading_bot.core.owner import is_dead, owner_of
from trading_bot.domain.archive import ArchivedMonth, ArchiveResult
from trading_bot.domain.errors import LeaseLost, StateBusy, StateFull
from trading_bot.state.archive import Archive, OldRows
from trading_bot.storage.database import Database
from trading_bot.storage.parquet import add_rows, require_parquet

if TYPE_CHECKING:
    from trading_bot.config.sections import StateSettings
    from trading_bot.domain.cycle import Lease
    from trading_bot.domain.ports import Clock
    from trading_bot.state.manager import StateManager

log = logging.getLogger(__name__)

FOLDER = "archive"  # in the state folder
ARCHIVIST = "archive"  # who holds the lease


def first_day_kept(book: StateManager, keep_days: int) -> date | None:
    """Return the first day of the month in which the oldest day to keep lies; None keeps everything.

    Days count back from the newest session traded, so that replayed history is kept as long as the
    present. Whole months: then a month's files are written once, and not every day.
    """
    newest = book.cycles.last_traded_session()
    if newest is None or keep_days == 0:
        return None
    return (newest - timedelta(days=keep_days)).replace(day=1)


def archive_old(
    settings: StateSettings,
    book: StateManager,
    *,
    before: date | None,
    clock: Clock,
    folder: Path | None = None,
    dry_run: bool = False,
) -> ArchiveResult:
    """Move what is older than `before` out of the book. Doing it again changes nothing.

    It takes the right to trade while it works on a month, and gives it back between two months: a cycle that
    comes in that moment is skipped, and the next one trades. Where nothing is old, it is not taken.

    Args:
        settings: how long a lease lasts, and the folder.
        book: the open book.
        before: sessions before this day are old; None archives nothing. See `first_day_kept`.
        clock: for the book's lease.
        folder: where the files go; None is `archive` in the state folder.
        dry_run: only count.

    Raises:
        StateBusy: a cycle is running; archive again later.
        StateError: pyarrow is missing, the folder cannot be written, or its files belong to another book.
    """
    database = Database(book.engine, book.place)
    size, place = database.size(), folder or settings.folder / FOLDER
    if before is None:
        return ArchiveResult(None, (), size, size)
    archive = Archive(database, clock)
    if dry_run:
        counted = tuple(_counted(archive.read(month, before)) for month in archive.months(before))
        return ArchiveResult(before, counted, size, size, dry_run=True)
    require_parquet()
    done: list[ArchivedMonth] = []
    for month in archive.months(before):
        with _right_to_trade(settings, book) as lease:
            done.append(_move(archive, archive.read(month, before), place / month, lease))
    if done:
        _give_back_space(settings, book, archive)
    return ArchiveResult(before, tuple(done), size, database.size())


def _move(archive: Archive, old: OldRows, folder: Path, lease: Lease) -> ArchivedMonth:
    files = tuple(add_rows(sheet, folder) for sheet in old.sheets if sheet.rows)
    try:
        archive.remove(lease, old)
    except LeaseLost as lost:
        raise StateBusy(f"Writing {folder} took longer than state.lease_seconds ({lost}) Archive again.") from lost
    log.info("Archived %s in %s", old.month, folder)
    return _counted(old, files)


def _counted(old: OldRows, files: tuple[Path, ...] = ()) -> ArchivedMonth:
    decisions, skipped, steps, stories, _ = (len(sheet.rows) for sheet in old.sheets)
    return ArchivedMonth(old.month, decisions, skipped, steps, stories, files)


def _give_back_space(settings: StateSettings, book: StateManager, archive: Archive) -> None:
    """Make the file small again. Where that is not possible now, what comes next uses the room."""
    try:
        with _right_to_trade(settings, book):
            archive.give_back_space()
    except (StateBusy, StateFull) as later:
        log.info("The book's file keeps its size for now: %s", later)


@contextmanager
def _right_to_trade(settings: StateSettings, book: StateManager) -> Generator[Lease]:
    """Hold the lease, so that neither a cycle nor a second archivist works on the same rows."""
    owner = owner_of(ARCHIVIST)
    lease = book.control.acquire_lease(owner, ttl_seconds=settings.lease_seconds, owner_is_dead=is_dead)
    if lease is None:
        raise StateBusy("A cycle is running, so nothing was archived. Archive again when it has ended.")
    try:
        yield lease
    finally:
        book.control.release_lease(lease)
