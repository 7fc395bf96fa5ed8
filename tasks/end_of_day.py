"""The steps after a trading day: read its result, tell people, remember that they were told, clean up."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from uuid import UUID

import httpx
from prefect import get_client, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, TaskRunFilter
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import PrefectException

from tasks.asking import asked_again, asked_once
from trading_bot.core import end_of_day
from trading_bot.core.bot import Bot
from trading_bot.domain.secrets import masked_errors
from trading_bot.reporting.day import DayReport
from trading_bot.reporting.day_markdown import day_markdown

DAY_ARTIFACT = "bensbot-day"
VERSIONS_LOOKED_AT = 200  # the newest ones; the server gives no more in one answer

log = logging.getLogger(__name__)


@asked_again
def read_day(bot: Bot, session: date, *, again: bool) -> DayReport:
    """Read what the session came to. Reading twice changes nothing, so asking again is safe."""
    return end_of_day.read_day(bot, session, again=again)


@task(cache_policy=NO_CACHE, persist_result=False)
async def tell_people(bot: Bot, report: DayReport) -> None:
    """Store the artifact, then send the notice. Not tried again: a channel that fails is logged."""
    with masked_errors():
        await publish(report)
        await asyncio.to_thread(end_of_day.send_notice, bot, report)


@asked_again
def mark_reported(bot: Bot, session: date, run_id: str) -> None:
    """Remember that people were told. Doing it twice changes nothing, so trying again is safe."""
    end_of_day.mark_reported(bot, session, run_id=run_id)


@asked_once
def clean_up(bot: Bot) -> None:
    """Archive what is old. Not tried again: the next end of day does it."""
    end_of_day.clean_up(bot)


async def publish(report: DayReport) -> None:
    """Store the day as a version of its artifact: one for each session, however often it is reported.

    The result is in the book, so an upload that fails is logged and costs nothing but the picture.
    """
    description = f"What session {report.session} came to"
    try:
        stored = await _version_of(description)
        if stored is None:
            await acreate_markdown_artifact(day_markdown(report), key=DAY_ARTIFACT, description=description)
            return
        async with get_client() as client:
            await client.update_artifact(stored, ArtifactUpdate(data=day_markdown(report)))
    except (PrefectException, httpx.HTTPError) as error:
        log.warning("The artifact of session %s was not stored: %s", report.session, error)


async def _version_of(description: str) -> UUID | None:
    async with get_client() as client:
        versions = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[DAY_ARTIFACT])),
            flow_run_filter=FlowRunFilter(),
            task_run_filter=TaskRunFilter(),
            sort=ArtifactSort.UPDATED_DESC,
            limit=VERSIONS_LOOKED_AT,
        )
    return next((version.id for version in versions if version.description == description), None)
