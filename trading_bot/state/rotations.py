"""Who is in the team, since when, and why: one rotation for a session, never two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from trading_bot.domain.errors import StateBusy
from trading_bot.domain.tournament import Candidate, Rotation, Score, Seat, Team
from trading_bot.state.schema import rotation_scores, rotation_seats, rotations
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock

_NEWEST = select(func.max(rotations.c.session))
_OLD, _NEW = "old", "new"


class RotationBook:
    """Every rotation with the old team, the new one, the scores and the reason."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database = database
        self._clock = clock

    def newest_session(self) -> date | None:
        """Return the session of the newest rotation, None when there was none."""
        with self._database.reading() as connection:
            return connection.scalar(_NEWEST)

    def team(self) -> Team | None:
        """Return the team that the newest rotation chose, None when there was none."""
        with self._database.reading() as connection:
            newest = connection.scalar(_NEWEST)
            return Team(_seats(connection, newest, _NEW), newest) if newest else None

    def last(self, count: int) -> tuple[Rotation, ...]:
        """Return the newest rotations, newest first, without their scores."""
        query = select(rotations).order_by(rotations.c.session.desc()).limit(count)
        with self._database.reading() as connection:
            return tuple(_rotation(connection, row, ()) for row in connection.execute(query))

    def read(self, session: date) -> Rotation | None:
        """Return the rotation of a session with every score, None when there was none."""
        with self._database.reading() as connection:
            row = connection.execute(select(rotations).where(rotations.c.session == session)).one_or_none()
            return _rotation(connection, row, _scores(connection, session)) if row else None

    def record(self, rotation: Rotation, *, run_id: str, settings_hash: str, market_hash: str) -> bool:
        """Write the rotation down; from now on its team trades.

        Returns:
            Whether it is news: False when the session, or a later one, was rotated before, and then nothing changes.

        Raises:
            StateBusy: another team has been chosen since the old one was read. Nothing is written.
        """
        with self._database.writing() as connection:
            newest = connection.scalar(_NEWEST)
            if newest is not None and newest >= rotation.session:
                return False
            if newest is not None and _seats(connection, newest, _NEW) != rotation.old:
                raise StateBusy(f"The team has changed while the rotation of {rotation.session} was worked out.")
            _write(connection, rotation, decided_at=self._clock.now(), run_id=run_id,
                   settings_hash=settings_hash, market_hash=market_hash)  # fmt: skip
        return True


def _write(connection: Connection, rotation: Rotation, **of_the_run: Any) -> None:
    session = rotation.session
    connection.execute(
        insert(rotations),
        {
            "session": session,
            "criterion": rotation.criterion,
            "changed": rotation.changed,
            "reason": rotation.reason,
            **of_the_run,
        },
    )
    seats = [*_seat_rows(session, _OLD, rotation.old), *_seat_rows(session, _NEW, rotation.new)]
    scores = [_score_row(session, number, score) for number, score in enumerate(rotation.scores)]
    for table, rows in ((rotation_seats, seats), (rotation_scores, scores)):
        if rows:
            connection.execute(insert(table), rows)


def _seat_rows(session: date, side: str, seats: Sequence[Seat]) -> Iterable[dict[str, Any]]:
    for number, seat in enumerate(seats):
        of_whom = {"strategy": seat.candidate.name, "options": dict(seat.candidate.options)}
        yield {"session": session, "side": side, "number": number, **of_whom, "weight": seat.weight}


def _score_row(session: date, number: int, score: Score) -> dict[str, Any]:
    return {
        "session": session,
        "number": number,
        "strategy": score.candidate.name,
        "options": dict(score.candidate.options),
        "sessions_back": score.window,
        "sharpe": score.sharpe,
        "sortino": score.sortino,
        "total_return": score.total_return,
        "drawdown": score.drawdown,
        "volatility": score.volatility,
        "exposure": score.exposure,
        "turnover": score.turnover,
    }


def _rotation(connection: Connection, row: Row[Any], scores: tuple[Score, ...]) -> Rotation:
    return Rotation(
        session=row.session,
        old=_seats(connection, row.session, _OLD),
        new=_seats(connection, row.session, _NEW),
        scores=scores,
        criterion=row.criterion,
        reason=row.reason,
    )


def _seats(connection: Connection, session: date, side: str) -> tuple[Seat, ...]:
    s = rotation_seats.c
    query = select(rotation_seats).where(s.session == session, s.side == side).order_by(s.number)
    return tuple(Seat(Candidate(row.strategy, row.options), row.weight) for row in connection.execute(query))


def _scores(connection: Connection, session: date) -> tuple[Score, ...]:
    s = rotation_scores.c
    query = select(rotation_scores).where(s.session == session).order_by(s.number)
    return tuple(
        Score(
            candidate=Candidate(row.strategy, row.options),
            window=row.sessions_back,
            sharpe=row.sharpe,
            sortino=row.sortino,
            total_return=row.total_return,
            drawdown=row.drawdown,
            volatility=row.volatility,
            exposure=row.exposure,
            turnover=row.turnover,
        )
        for row in connection.execute(query)
    )
