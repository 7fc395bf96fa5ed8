"""Text beside heads, as the commands that look back print it: at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

WIDTH = 80  # columns
HEAD = 14  # columns of the names on the left


def beside(head: str, lines: Iterable[str], *, under: str = "") -> str:
    """Return lines beside a head, folded, `under` before what was folded; nothing without a line."""
    room = WIDTH - HEAD
    folded = [
        part
        for line in lines
        for part in textwrap.wrap(
            line, room, subsequent_indent=under, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
        )
    ]
    return "\n".join(f"{head if not n else '':<{HEAD}}{line}" for n, line in enumerate(folded))
