"""What is done once a session and never twice: reports, clean-ups, backups."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from trading_bot.state.schema import chores
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock


class ChoreBook:
    """One row for each chore and session it was done for."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database = database
        self._clock = clock

    def newest(self, chore: str) -> date | None:
        """Return the newest session the chore was done for, None when it never was."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(chores.c.session)).where(chores.c.chore == chore))

    def record(self, chore: str, session: date, *, run_id: str) -> bool:
        """Write down that the chore is done for the session.

        Returns:
            Whether it is news: False when it was recorded before, by whichever run; the first row stays.
        """
        now = self._clock.now()
        done = select(chores.c.run_id).where(chores.c.chore == chore, chores.c.session == session)
        with self._database.writing() as connection:
            if connection.scalar(done) is not None:
                return False
            connection.execute(insert(chores), {"chore": chore, "session": session, "run_id": run_id, "done_at": now})
        return True
