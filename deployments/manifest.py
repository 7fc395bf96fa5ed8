"""Make `prefect.yaml` from the settings, for `bensbot deployments --write prefect.yaml`.

The same table as `bensbot serve`, for workers: `prefect deploy --all`, then `prefect worker start --pool bensbot`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from deployments.plan import NAME, POOL, TAGS, TIMEZONE, Deployed, Timetable, plan
from deployments.serve import ENVIRONMENT, FIRST_TICK, flow_of, parameters_of
from trading_bot import __version__
from trading_bot.config.typed_settings import TradingBotSettings

HEADER = """\
# Deployments for a process work pool. Made from the settings: after a change of loop_interval_seconds, of the hours or
# of the price source write it anew with  bensbot deployments --write prefect.yaml
#
#   prefect work-pool create bensbot --type process
#   prefect deploy --all
#   prefect worker start --pool bensbot
#
# Deploying ends a stop: `prefect deploy` lets a loop go on that `bensbot stop` has stopped. Where nothing may trade
# meanwhile, `bensbot pause` first: a pause or a halt is in the book, and no deploying ends it.
"""


def manifest(settings: TradingBotSettings, config: Path | None = None) -> str:
    """Return the text of `prefect.yaml`. Raises SettingsError."""
    document = {
        "name": "bensbot",
        "deployments": [_deployment(deployed, config) for deployed in plan(settings)],
    }
    return HEADER + "\n" + yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


def _deployment(deployed: Deployed, config: Path | None) -> dict[str, Any]:
    module, _, function = deployed.entrypoint.rpartition(".")
    written: dict[str, Any] = {
        "name": NAME,
        "description": flow_of(deployed).description,
        "version": __version__,
        "tags": list(TAGS),
        "entrypoint": f"{module.replace('.', '/')}.py:{function}",
        "parameters": parameters_of(config),
        "work_pool": {"name": POOL, "job_variables": {"env": dict(ENVIRONMENT)}},
    }
    if deployed.timetables:  # an empty list would be ignored
        written["schedules"] = [_schedule(timetable) for timetable in deployed.timetables]
    return written


def _schedule(timetable: Timetable) -> dict[str, Any]:
    often = {"interval": timetable.interval, "anchor_date": FIRST_TICK.isoformat()}
    when = {"cron": timetable.cron} if timetable.cron else often
    return {"slug": timetable.slug, **when, "timezone": TIMEZONE, "active": timetable.active}
