"""Send a text through the bot's own channels: what the server's watchdog runs when something is wrong.

An alarm may be asked for every few minutes while the trouble lasts, and wait for hours until something serves it.
So one text is sent once a clock hour, and one that is older than an hour is not sent at all. A run that failed has
told nobody, and silences none.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from flows.standstill import SKIPPED
from trading_bot.config.typed_settings import load_config
from trading_bot.core.bot import notification_manager, secrets_of

TOO_OLD = timedelta(hours=1)
MOST_RUNS = 200  # of one hour; the server gives no more in one answer


class AlarmParams(BaseModel):
    """What to tell people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: Path | None = Field(
        default=None,
        description="Settings file on the machine that runs this. Empty: config.yaml there, or the defaults.",
    )
    title: str = Field(min_length=1, description="One line. The same title is sent once an hour.")
    message: str = Field(min_length=1, description="What happened, and what to do.")


@flow(name="alarm", description="Send a text through the bot's own channels.", persist_result=False)
async def alarm(params: AlarmParams) -> State[Any]:
    """Tell people, unless they were told in this hour. The book is not opened: it may be the trouble."""
    quiet = await why_quiet(params.title)
    if quiet is not None:
        return Completed(name=SKIPPED, message=quiet)
    settings = load_config(params.config)
    notifier = notification_manager(settings, secrets_of(settings))
    await asyncio.to_thread(notifier.send_alert, level="error", title=params.title, message=params.message)
    return Completed(message=params.title)


async def why_quiet(title: str) -> str | None:
    """Return why this run has nothing to send, None when it has."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or run.deployment_id is None or run.expected_start_time is None:
        return None  # called by hand
    due, now = run.expected_start_time, datetime.now(UTC)
    if now - due > TOO_OLD:
        return "Nothing was there to send it for an hour. The server's events say what happened."
    earlier = [
        other for other in await _due_in_the_hour_before(due, run.deployment_id) if _precedes(other, run.id, due)
    ]
    told = any(_title(other) == title and tells(other, now) for other in earlier)
    return "The same was told in this hour." if told else None


async def _due_in_the_hour_before(due: datetime, deployment: UUID) -> list[FlowRun]:
    hour = due.replace(minute=0, second=0, microsecond=0)
    chosen = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment]),
        expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"after_": hour, "before_": due}),
    )
    async with get_client() as client:
        return await client.read_flow_runs(
            flow_run_filter=chosen, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=MOST_RUNS
        )


def _precedes(other: FlowRun, run: UUID, due: datetime) -> bool:
    """Say who of two that run at the same time keeps quiet."""
    return other.expected_start_time is not None and (other.expected_start_time, other.id) < (due, run)


def tells(run: FlowRun, now: datetime) -> bool:
    """Say whether a run has told people, or is about to: not one that failed, kept quiet, or comes too late."""
    state, due = run.state, run.expected_start_time
    if state is None or due is None:
        return False
    if state.is_final():
        return state.is_completed() and state.name != SKIPPED
    return state.is_running() or now - due <= TOO_OLD


def _title(run: FlowRun) -> str:
    return str(run.parameters.get("params", {}).get("title", ""))
