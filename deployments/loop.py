"""How the loop stands: what Prefect knows of it, in words, in JSON, and as an exit code for monitoring.

Pure: `api.py` asks the server, `control.py` asks the book.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.words import counted, sentence
from trading_bot.reporting.as_json import Json

BEGUN = ("Running", "Cancelling")  # a run that is submitted waits for its time
GRACE = timedelta(seconds=60)  # after a start or a resume, before anybody is called
NEWEST_RUNS = 3  # so many bad ends in a row are no accident


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a flow."""

    id: UUID
    name: str
    state: str  # Prefect's name of it: Running, Completed, Skipped, Late …
    message: str
    due: datetime | None  # aware, UTC: when it was to begin
    ended_at: datetime | None  # aware, UTC
    has_ended: bool
    went_well: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """The deployment of the trading cycle and its runs."""

    paused: bool
    served: bool  # somebody asked for due runs within the last minute
    last_polled: datetime | None  # aware, UTC: when somebody did
    next_run: datetime | None  # aware, UTC
    late: int  # runs that should have begun
    under_way: tuple[Run, ...]
    newest: tuple[Run, ...]  # that ended, newest first, NEWEST_RUNS of them


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for the loop: it, or why there is none to be seen."""

    server: str | None = None  # the address of its API
    loop: Loop | None = None
    trouble: str = ""  # a sentence


class Verdict(IntEnum):
    """The exit codes of `bensbot status --check`."""

    WELL = 0
    AT_REST = 3  # on purpose: paused, stopped or reducing
    HALTED = 4
    STALE = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What a monitor wants to know."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """When a cycle completed, as the book or the server's events say, and since when one should have."""

    last_completed: datetime | None  # aware, UTC
    completed_since: datetime | None  # a cycle should have completed since then; None while we need not trade
    judged_at: datetime | None = None  # aware, UTC; given where a loop that was just started has to be spared


def find(state: TradingState, asked: Asked, expected: Expectation) -> Finding:
    """Say whether the bot trades as it should. The worst thing is said first."""
    if state is TradingState.HALTED:
        return Finding(Verdict.HALTED, "trading is halted")
    if state is not TradingState.ACTIVE:
        return Finding(Verdict.AT_REST, f"trading is {state}")
    if asked.loop is not None and asked.loop.paused:
        return Finding(Verdict.AT_REST, "the loop is stopped")
    stale = _overdue(asked.loop, expected) or _not_looping(asked, expected)
    return Finding(Verdict.STALE, stale) if stale else Finding(Verdict.WELL, "it trades as it should")


def _overdue(loop: Loop | None, expected: Expectation) -> str | None:
    last, wanted = expected.last_completed, expected.completed_since
    if wanted is None or _is_fresh(expected) or (loop is not None and _has_just_begun(loop, expected)):
        return None
    if last is None:  # without a loop there is more to say
        return "no cycle has ever completed" if loop is not None else None
    return f"no cycle has completed since {_instant(last)}"


def _has_just_begun(loop: Loop, expected: Expectation) -> bool:
    """Say whether no run has been due for longer than the grace, in the time in which one should have completed."""
    wanted, now = expected.completed_since, expected.judged_at
    if wanted is None or now is None or loop.late:
        return False
    ended = [run.due for run in loop.newest if run.due is None or run.due >= wanted]
    return all(due is not None and due > now - GRACE for due in (*ended, *(run.due for run in loop.under_way)))


def _not_looping(asked: Asked, expected: Expectation) -> str | None:
    loop = asked.loop
    if loop is None:  # `bensbot run` needs no server; a book that is not overdue speaks for it
        if _is_fresh(expected) or (expected.last_completed is not None and not asked.trouble):
            return None
        return asked.trouble or "nothing serves the loop"
    if not loop.served:
        return "nothing serves the loop"
    if loop.next_run is None and not loop.under_way:
        return "no run is scheduled"
    if len(loop.newest) == NEWEST_RUNS and not any(run.went_well for run in loop.newest):
        return f"the last {NEWEST_RUNS} runs did not end well"
    return None


def _is_fresh(expected: Expectation) -> bool:
    last, wanted = expected.last_completed, expected.completed_since
    return last is not None and wanted is not None and last >= wanted


def loop_lines(asked: Asked, state: TradingState) -> Iterator[str]:
    """Give the lines of `bensbot status` about the loop; none where there is no server and none was expected.

    The state says what ends a pause of the deployment: a resume ends both.
    """
    loop = asked.loop
    if loop is None:
        if asked.trouble:
            yield f"Loop     {asked.trouble}"
        return
    served = "served" if loop.served else "not served by anybody: `bensbot serve`, or `bensbot up`"
    helps = ", to go on: bensbot start" if state is TradingState.ACTIVE else ""
    paused = f"stopped{helps}" if loop.paused else "on schedule"
    yield f"Loop     {paused}; {served} (server {asked.server})"
    if loop.next_run is not None:
        yield f"Next     {_instant(loop.next_run)}"
    if loop.late:
        yield f"Late     {counted(loop.late, 'run')}"
    yield from (f"Running  {run.name}" for run in loop.under_way if run.state in BEGUN)
    yield from (f"Last     {_last(run)}" for run in loop.newest[:1])


def loop_as_json(asked: Asked) -> Json:
    """Return the same for machines; null where no loop was found."""
    loop = asked.loop
    if loop is None:
        return None
    return {
        "server": asked.server,
        "paused": loop.paused,
        "served": loop.served,
        "next_run": loop.next_run.isoformat() if loop.next_run else None,
        "late_runs": loop.late,
        "under_way": [_run_as_json(run) for run in loop.under_way],
        "last_run": _run_as_json(loop.newest[0]) if loop.newest else None,
    }


def _run_as_json(run: Run) -> dict[str, Json]:
    return {
        "id": str(run.id),
        "name": run.name,
        "state": run.state,
        "message": run.message,
        "due": run.due.isoformat() if run.due else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }


def _last(run: Run) -> str:
    when = f"{_instant(run.ended_at)}  " if run.ended_at else ""
    why = f": {sentence(run.message)}" if run.message and run.state != "Completed" else ""
    return f"{when}{run.state.lower()}{why}"


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
