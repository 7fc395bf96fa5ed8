"""What became of every tick, as the Prefect server tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scripts.soaking.stack import Stack

PAGE = 200
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
# How a skip's message begins or what it holds, and its reason.
SKIPS = {
    "Another cycle is running": "lease taken",
    "late; a newer one trades": "too late",
    "Backing off": "backing off",
    "Trading is halted": "halted",
    "Trading is paused": "paused",
    "paused": "paused",
    "closed for us": "market closed",
}
FIRST_STEP = "update_market_data"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the trading cycle."""

    run_id: str
    due: datetime
    began: datetime | None
    ended: datetime | None
    state: str  # COMPLETED, FAILED, CRASHED, CANCELLED, RUNNING, PENDING, SCHEDULED, CANCELLING
    name: str
    message: str

    @property
    def outcome(self) -> str:
        """What became of it, in a word or two: traded, skipped and why, failed, crashed, or its state."""
        if self.state == "COMPLETED" and self.name == "Skipped":
            why = next((reason for words, reason in SKIPS.items() if words in self.message), self.message)
            return f"skipped: {why}"
        return {"COMPLETED": "traded"}.get(self.state, self.state.lower())

    @property
    def has_ended(self) -> bool:
        """Whether its state is final."""
        return self.state in ENDED


def runs(stack: Stack, first: datetime, last: datetime) -> list[Run]:
    """Return the runs that were due from `first` to `last`, both included, in order."""
    deployment = {"id": {"any_": [stack.deployment()["id"]]}}
    due = {"expected_start_time": {"after_": first.isoformat(), "before_": last.isoformat()}}
    found = [_run(raw) for raw in _pages(stack, "/flow_runs/filter", {"deployments": deployment, "flow_runs": due})]
    return sorted((run for run in found if first <= run.due <= last), key=lambda run: run.due)


def first_steps(stack: Stack) -> dict[str, datetime]:
    """Return when the first step of each run began."""
    wanted = {"task_runs": {"name": {"like_": FIRST_STEP}}}
    began = [
        (str(raw["flow_run_id"]), _instant(raw["start_time"])) for raw in _pages(stack, "/task_runs/filter", wanted)
    ]
    return {run_id: at for run_id, at in sorted(began, key=lambda each: str(each[1]), reverse=True) if at is not None}


def held_slots(stack: Stack) -> int:
    """Return the concurrency slots that are taken on the server."""
    limits = stack.ask("/v2/concurrency_limits/filter", {"limit": PAGE, "offset": 0})
    return sum(int(limit["active_slots"]) for limit in limits)


def counted(found: list[Run]) -> dict[str, int]:
    """Return how many runs ended how."""
    return dict(Counter(run.outcome for run in found).most_common())


def _pages(stack: Stack, path: str, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    offset = 0
    while page := stack.ask(path, {**wanted, "limit": PAGE, "offset": offset}):
        yield from page
        offset += len(page)


def _run(raw: dict[str, Any]) -> Run:
    state = raw["state"] or {}
    due = _instant(raw["expected_start_time"])
    if due is None:
        raise ValueError(f"run {raw['id']} has no expected start")
    return Run(
        run_id=str(raw["id"]),
        due=due,
        began=_instant(raw["start_time"]),
        ended=_instant(raw["end_time"]),
        state=str(state.get("type", "none")),
        name=str(state.get("name", "none")),
        message=str(state.get("message") or ""),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
