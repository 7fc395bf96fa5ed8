"""`bensbot deployments`: what is deployed, and when it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments.control import Config, Json
from deployments.place import Server
from deployments.plan import Deployed, Timetable, plan
from deployments.standing import desk
from flows.server import ServerUnavailable
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE, say

NEXT_RUNS = 3


def deployments(
    *,
    write: Annotated[Path | None, Parameter(help="Write them to this file for workers: prefect.yaml.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """List what is deployed, and when its next runs are due."""
    found = desk(config)
    planned = plan(found.settings)
    if write is not None:
        _write(write, found.settings, config)
        return DONE
    due = _next_runs(planned, found.server)
    sys.stdout.write((_as_json(planned, due) if as_json else _as_text(planned, due)) + "\n")
    return DONE


def _write(file: Path, settings: TradingBotSettings, config: Path | None) -> None:
    """Write the file for workers, all of it or nothing. Raises SettingsError."""
    from deployments.manifest import manifest

    text = manifest(settings, config)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}.") from error
    say(f"{file} is written. For a worker: prefect deploy --all, then prefect worker start --pool bensbot")
    say("Deploying ends a `bensbot stop`; a `bensbot pause` stays.")


def _next_runs(planned: Iterable[Deployed], server: Server | None) -> dict[str, list[str]]:
    """Return the instants of the next runs, by deployment, as the server has planned them."""
    if server is None or not server.answers:
        return {}
    from deployments.api import NotDeployed, connected

    due: dict[str, list[str]] = {}
    try:
        with connected(server) as prefect:
            for deployed in planned:
                due[deployed.path] = [f"{at:%Y-%m-%d %H:%M:%S}" for at in prefect.next_runs(deployed.flow, NEXT_RUNS)]
    except NotDeployed as error:
        if server.meant:
            say(str(error))
    except ServerUnavailable as error:
        say(str(error))
    return due


def _as_text(planned: Iterable[Deployed], due: dict[str, list[str]]) -> str:
    lines: list[str] = []
    for deployed in planned:
        lines.append(deployed.path)
        active = [f"  {_words(timetable)}" for timetable in deployed.timetables if timetable.active]
        lines += active or ["  when somebody asks for it"]
        lines += [f"  next: {', '.join(due[deployed.path])} UTC"] if due.get(deployed.path) else []
    return "\n".join(lines)


def _as_json(planned: Iterable[Deployed], due: dict[str, list[str]]) -> str:
    document = [
        {
            "deployment": deployed.path,
            "entrypoint": deployed.entrypoint,
            "timetables": [
                {"slug": table.slug, "active": table.active, "when": _words(table)} for table in deployed.timetables
            ],
            "next_runs": due.get(deployed.path, []),
        }
        for deployed in planned
    ]
    return json.dumps(document, indent=2)


def _words(timetable: Timetable) -> str:
    if timetable.cron is not None:
        return f"{timetable.slug}: cron {timetable.cron}, New York"
    return f"{timetable.slug}: every {timetable.interval} s"
