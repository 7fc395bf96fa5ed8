"""Which cycles ran, how they ended, and whose account they trade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select, text, update

from trading_bot.domain.cycle import CycleStatus, Lease, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, StateError, WrongAccount
from trading_bot.domain.money import cents
from trading_bot.state import lease as leases
from trading_bot.state.records import AccountBinding, BegunCycle, CycleEnd, UnfinishedCycle
from trading_bot.state.schema import THE_ROW, account, cash_ledger, cycle_steps, cycles
from trading_bot.storage.database import Database

if TYPE_CHECKING:
    from trading_bot.domain.market import Coverage, Regime
    from trading_bot.domain.ports import Clock

_READ = select(cycles).where(cycles.c.cycle_id == bindparam("id"))
_UPDATE = update(cycles).where(cycles.c.cycle_id == bindparam("id"))
_LAST_TRADED = select(func.max(cycles.c.session)).where(cycles.c.status == CycleStatus.COMPLETED)
_LATEST = cycles.c.started_at.desc(), cycles.c.cycle_id.desc()
_NEWEST = select(cycles).where(text("attempt > 0")).order_by(*_LATEST).limit(1)  # in the words of its index
_NEWEST_COMPLETED = (
    select(cycles).where(cycles.c.status == CycleStatus.COMPLETED).order_by(cycles.c.session.desc(), *_LATEST).limit(1)
)


class CycleBook:
    """One row per cycle, named by its scheduled time; a failed one is begun again under its name."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what `StateManager.open` made."""
        self._database = database
        self._clock = clock

    def begin(
        self,
        cycle_id: str,
        *,
        session: date,
        scheduled_at: datetime,
        lease: Lease,
        run_id: str,
        settings_hash: str,
        state: TradingState,
    ) -> BegunCycle:
        """Let the cycle in, for the first time or again after it failed, was skipped or cancelled.

        `state` is the trading state it begins under. When an earlier attempt has decided, the state
        and settings of that attempt stay on record, for they are what the decisions rest on.

        Raises:
            CycleSkipped: the cycle has completed before (ALREADY_TRADED).
            LeaseLost: the lease is not ours any more.
        """
        now = self._clock.now()
        common = {"status": CycleStatus.RUNNING, "run_id": run_id, "lease_token": lease.token, "started_at": now}
        fresh = {"session": session, "scheduled_at": scheduled_at, "state": state, "settings_hash": settings_hash}
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            return _begin(connection, cycle_id, common, fresh)

    def skip(self, cycle_id: str, *, session: date, scheduled_at: datetime, reason: SkipReason, message: str) -> None:
        """Write down why the cycle does not trade. A running or completed one keeps its row."""
        now = self._clock.now()
        values = {"status": CycleStatus.SKIPPED, "skipped_because": reason.value, "message": message, "ended_at": now}
        with self._database.writing() as connection:
            row = connection.execute(_READ, {"id": cycle_id}).one_or_none()
            if row is None:
                first = {"cycle_id": cycle_id, "session": session, "scheduled_at": scheduled_at, "started_at": now}
                connection.execute(insert(cycles), {**first, **values, "attempt": 0})
            elif row.status not in (CycleStatus.RUNNING, CycleStatus.COMPLETED):
                connection.execute(_UPDATE, {"id": cycle_id, **values})

    def complete(self, cycle_id: str, lease: Lease, regime: Regime, coverage: Coverage) -> None:
        """End the cycle well.

        Raises:
            LeaseLost: the lease is not ours any more.
            StateError: the cycle is not running.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            leases.require(connection, lease, now)
            running_cycle(connection, cycle_id)
            connection.execute(
                _UPDATE,
                {
                    "id": cycle_id,
                    "status": CycleStatus.COMPLETED,
                    "ended_at": now,
                    "trend": regime.trend.value,
                    "volatility": regime.volatility.value,
                    "regime": regime.sentence,
                    "symbols_wanted": coverage.wanted,
                    "symbols_usable": coverage.usable,
                },
            )

    def cancel(self, run_id: str, reason: str) -> None:
        """End the running cycle of this run as interrupted by the owner; no failure is counted."""
        with self._database.writing() as connection:
            connection.execute(
                update(cycles).where(cycles.c.run_id == run_id, cycles.c.status == CycleStatus.RUNNING),
                {"status": CycleStatus.CANCELLED, "message": reason, "ended_at": self._clock.now()},
            )

    def unfinished(self) -> tuple[UnfinishedCycle, ...]:
        """Return every cycle still marked RUNNING, oldest first."""
        query = select(cycles).where(cycles.c.status == CycleStatus.RUNNING).order_by(cycles.c.started_at)
        with self._database.reading() as connection:
            return tuple(
                UnfinishedCycle(row.cycle_id, row.run_id, row.session, row.started_at)
                for row in connection.execute(query)
            )

    def last_traded_session(self) -> date | None:
        """Return the newest session of a completed cycle, None when there is none."""
        with self._database.reading() as connection:
            return connection.scalar(_LAST_TRADED)

    def newest(self) -> CycleEnd | None:
        """Return the cycle that began last, None when there is none. One that was only ever skipped never began."""
        with self._database.reading() as connection:
            return _end_of(connection.execute(_NEWEST).one_or_none())

    def newest_completed(self) -> CycleEnd | None:
        """Return the newest cycle of the last traded session, None when none has traded yet."""
        with self._database.reading() as connection:
            return _end_of(connection.execute(_NEWEST_COMPLETED).one_or_none())

    def record_steps(self, cycle_id: str, seconds: Mapping[str, float]) -> None:
        """Write down how long each step of the cycle took. Again for the same cycle overwrites."""
        if not seconds:
            return
        with self._database.writing() as connection:
            connection.execute(delete(cycle_steps).where(cycle_steps.c.cycle_id == cycle_id))
            rows = [{"cycle_id": cycle_id, "step": step, "seconds": taken} for step, taken in seconds.items()]
            connection.execute(insert(cycle_steps), rows)

    def unfinished_session(self) -> date | None:
        """Return the newest session whose cycle was begun and not completed after the last one traded, or None.

        A cycle that failed and was skipped when its turn came again is still unfinished.
        """
        ended_badly = cycles.c.status.in_((CycleStatus.FAILED, CycleStatus.CANCELLED))
        put_off = and_(cycles.c.status == CycleStatus.SKIPPED, cycles.c.attempt > 0)
        query = select(func.max(cycles.c.session)).where(or_(ended_badly, put_off))
        with self._database.reading() as connection:
            newest, traded = connection.scalar(query), connection.scalar(_LAST_TRADED)
        return newest if newest is not None and (traded is None or newest > traded) else None

    def bind_account(self, account_id: str, mode: str, opening_cash: Decimal) -> None:
        """Tie the book to one broker account and deposit its cash; later, make sure it is the same.

        `opening_cash` (dollars) counts the first time only.

        Raises:
            WrongAccount: the book belongs to another account, or to the other mode of it.
        """
        with self._database.writing() as connection:
            bound = _binding(connection)
            if bound is None:
                _bind(connection, AccountBinding(account_id, mode, cents(opening_cash)), self._clock.now())
            elif (bound.account_id, bound.mode) != (account_id, mode):
                raise WrongAccount(
                    f"The book {self._database.place} belongs to the {bound.mode} account {bound.account_id}; "
                    f"the broker is the {mode} account {account_id}. Point the database setting at another file for "
                    f"this account, or set the broker back to {bound.mode} account {bound.account_id}."
                )

    def binding(self) -> AccountBinding | None:
        """Return the account the book belongs to, None before the first cycle."""
        with self._database.reading() as connection:
            return _binding(connection)


@dataclass(frozen=True, slots=True)
class RunningCycle:
    """What a write on behalf of a cycle needs to know of it."""

    cycle_id: str
    state: TradingState
    decided: bool


def running_cycle(connection: Connection, cycle_id: str) -> RunningCycle:
    """Return the cycle inside a running transaction. Raises StateError unless it is RUNNING."""
    row: Row[Any] | None = connection.execute(_READ, {"id": cycle_id}).one_or_none()
    if row is None or row.status is not CycleStatus.RUNNING:
        raise StateError(f"Cycle {cycle_id} is {row.status.value if row else 'not in the book'}, wanted running.")
    return RunningCycle(cycle_id, row.state, row.decided_at is not None)


def _begin(connection: Connection, cycle_id: str, common: Mapping[str, Any], fresh: Mapping[str, Any]) -> BegunCycle:
    row = connection.execute(_READ, {"id": cycle_id}).one_or_none()
    if row is None:
        connection.execute(insert(cycles), {**common, **fresh, "cycle_id": cycle_id, "attempt": 1, "message": ""})
        return BegunCycle(attempt=1, decided=False)
    if row.status is CycleStatus.COMPLETED:
        raise CycleSkipped(SkipReason.ALREADY_TRADED, f"Cycle {cycle_id} traded {row.session} already.")
    decided = row.decided_at is not None
    again = {"attempt": row.attempt + 1, "ended_at": None, "skipped_because": None, "message": ""}
    connection.execute(_UPDATE, {"id": cycle_id, **common, **again, **({} if decided else fresh)})
    return BegunCycle(attempt=row.attempt + 1, decided=decided)


def _end_of(row: Row[Any] | None) -> CycleEnd | None:
    if row is None:
        return None
    return CycleEnd(
        cycle_id=row.cycle_id,
        session=row.session,
        status=row.status,
        scheduled_at=row.scheduled_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        message=row.message,
    )


def _binding(connection: Connection) -> AccountBinding | None:
    row = connection.execute(select(account).where(account.c.id == THE_ROW)).one_or_none()
    return AccountBinding(row.account_id, row.mode, row.opening_cash) if row else None


def _bind(connection: Connection, binding: AccountBinding, now: datetime) -> None:
    cash = binding.opening_cash
    connection.execute(
        insert(account),
        {"id": THE_ROW, "account_id": binding.account_id, "mode": binding.mode, "opening_cash": cash, "bound_at": now},
    )
    connection.execute(
        insert(cash_ledger), {"number": 1, "kind": "DEPOSIT", "amount": cash, "balance": cash, "booked_at": now}
    )
