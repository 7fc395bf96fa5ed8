"""The lease in SQL: one row whose token only ever grows.

A writer proves inside its own transaction that its token is the newest and not expired, so a process
that slept through its lease can do no harm when it wakes up (a fencing token: Kleppmann, Designing
Data-Intensive Applications, 2017, chapter 8, "The leader and the lock").
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from trading_bot.domain.cycle import Lease
from trading_bot.domain.errors import LeaseLost
from trading_bot.state.schema import THE_ROW, lease

_READ = select(lease.c.token, lease.c.owner, lease.c.expires_at).where(lease.c.id == THE_ROW)
_LOCK = _READ.with_for_update()  # other databases than SQLite: nobody else is granted a lease until we commit
_WRITE = (
    update(lease)
    .where(lease.c.id == THE_ROW)
    .values(token=bindparam("token"), owner=bindparam("owner"), expires_at=bindparam("expires_at"))
)


def stored(connection: Connection) -> Lease | None:
    """Return the lease as granted last, expired or not; None when it was released."""
    row = connection.execute(_READ).one()
    return Lease(row.token, row.owner, row.expires_at) if row.owner is not None else None


def grant(
    connection: Connection, owner: str, *, now: datetime, ttl_seconds: int, owner_is_dead: Callable[[str], bool]
) -> Lease | None:
    """Grant a lease with the next token when nobody alive holds one; else None."""
    row = connection.execute(_LOCK).one()
    if row.owner is not None and now < row.expires_at and not owner_is_dead(str(row.owner)):
        return None
    granted = Lease(row.token + 1, owner, now + timedelta(seconds=ttl_seconds))
    connection.execute(_WRITE, {"token": granted.token, "owner": owner, "expires_at": granted.expires_at})
    return granted


def release(connection: Connection, ours: Lease) -> None:
    """Give the lease back when it is still ours; otherwise nothing changes."""
    row = connection.execute(_LOCK).one()
    if row.token == ours.token:
        connection.execute(_WRITE, {"token": row.token, "owner": None, "expires_at": None})


def is_newest(connection: Connection, ours: Lease) -> bool:
    """Say whether no newer lease was granted, until the transaction ends."""
    return connection.execute(_LOCK).one().token == ours.token


def require(connection: Connection, ours: Lease, now: datetime) -> None:
    """Make sure that `ours` is the newest lease and not over, until the transaction ends.

    Raises:
        LeaseLost: a newer lease was granted, ours was released, or its time is over.
    """
    row = connection.execute(_LOCK).one()
    if row.token != ours.token:
        raise LeaseLost(f"Lease {ours.token} of {ours.owner} is void: {row.owner or 'nobody'} has lease {row.token}.")
    if row.owner is None:
        raise LeaseLost(f"Lease {ours.token} of {ours.owner} was given back.")
    if now >= row.expires_at:
        raise LeaseLost(f"Lease {ours.token} of {ours.owner} ended at {row.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
