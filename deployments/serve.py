"""Serve every deployment from one process, without a worker: `bensbot serve` or `python deployments/serve.py`."""

import sys

if __name__ == "__main__":
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])  # not deployments/, whose files would hide modules

import asyncio
import importlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployments.plan import NAME, RUNS_AT_ONCE, TAGS, TIMEZONE, Deployed, Timetable, plan
from trading_bot import __version__
from trading_bot.config.typed_settings import TradingBotSettings, load_config

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

# Seconds. The watchdog takes a run for dead that is silent three times as long, whatever the user's environment says.
HEARTBEAT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
# What every process that runs our flows needs to know of Prefect.
ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "trading_bot,tasks,flows",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # hooks run after the run
    **HEARTBEAT,
}
FIRST_TICK = datetime(2000, 1, 1, tzinfo=UTC)  # ticks fall on the same instants however often this is restarted
SECONDS_BETWEEN_POLLS = 5  # a halt that was asked for in the UI waits so long


def serve(config: Path | None = None) -> None:
    """Create or update the deployments and run what is due, until stopped. Raises SettingsError."""
    settings = load_config(config)
    os.environ.update(environment_of_runs(os.environ))
    asyncio.run(_serve(settings, config))


def environment_of_runs(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of every run: what the user has set is kept, but for how often a run gives a sign."""
    return {**ENVIRONMENT, **inherited, **HEARTBEAT}


async def _serve(settings: TradingBotSettings, config: Path | None) -> None:
    from prefect import aserve

    deployments = [await deployment_of(deployed, config) for deployed in plan(settings)]
    # Paused stays paused, and stopping this process is no reason to pause: a service restarts it.
    await aserve(*deployments, pause_on_shutdown=False, limit=RUNS_AT_ONCE, query_seconds=SECONDS_BETWEEN_POLLS)


async def deployment_of(deployed: Deployed, config: Path | None) -> "RunnerDeployment":
    """Return the deployment as Prefect serves it, paused when it is paused on the server now."""
    from prefect.types.entrypoint import EntrypointType

    return await flow_of(deployed).ato_deployment(
        NAME,
        schedules=[schedule_of(timetable) for timetable in deployed.timetables],
        parameters=parameters_of(config),
        paused=await _is_paused(deployed),
        tags=list(TAGS),
        version=__version__,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def flow_of(deployed: Deployed) -> "Flow[..., Any]":
    """Import the flow."""
    module, _, function = deployed.entrypoint.rpartition(".")
    return getattr(importlib.import_module(module), function)


def schedule_of(timetable: Timetable) -> "Schedule":
    """Return a timetable as Prefect's schedule."""
    from prefect.schedules import Schedule

    return Schedule(
        cron=timetable.cron,
        interval=timedelta(seconds=timetable.interval) if timetable.interval else None,
        anchor_date=FIRST_TICK,
        timezone=TIMEZONE,
        active=timetable.active,
        slug=timetable.slug,
    )


def parameters_of(config: Path | None) -> dict[str, Any]:
    """Return the default parameters of every deployment: where its settings are."""
    return {"params": {"config": str(config.resolve()) if config else None}}


async def _is_paused(deployed: Deployed) -> bool:
    """Ask the server; a deployment that is updated without saying so would be un-paused."""
    from prefect import get_client
    from prefect.exceptions import ObjectNotFound

    async with get_client() as client:
        try:
            return (await client.read_deployment_by_name(deployed.path)).paused
        except ObjectNotFound:
            return False


if __name__ == "__main__":
    from trading_bot.domain.errors import BensBotError
    from trading_bot.terminal import WRONG_SETTINGS, say

    try:
        serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except BensBotError as error:
        say(f"bensbot: {error}")
        sys.exit(WRONG_SETTINGS)
