"""What the book answers with where the domain has no word for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from trading_bot.domain.cycle import CycleStatus


@dataclass(frozen=True, slots=True)
class BegunCycle:
    """A cycle that was let in."""

    attempt: int  # 1 for the first
    decided: bool  # an earlier attempt committed its decisions: read them, do not decide again


@dataclass(frozen=True, slots=True)
class UnfinishedCycle:
    """A cycle that began and never said how it ended."""

    cycle_id: str
    run_id: str
    session: date
    started_at: datetime  # aware, UTC


@dataclass(frozen=True, slots=True)
class CycleEnd:
    """How a cycle that was let in stands, or ended."""

    cycle_id: str
    session: date
    status: CycleStatus
    scheduled_at: datetime  # aware, UTC; a historical source's own clock
    started_at: datetime  # aware, UTC, wall clock: of the newest attempt
    ended_at: datetime | None  # aware, UTC, wall clock; None while it runs
    message: str  # why it failed, was cancelled or skipped; else ""


@dataclass(frozen=True, slots=True)
class AccountBinding:
    """The one broker account the book belongs to."""

    account_id: str
    mode: str  # "paper" or "live"
    opening_cash: Decimal  # dollars


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where the book breaks one of its laws."""

    law: str  # e.g. "position is the sum of fills"
    subject: str  # the row: an order id, a symbol, a session …
    message: str  # what was found and what was wanted
