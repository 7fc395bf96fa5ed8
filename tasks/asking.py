"""How a step asks again, and how a record reaches it: the two things every task needs from Prefect."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.utilities.annotations import opaque

from trading_bot.domain.errors import BensBotError

Record = TypeVar("Record")

RETRIES = 3
RETRY_DELAYS = [1.0, 4.0, 15.0]  # seconds; together less than one cycle
RETRY_JITTER = 0.5  # up to half of the delay is added, so that several bots do not ask in step


async def may_ask_again(_task: Task[..., Any], _task_run: TaskRun, state: State[Any]) -> bool:
    """Ask again when nobody answered, never when the answer was wrong or is not known."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, BensBotError) and error.may_be_tried_again


def whole(record: Record) -> Record:
    """Hand a record to a task untouched; otherwise Prefect walks through its every field for futures.

    The same wrapped record may go to any number of tasks. Each of them receives the record itself.
    """
    return cast("Record", opaque(record))
