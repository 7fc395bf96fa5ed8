"""Old rows that the ledger does not need: what they are, month by month, and how they leave the book.

They are the decisions that led to no order, the cycles that were skipped, how long steps took, and the stories that no
order may follow from (`old_stories`). Orders, fills, cash, equity and every cycle that was let in stay for ever, and so
do the decisions behind orders. What a cycle knew when it decided is not archived: it is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Text, delete, exists, func, select, type_coerce

from trading_bot.domain.cycle import CycleStatus, Lease
from trading_bot.domain.errors import StateBusy
from trading_bot.state import lease as leases
from trading_bot.state import recording
from trading_bot.state.old_stories import months_of_stories, old_stories
from trading_bot.state.schema import cycle_steps, cycles, decisions, intents, news, news_symbols, signals
from trading_bot.storage.database import Database
from trading_bot.storage.parquet import Cell, Kind, Sheet

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock

DECISIONS = {
    "cycle_id": Kind.TEXT,
    "number": Kind.WHOLE,
    "session": Kind.DAY,
    "symbol": Kind.TEXT,
    "side": Kind.TEXT,
    "purpose": Kind.TEXT,
    "wanted_weight": Kind.REAL,
    "strength": Kind.REAL,
    "strategy": Kind.TEXT,
    "signal_reason": Kind.TEXT,
    "evidence": Kind.TEXT,
    "outcome": Kind.TEXT,
    "requested": Kind.TEXT,
    "approved": Kind.TEXT,
    "rule": Kind.TEXT,
    "reason": Kind.TEXT,
    "rulings": Kind.TEXT,
}
SKIPPED = {
    "cycle_id": Kind.TEXT,
    "session": Kind.DAY,
    "scheduled_at": Kind.INSTANT,
    "started_at": Kind.INSTANT,
    "ended_at": Kind.INSTANT,
    "skipped_because": Kind.TEXT,
    "message": Kind.TEXT,
}
STEPS = {"cycle_id": Kind.TEXT, "step": Kind.TEXT, "session": Kind.DAY, "seconds": Kind.REAL}

_AT_ONCE = 500  # names in one statement; databases have a limit
_HAS_INTENT = exists().where(intents.c.cycle_id == decisions.c.cycle_id, intents.c.decision == decisions.c.number)
_OVER = cycles.c.status.in_((CycleStatus.COMPLETED, CycleStatus.FAILED, CycleStatus.CANCELLED))
_NEVER_LET_IN = (cycles.c.status == CycleStatus.SKIPPED) & (cycles.c.attempt == 0)


@dataclass(frozen=True, slots=True)
class OldRows:
    """What may leave the book of one month."""

    month: str  # 2022-01
    before: date  # sessions from this day on stay
    decisions: Sheet
    skipped: Sheet
    steps: Sheet
    stories: Sheet
    about: Sheet  # which symbols the stories are about

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """All of them, the largest first."""
        return self.decisions, self.skipped, self.steps, self.stories, self.about


class Archive:
    """Reads old rows, and removes them when they are safe elsewhere."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database of an open book."""
        self._database = database
        self._clock = clock

    def months(self, before: date) -> tuple[str, ...]:
        """Return the months in which sessions before `before` left rows that may go, oldest first."""
        with self._database.reading() as connection:
            limit = _limit(connection, before)
            queries = [query.with_only_columns(_month()).distinct() for query in (_decided(), _skipped(), _timed())]
            found = [connection.scalars(query.where(cycles.c.session < limit)) for query in queries]
            return tuple(sorted({each for months in found for each in months} | months_of_stories(connection, limit)))

    def read(self, month: str, before: date) -> OldRows:
        """Return the rows of one month that may go."""
        with self._database.reading() as connection:
            limit = _limit(connection, before)
            of_month = _month() == month, cycles.c.session < limit

            def rows(query: Select[Any]) -> tuple[tuple[Cell, ...], ...]:
                return tuple(tuple(row) for row in connection.execute(query.where(*of_month)))

            stories, about = old_stories(connection, limit, month)
            return OldRows(
                month=month,
                before=limit,
                decisions=Sheet("decisions", DECISIONS, 2, rows(_decided())),
                skipped=Sheet("skipped", SKIPPED, 1, rows(_skipped())),
                steps=Sheet("steps", STEPS, 2, rows(_timed())),
                stories=stories,
                about=about,
            )

    def remove(self, lease: Lease, old: OldRows) -> None:
        """Remove just these rows, all or none, and what the cycles of that month knew when they decided.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateBusy: some of them are not there any more, or others are; nothing is removed.
        """
        with self._database.writing() as connection:
            leases.require(connection, lease, self._clock.now())
            decided = _ids(old.decisions)
            _remove(connection, decisions.c.cycle_id, decided, len(old.decisions.rows), ~_HAS_INTENT)
            orphaned = ~exists().where(
                decisions.c.cycle_id == signals.c.cycle_id, decisions.c.number == signals.c.number
            )
            _remove(connection, signals.c.cycle_id, decided, len(old.decisions.rows), orphaned)
            _remove(connection, cycle_steps.c.cycle_id, _ids(old.steps), len(old.steps.rows))
            _remove(connection, cycles.c.cycle_id, _ids(old.skipped), len(old.skipped.rows), _NEVER_LET_IN)
            _remove(connection, news_symbols.c.story_id, _ids(old.about), len(old.about.rows))
            _remove(connection, news.c.story_id, _ids(old.stories), len(old.stories.rows))
            recording.forget(connection, _OVER, _month() == old.month, cycles.c.session < old.before)

    def give_back_space(self) -> None:
        """Make the file as small as its content, where it is a file. Nobody may write meanwhile."""
        self._database.give_back_space()


def _limit(connection: Connection, before: date) -> date:
    """Return `before`, or the newest session traded: an unfinished cycle of a later one may still go on."""
    traded = connection.scalar(select(func.max(cycles.c.session)).where(cycles.c.status == CycleStatus.COMPLETED))
    return date.min if traded is None else min(before, traded)


def _month() -> ColumnElement[str]:
    return func.substr(type_coerce(cycles.c.session, Text), 1, 7)


def _decided() -> Select[Any]:
    d, s = decisions.c, signals.c
    columns = (d.cycle_id, d.number, cycles.c.session, s.symbol, s.side, s.purpose, s.wanted_weight, s.strength)
    words = (s.strategy, s.reason, s.evidence, d.outcome, d.requested, d.approved, d.rule, d.reason, d.rulings)
    query = select(*_as_written(*columns, *words)).select_from(decisions)
    query = query.join(signals, (s.cycle_id == d.cycle_id) & (s.number == d.number))
    return query.join(cycles, cycles.c.cycle_id == d.cycle_id).where(_OVER, ~_HAS_INTENT)


def _skipped() -> Select[Any]:
    return select(*_as_written(*(cycles.c[name] for name in SKIPPED))).where(_NEVER_LET_IN)


def _timed() -> Select[Any]:
    t = cycle_steps.c
    query = select(*_as_written(t.cycle_id, t.step, cycles.c.session, t.seconds)).select_from(cycle_steps)
    return query.join(cycles, cycles.c.cycle_id == t.cycle_id).where(_OVER)


def _as_written(*columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [column if column.key == "number" else type_coerce(column, Text) for column in columns]


def _ids(sheet: Sheet) -> list[str]:
    return sorted({str(row[0]) for row in sheet.rows})


def _remove(
    connection: Connection, key: Column[Any], names: Sequence[str], wanted: int, *conditions: ColumnElement[bool]
) -> None:
    removed = 0
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        removed += connection.execute(delete(key.table).where(key.in_(some), *conditions)).rowcount
    if removed != wanted:
        raise StateBusy(
            f"{removed} old rows of {key.table.name} instead of {wanted}: somebody else changes the book. "
            "Nothing was removed; archive again later."
        )
