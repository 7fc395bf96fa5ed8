"""The step that tells people: notices to their channels, artifacts to the Prefect UI."""

from __future__ import annotations

import logging

import httpx
from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectException

from trading_bot.core import cycle
from trading_bot.core.bot import Bot
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.secrets import OF_THIS_PROCESS, masked_errors
from trading_bot.reporting.markdown import cycle_markdown, positions_table

CYCLE_ARTIFACT = "bensbot-cycle"
POSITIONS_ARTIFACT = "bensbot-positions"

log = logging.getLogger(__name__)


@task(cache_policy=NO_CACHE, persist_result=False)
async def send_status_updates(bot: Bot, report: CycleReport) -> None:
    """Tell people what the cycle did. Not tried again: a channel that fails is logged."""
    with masked_errors():
        cycle.send_status_updates(bot, report)
    await publish(report)


async def publish(report: CycleReport) -> None:
    """Store the summary and the positions as new versions of two artifacts, where there is something new in them.

    The books are closed by now, so an upload that fails is logged and costs nothing but the picture.
    """
    if not (report.orders or report.settled or report.fills or report.warnings):
        return
    try:
        await acreate_markdown_artifact(
            OF_THIS_PROCESS.mask(cycle_markdown(report)),
            key=CYCLE_ARTIFACT,
            description=f"What was traded in session {report.session}, and why",
        )
        await acreate_table_artifact(
            positions_table(report), key=POSITIONS_ARTIFACT, description=f"Positions after session {report.session}"
        )
    except (PrefectException, httpx.HTTPError) as error:
        log.warning("The artifacts of session %s were not stored: %s", report.session, error)
