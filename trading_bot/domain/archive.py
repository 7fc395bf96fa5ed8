"""What left the book for the archive."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from trading_bot.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class ArchivedMonth:
    """What left the book of one month, or would leave it."""

    month: str  # 2022-01
    decisions: int
    skipped: int  # cycles
    steps: int  # durations
    stories: int
    files: tuple[Path, ...]  # none in a dry run


@dataclass(frozen=True, slots=True)
class ArchiveResult:
    """What was archived, or would be."""

    before: date | None  # older sessions; None: everything is kept
    months: tuple[ArchivedMonth, ...]
    bytes_before: int  # of the book
    bytes_after: int
    dry_run: bool = False
