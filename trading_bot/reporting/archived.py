"""What left the book for the archive, for people and for machines."""

from __future__ import annotations

import json

from trading_bot.domain.archive import ArchivedMonth, ArchiveResult
from trading_bot.domain.words import counted

MEGABYTE = 1_000_000


def archived_as_text(result: ArchiveResult) -> str:
    """Return a line for each month, and what became of the book's size."""
    if result.before is None:
        return "Everything is kept: nothing is old enough, or state.keep_days is 0."
    if not result.months:
        return f"Nothing from before {result.before} is left to archive."
    verb = "would leave" if result.dry_run else "left"
    lines = [f"{month.month}  {_rows(month)}" for month in result.months]
    total = sum(month.decisions + month.skipped + month.steps + month.stories for month in result.months)
    sizes = f"{result.bytes_before / MEGABYTE:.2f} MB"
    if not result.dry_run:
        lines += [f"         {path}" for path in result.months[-1].files]
        sizes += f" before, {result.bytes_after / MEGABYTE:.2f} MB after"
    return "\n".join([*lines, f"{counted(total, 'row')} from before {result.before} {verb} the book ({sizes})."])


def archived_as_json(result: ArchiveResult) -> str:
    """Return the same for machines."""
    months = [
        {
            "month": month.month,
            "decisions": month.decisions,
            "skipped_cycles": month.skipped,
            "step_durations": month.steps,
            "stories": month.stories,
            "files": [str(path) for path in month.files],
        }
        for month in result.months
    ]
    document = {
        "before": result.before.isoformat() if result.before else None,
        "dry_run": result.dry_run,
        "months": months,
        "bytes_before": result.bytes_before,
        "bytes_after": result.bytes_after,
    }
    return json.dumps(document, indent=2)


def _rows(month: ArchivedMonth) -> str:
    decisions, skipped = counted(month.decisions, "decision"), counted(month.skipped, "skipped cycle")
    rows = f"{decisions}, {skipped}, {counted(month.steps, 'duration')}"
    if not month.stories:
        return rows
    return f"{rows}, {month.stories:,} {'story' if month.stories == 1 else 'stories'}"
