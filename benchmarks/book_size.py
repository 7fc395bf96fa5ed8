"""How much room the book takes: `python benchmarks/book_size.py [sessions]`.

It trades the packaged prices of 20 stocks through the same cycles as ever, one a session, weighs the file, adds
skipped cycles, weighs it again, and archives everything but the newest month. Bytes are those of a file
without free pages (VACUUM), so that they do not depend on what was there before.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.archive import archive_old
from trading_bot.core.book import open_book
from trading_bot.core.clock import SystemClock
from trading_bot.core.main_orchestrator import MainOrchestrator
from trading_bot.domain.cycle import SkipReason
from trading_bot.state import StateManager, check_ledger
from trading_bot.storage.database import Database

SESSIONS = 250  # a year of them is 251
SKIPS = 5_000
EVERY_FIVE_MINUTES = 78  # cycles in a regular trading day
DAYS_A_YEAR = 252


def weigh(book: StateManager) -> int:
    """Return the bytes of the book without free pages."""
    database = Database(book.engine, book.place)
    database.give_back_space()
    return database.size()


def skip_often(book: StateManager, session: date, number: int) -> None:
    """Write down so many skipped cycles, a minute apart."""
    at = datetime(session.year, session.month, session.day, 21, tzinfo=UTC)
    for minute in range(number):
        scheduled = at + timedelta(minutes=minute)
        book.cycles.skip(
            scheduled.strftime("%Y%m%dT%H%M%SZ-skip"),
            session=session,
            scheduled_at=scheduled,
            reason=SkipReason.MARKET_CLOSED,
            message=f"The market is closed for us at {scheduled:%Y-%m-%d %H:%M} UTC.",
        )


def rows(book: StateManager, table: str) -> int:
    """Return how many rows a table has."""
    with book.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())


def line(what: str, size: float, unit: str) -> None:
    print(f"{what:44} {size:10,.0f} {unit}")


def main() -> None:
    """Trade, weigh, archive, weigh."""
    logging.disable(logging.CRITICAL)
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    with tempfile.TemporaryDirectory() as folder:
        settings = TradingBotSettings.model_validate({"state": {"folder": folder}})
        with open_book(settings) as book:
            empty = weigh(book)
        MainOrchestrator(settings).run(cycles=sessions)
        with open_book(settings) as book:
            report(settings, book, empty)


def report(settings: TradingBotSettings, book: StateManager, empty: int) -> None:
    """Print what the book weighs now, with skipped cycles, and after archiving."""
    traded = weigh(book)
    cycles, decisions, orders = rows(book, "cycles"), rows(book, "decisions"), rows(book, "orders")
    print(f"{cycles} cycles over 20 symbols, {decisions:,} decisions, {orders:,} orders")
    line("an empty book", empty, "bytes")
    line("a cycle that decides", (traded - empty) / cycles, "bytes")
    first = book.ledger.equity_curve()[0].session
    skip_often(book, first, SKIPS)
    with_skips = weigh(book)
    line("a skipped cycle", (with_skips - traded) / SKIPS, "bytes")
    last = book.cycles.last_traded_session()
    assert last is not None
    result = archive_old(settings.state, book, before=last, clock=SystemClock())
    left = weigh(book)
    archived = sum(path.stat().st_size for month in result.months for path in month.files)
    line(f"the book before archiving to {last}", with_skips, "bytes")
    line("the book after it", left, "bytes")
    line("the archive's files", archived, "bytes")
    line("what a cycle leaves in the book for ever", (left - empty) / cycles, "bytes")
    year = EVERY_FIVE_MINUTES * DAYS_A_YEAR
    line("a year of a cycle every 5 minutes, in MB", (traded - empty) / cycles * year / 1e6, "MB")
    print("the ledger's laws:", "hold" if not check_ledger(book.engine) else "are broken")


if __name__ == "__main__":
    main()
