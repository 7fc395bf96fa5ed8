"""May the bot trade at all, who holds the lease, and how many cycles failed in a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select, update

from trading_bot.domain.cycle import ControlState, CycleStatus, Lease, StateChange, TradingState
from trading_bot.domain.errors import StateError
from trading_bot.state import lease as leases
from trading_bot.state.schema import THE_ROW, control, cycles, equity, failures, state_changes
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock

_READ = select(control).where(control.c.id == THE_ROW)
_WRITE = update(control).where(control.c.id == THE_ROW)


def never(_owner: str) -> bool:
    """Take every owner for alive."""
    return False


class ControlBook:
    """The row that is read first in every cycle and again before every order."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database = database
        self._clock = clock

    def read(self) -> ControlState:
        """Return the trading state and the count of failures in a row."""
        with self._database.reading() as connection:
            return control_state(connection.execute(_READ).one())

    def set_state(
        self,
        state: TradingState,
        *,
        cause: str,
        who: str,
        acknowledged: bool = False,
        only_from: TradingState | None = None,
        lease: Lease | None = None,
    ) -> ControlState:
        """Change the trading state, journal the change and return the row as it is now.

        Setting ACTIVE forgets failures and waiting time and starts the high-water mark afresh, at the
        newest equity, also when the state was ACTIVE before: that is how the owner ends a portfolio
        stop. A book that is HALTED stays so until somebody who has `acknowledged` why it was halted sets
        another state; then failures and waiting time are forgotten too. Halting it again is journalled, and
        the first cause stands. With `only_from` nothing happens in any other state. Who changes it because
        of what a cycle found gives that cycle's `lease`: what a process saw before it slept through its
        lease is no reason.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: the book is HALTED, `state` is not, and nobody acknowledged.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            if lease is not None:
                leases.require(connection, lease, now)
            old = control_state(connection.execute(_READ.with_for_update()).one())
            if only_from not in (None, old.state):
                return old
            if not acknowledged:
                _refuse_to_soften(old, state)
            connection.execute(
                insert(state_changes),
                {"changed_at": now, "old_state": old.state, "new_state": state, "cause": cause, "changed_by": who},
            )
            if state is not old.state:
                connection.execute(_WRITE, {"state": state, "cause": cause, "changed_by": who, "changed_at": now})
            if state is TradingState.ACTIVE or acknowledged:
                connection.execute(_WRITE, {"consecutive_errors": 0, "next_allowed_at": None})
            if state is TradingState.ACTIVE:
                newest = connection.scalar(select(func.max(equity.c.session)))
                connection.execute(_WRITE, {"resumed_at_session": newest})
            return control_state(connection.execute(_READ).one())

    def changes(
        self, *, since: date | None = None, until: date | None = None, limit: int | None = None
    ) -> tuple[StateChange, ...]:
        """Return the newest `limit` changes of the days (UTC) from `since` to `until`, or all of them, newest first."""
        query = select(state_changes).order_by(state_changes.c.number.desc()).limit(limit)
        if since is not None:
            query = query.where(state_changes.c.changed_at >= _midnight(since))
        if until is not None:
            query = query.where(state_changes.c.changed_at < _midnight(until + timedelta(days=1)))
        with self._database.reading() as connection:
            return tuple(
                StateChange(row.changed_at, row.old_state, row.new_state, row.changed_by, row.cause)
                for row in connection.execute(query)
            )

    def record_failure(self, run_id: str, *, error: str) -> int | None:
        """Count a failed run once, however often it is reported, and end its cycle as FAILED.

        Returns:
            The number of failures in a row, or None when the run was reported before.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            row = connection.execute(_READ.with_for_update()).one()
            if connection.scalar(select(failures.c.run_id).where(failures.c.run_id == run_id)):
                return None
            connection.execute(insert(failures), {"run_id": run_id, "error": error, "failed_at": now})
            connection.execute(_WRITE, {"consecutive_errors": row.consecutive_errors + 1})
            connection.execute(
                update(cycles).where(cycles.c.run_id == run_id, cycles.c.status == CycleStatus.RUNNING),
                {"status": CycleStatus.FAILED, "message": error, "ended_at": now},
            )
            return int(row.consecutive_errors) + 1

    def hold_until(self, instant: datetime) -> None:
        """Let no cycle trade before `instant` (aware UTC, wall clock)."""
        with self._database.writing() as connection:
            connection.execute(_WRITE, {"next_allowed_at": instant})

    def forget_failures(self, lease: Lease | None = None) -> None:
        """Start counting failures from zero, with nothing to wait for.

        With a lease: nothing happens when it is no longer ours, for then the failures are those of others.
        """
        with self._database.writing() as connection:
            if lease is not None and not leases.is_newest(connection, lease):
                return
            connection.execute(_WRITE, {"consecutive_errors": 0, "next_allowed_at": None})

    def acquire_lease(
        self, owner: str, *, ttl_seconds: int, owner_is_dead: Callable[[str], bool] = never
    ) -> Lease | None:
        """Take the right to trade, or return None while somebody else alive has it.

        Every grant has a higher token than all before it. `owner_is_dead` is asked with the text of
        an owner whose lease is not over yet; say True only for what cannot come back.
        """
        with self._database.writing() as connection:
            return leases.grant(
                connection, owner, now=self._clock.now(), ttl_seconds=ttl_seconds, owner_is_dead=owner_is_dead
            )

    def current_lease(self) -> Lease | None:
        """Return the newest lease unless it was released. It may be expired: see `expires_at`."""
        with self._database.reading() as connection:
            return leases.stored(connection)

    def release_lease(self, lease: Lease) -> None:
        """Give the lease back. Nothing happens when it is no longer ours."""
        with self._database.writing() as connection:
            leases.release(connection, lease)

    def check_lease(self, lease: Lease) -> None:
        """Make sure that the lease is still ours. Raises LeaseLost."""
        with self._database.reading() as connection:
            leases.require(connection, lease, self._clock.now())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def control_state(row: Row[Any]) -> ControlState:
    """Turn the row into the domain's record."""
    return ControlState(
        state=row.state,
        cause=row.cause,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        consecutive_errors=row.consecutive_errors,
        next_allowed_at=row.next_allowed_at,
    )


def trading_state(connection: Connection) -> TradingState:
    """Return the state inside a running transaction, locked where the database can lock a row."""
    return connection.execute(_READ.with_for_update()).one().state


def _refuse_to_soften(old: ControlState, state: TradingState) -> None:
    if old.state is TradingState.HALTED and state is not TradingState.HALTED:
        raise StateError(
            f"The bot is HALTED ({old.cause}) and stays so; {state.name} would be weaker. Only somebody who says that "
            "the cause is known ends a halt: bensbot resume --ack"
        )
