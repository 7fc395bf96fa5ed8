"""A copy of everything the bot knows, taken while it trades."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from trading_bot.core.book import book_url
from trading_bot.domain.errors import StateError
from trading_bot.storage.copies import copy_together
from trading_bot.storage.dialects import place_of

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings

PAPER = "paper.db"


def back_up(settings: TradingBotSettings, file: Path) -> tuple[Path, ...]:
    """Copy the book to `file`, and the paper account next to it, where both are SQLite files. Return the copies.

    Raises:
        StateError: the book is on a server, or the copies cannot be written.
    """
    url = make_url(book_url(settings))
    if url.get_backend_name() != "sqlite":
        raise StateError(
            f"The book is on a server ({place_of(book_url(settings))}). Its own tool copies it while the bot trades: "
            f"pg_dump --format=custom --file={file} …"
        )
    books = {Path(str(url.database)): file}
    paper = settings.state.folder / PAPER
    if settings.broker.name == "paper" and settings.broker.paper_url is None and paper.exists():
        books[paper] = file.with_name(f"{file.stem}-paper{file.suffix}")
    copy_together(books, busy_timeout_seconds=settings.state.busy_timeout_seconds)
    return tuple(books.values())
