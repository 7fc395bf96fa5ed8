"""`bensbot report|archive|backup`: what is done with a whole book."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from trading_bot.cli.options import Config, Json, book_to_read, require_writable, settings_with_a_book
from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE, fold


def report(
    *,
    session: Annotated[date | None, Parameter(help="Report this day, e.g. 2022-03-16; else the newest.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Print what a trading day came to, as the book has it."""
    from trading_bot.core.end_of_day import day_in_book
    from trading_bot.reporting.day_json import day_as_json
    from trading_bot.reporting.day_text import UNDER_LABEL, day_text

    with book_to_read(config) as book:
        day = day_in_book(book, session)
    sys.stdout.write((day_as_json(day) if as_json else fold(day_text(day), under=UNDER_LABEL)) + "\n")
    return DONE


def archive(
    *,
    before: Annotated[date | None, Parameter(help="Sessions before this day are old, e.g. 2023-01-01.")] = None,
    keep_days: Annotated[int | None, Parameter(help="Keep so many days, in months; else state.keep_days.")] = None,
    folder: Annotated[Path | None, Parameter(help="Where the files go; else `archive` in the state folder.")] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Only count.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Move old decisions without an order, skipped cycles and durations to Parquet files."""
    if before is not None and keep_days is not None:
        raise SettingsError("--before names a day and --keep-days another; write one of them.")
    if keep_days is not None and keep_days < 0:
        raise SettingsError(f"--keep-days {keep_days} is no number of days; write 0 (for ever) or more.")
    settings = settings_with_a_book(config)
    from trading_bot.core.archive import archive_old, first_day_kept
    from trading_bot.core.book import open_book
    from trading_bot.core.clock import SystemClock
    from trading_bot.reporting.archived import archived_as_json, archived_as_text

    clock, days = SystemClock(), settings.state.keep_days if keep_days is None else keep_days
    with open_book(settings, clock=clock) as book:
        limit = before or first_day_kept(book, days)
        result = archive_old(settings.state, book, before=limit, clock=clock, folder=folder, dry_run=dry_run)
    sys.stdout.write((archived_as_json(result) if as_json else archived_as_text(result)) + "\n")
    return DONE


def backup(file: Path, *, config: Config = None) -> int:
    """Copy the book to FILE, and the paper account beside it, while the bot trades."""
    require_writable("backup", file)
    settings = settings_with_a_book(config)
    from trading_bot.core.backup import back_up

    for copy in back_up(settings, file):
        sys.stdout.write(f"{copy}\n")
    return DONE
