"""The steps of a rotation: read prices, score in portions, decide, write down, tell people."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import httpx
from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectException
from prefect.task_runners import ThreadPoolTaskRunner

from tasks.asking import asked_again, asked_once
from trading_bot.config.typed_settings import RotationSettings
from trading_bot.core.bot import Bot
from trading_bot.core.end_of_day import NotDue
from trading_bot.core.rotation import steps as rotating
from trading_bot.core.rotation.steps import Contest
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.secrets import OF_THIS_PROCESS, masked_errors
from trading_bot.domain.tournament import Candidate, Rotation, Score
from trading_bot.reporting.rotation_markdown import rotation_markdown

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

ROTATION_ARTIFACT = "bensbot-rotation"

# A cluster for one rotation: processes, not threads; and no dashboard, whose port somebody else may have.
_LOCAL_DASK: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}

log = logging.getLogger(__name__)


@asked_again
def read_contest(bot: Bot, session: date) -> Contest | NotDue:
    """Read the prices and list the candidates. Reading twice changes nothing, so asking again is safe."""
    return rotating.read_contest(bot, session)


@asked_once
def score_portion(contest: Contest, some: Sequence[Candidate]) -> tuple[Score, ...]:
    """Score some candidates, here or on another machine. Not tried again: the same prices give the same scores."""
    return rotating.score_some(contest, some)


@asked_once
def decide_rotation(bot: Bot, contest: Contest, scores: Sequence[Score]) -> Rotation:
    """Decide who is in the team. Not tried again: the same scores give the same team."""
    return rotating.decide(bot, contest, scores)


@asked_again
def record_rotation(bot: Bot, contest: Contest, rotation: Rotation, run_id: str) -> bool:
    """Write the rotation down. A second time changes nothing, so trying again is safe."""
    return rotating.record(bot, contest, rotation, run_id=run_id)


@task(cache_policy=NO_CACHE, persist_result=False)
async def tell_of_rotation(bot: Bot, rotation: Rotation, *, dry_run: bool) -> None:
    """Store the artifact, and send the notice of a new team. Not tried again: a channel that fails is logged."""
    with masked_errors():
        await publish(rotation, dry_run=dry_run)
        await asyncio.to_thread(rotating.tell, bot, rotation, dry_run=dry_run)


@task(cache_policy=NO_CACHE, persist_result=False)
async def rotate_before_trading(bot: Bot, session: date, run_id: str) -> None:
    """Make up the rotation that a cycle finds missing, all in one: it is history, and the next session waits.

    Not tried again: what goes wrong is told, and the cycle trades with the team that is there.
    """
    with masked_errors():
        done = await asyncio.to_thread(rotating.make_up, bot, session, run_id=run_id)
        if isinstance(done, Rotation):
            await publish(done, dry_run=bot.settings.rotation.dry_run)


async def publish(rotation: Rotation, *, dry_run: bool) -> None:
    """Store the rotation as a version of its artifact. It is in the book, so a failing upload is only logged."""
    kind = "Dry run of the rotation" if dry_run else "Rotation"
    try:
        await acreate_markdown_artifact(
            OF_THIS_PROCESS.mask(rotation_markdown(rotation, dry_run=dry_run)),
            key=ROTATION_ARTIFACT,
            description=f"{kind} after session {rotation.session}",
        )
    except (PrefectException, httpx.HTTPError) as error:
        log.warning("The artifact of the rotation of %s was not stored: %s", rotation.session, error)


def runner_of(settings: RotationSettings) -> TaskRunner[Any]:
    """Return what works out the scores. Raises SettingsError when its package is not installed."""
    match settings.runner:
        case "threads":
            return cast("TaskRunner[Any]", ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1))
        case "dask":
            _require("prefect_dask", "dask")
            from prefect_dask.task_runners import DaskTaskRunner

            cluster = None if settings.runner_address else _LOCAL_DASK
            return cast("TaskRunner[Any]", DaskTaskRunner(address=settings.runner_address, cluster_kwargs=cluster))
        case "ray":
            _require("prefect_ray", "ray")
            from prefect_ray import RayTaskRunner  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

            return cast("TaskRunner[Any]", RayTaskRunner(settings.runner_address))


def _require(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise SettingsError(
            f"rotation.runner is {extra}, and its package is not installed here. Install it with "
            f"`pip install 'bensbot[{extra}]'` or, in a clone, `uv sync --extra {extra}`; or write runner: threads."
        )
