"""The one door to the book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from trading_bot.domain.errors import SchemaOutdated, StateError
from trading_bot.state.upgrade import REVISIONS, bring_up_to_date, require_known, stored_revision
from trading_bot.storage import dialects
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import Engine

    from trading_bot.domain.ports import Clock
    from trading_bot.state.cash import CashBook
    from trading_bot.state.chores import ChoreBook
    from trading_bot.state.control import ControlBook
    from trading_bot.state.cycles import CycleBook
    from trading_bot.state.days import DayBook
    from trading_bot.state.journal import Journal
    from trading_bot.state.ledger import Ledger
    from trading_bot.state.news import NewsBook
    from trading_bot.state.recording import Recordings
    from trading_bot.state.rotations import RotationBook
    from trading_bot.state.statistics import StatisticsBook
    from trading_bot.state.stories import StoryBook


class StateManager:
    """The book, and the only writer of it.

    It has several parts, one for each question. They hold nothing of their own, so a part is imported and made when it
    is asked: most commands ask few of them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take an open database; `open` and `open_read_only` make one."""
        self._database, self._clock = database, clock

    @classmethod
    def open(cls, url: str, *, clock: Clock, busy_timeout_seconds: float = 5.0) -> StateManager:
        """Open the book at a database URL, creating or migrating it when needed.

        A new SQLite file is readable by its owner only, and so is its folder when it is made here.

        Raises:
            StateBusy: locked for longer than the busy timeout (seconds).
            StateCorrupt: the file is damaged; it is kept as it is.
            SchemaMismatch: written by a newer version of the bot.
            StateError: no such place, no permission, or no driver.
        """
        database = _database(url, busy_timeout_seconds, read_only=False)
        try:
            database.prepare(read_only=False)
            bring_up_to_date(database, clock.now())
        except StateError:
            database.close()
            raise
        return cls(database, clock)

    @property
    def control(self) -> ControlBook:
        """May the bot trade?"""
        from trading_bot.state.control import ControlBook

        return ControlBook(self._database, self._clock)

    @property
    def cycles(self) -> CycleBook:
        """Which cycles ran?"""
        from trading_bot.state.cycles import CycleBook

        return CycleBook(self._database, self._clock)

    @property
    def journal(self) -> Journal:
        """What was decided and sent?"""
        from trading_bot.state.journal import Journal

        return Journal(self._database, self._clock)

    @property
    def ledger(self) -> Ledger:
        """What do we own?"""
        from trading_bot.state.ledger import Ledger

        return Ledger(self._database, self._clock)

    @property
    def cash(self) -> CashBook:
        """What came and went without a trade?"""
        from trading_bot.state.cash import CashBook

        return CashBook(self._database, self._clock)

    @property
    def rotations(self) -> RotationBook:
        """Who decides?"""
        from trading_bot.state.rotations import RotationBook

        return RotationBook(self._database, self._clock)

    @property
    def chores(self) -> ChoreBook:
        """What was done once a session?"""
        from trading_bot.state.chores import ChoreBook

        return ChoreBook(self._database, self._clock)

    @property
    def news(self) -> NewsBook:
        """What did the world say?"""
        from trading_bot.state.news import NewsBook

        return NewsBook(self._database, self._clock)

    @property
    def recordings(self) -> Recordings:
        """What did a cycle know?"""
        from trading_bot.state.recording import Recordings

        return Recordings(self._database)

    @property
    def stories(self) -> StoryBook:
        """Why was that decided?"""
        from trading_bot.state.stories import StoryBook

        return StoryBook(self._database)

    @property
    def statistics(self) -> StatisticsBook:
        """What did it all come to?"""
        from trading_bot.state.statistics import StatisticsBook

        return StatisticsBook(self._database)

    @property
    def days(self) -> DayBook:
        """What did a session come to?"""
        from trading_bot.state.days import DayBook

        return DayBook(self._database)

    @property
    def place(self) -> str:
        """Where the book lies, for people: a path, or a URL with its password masked."""
        return self._database.place

    @property
    def engine(self) -> Engine:
        """The engine, to read through with SQL: `check_ledger(book.engine)`."""
        return self._database.engine

    def check(self) -> None:
        """Look the whole file over, which takes a second for each gigabyte. Raises StateCorrupt when it is damaged."""
        self._database.check()

    def close(self) -> None:
        """Let go of the file. The book cannot be used afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_read_only(url: str, *, busy_timeout_seconds: float = 5.0) -> StateManager:
    """Open an existing book to look at it: nothing is created, migrated or written.

    Raises:
        StateCorrupt: the file is damaged.
        SchemaMismatch: the book has another schema than this version of the bot.
        StateError: there is no book, or it cannot be read. Every write raises it, too.
    """
    database = _database(url, busy_timeout_seconds, read_only=True)
    try:
        database.prepare(read_only=True)
        with database.reading() as connection:
            revision = stored_revision(connection)
        _require_current(revision, database.place)
    except StateError:
        database.close()
        raise
    return StateManager(database, _ReadingOnly())


def _database(url: str, busy_timeout_seconds: float, *, read_only: bool) -> Database:
    engine = dialects.make_engine(url, busy_timeout_seconds=busy_timeout_seconds, read_only=read_only)
    return Database(engine, dialects.place_of(url))


def _require_current(revision: str | None, place: str) -> None:
    require_known(revision, place)
    if revision is None:
        raise StateError(f"There is no book at {place} yet; the first cycle makes one.")
    if revision != REVISIONS[-1]:
        raise SchemaOutdated(f"The book {place} has schema {revision}; the next cycle migrates it to {REVISIONS[-1]}.")


class _ReadingOnly:
    """The clock of a book nobody may write: no write gets as far as asking the time."""

    def now(self) -> datetime:
        """Refuse."""
        raise StateError("The book was opened for reading only.")

    def sleep(self, seconds: float) -> None:
        """Refuse."""
        raise StateError(f"The book was opened for reading only; nobody waits {seconds} s for it.")
