"""How a step becomes a task: whether it asks again, what is masked, and how a record reaches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.utilities.annotations import opaque

from trading_bot.domain.errors import BensBotError
from trading_bot.domain.secrets import masked_errors

Record = TypeVar("Record")
Params = ParamSpec("Params")
Result = TypeVar("Result")

RETRIES = 3
RETRY_DELAYS = [1.0, 4.0, 15.0]  # seconds; together less than one cycle
RETRY_JITTER = 0.5  # up to half of the delay is added, so that several bots do not ask in step


async def may_ask_again(_task: Task[..., Any], _task_run: TaskRun, state: State[Any]) -> bool:
    """Ask again when nobody answered, never when the answer was wrong or is not known."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, BensBotError) and error.may_be_tried_again


def asked_again(step: Callable[Params, Result]) -> Task[Params, Result]:
    """Make a step a task that asks again; for steps that may be done twice. Its errors show no secret.

    No task keeps its result: nothing of one cycle is ever used in another.
    """
    return Task(
        masked_errors()(step),
        retries=RETRIES,
        retry_delay_seconds=RETRY_DELAYS,
        retry_jitter_factor=RETRY_JITTER,
        retry_condition_fn=may_ask_again,
        cache_policy=NO_CACHE,
        persist_result=False,
    )


def asked_once(step: Callable[Params, Result]) -> Task[Params, Result]:
    """Make a step a task that Prefect never repeats. Its errors show no secret."""
    return Task(masked_errors()(step), retries=0, cache_policy=NO_CACHE, persist_result=False)


def whole(record: Record) -> Record:
    """Hand a record to a task untouched; otherwise Prefect walks through its every field for futures.

    The same wrapped record may go to any number of tasks. Each of them receives the record itself.
    """
    return cast("Record", opaque(record))
