"""Run cycles in this process, recorded on a Prefect server that answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, cast

# Prefect reads these once, when it is imported. What the user has set is kept.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "trading_bot,tasks,flows")
os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")  # hooks run after the run
os.environ["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = "30"  # the watchdog may look at this run, too, and counts on it
os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # the run has it all; people get a report

import httpx
from prefect.client.schemas.objects import State
from prefect.events.worker import EventsWorker
from prefect.exceptions import PrefectException, TerminationSignal
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.cycle import CycleParams, trading_cycle
from flows.server import ServerUnavailable, without_proxy
from flows.standstill import SKIPPED
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.errors import CycleSkipped
from trading_bot.reporting.line import cycle_line
from trading_bot.reporting.outcome import Outcome
from trading_bot.terminal import Stopped

DRAIN_SECONDS = 5.0
SERVER_TROUBLE = (httpx.HTTPError, PrefectException, RuntimeError)  # the last one is how the client says "no answer"


def trade(
    address: str, config: Path | None, as_of: date | None, *, sessions: int = 1, say: Callable[[str], None]
) -> Outcome:
    """Run one flow for each session until one of them does not trade. Errors are returned, interruptions raised."""
    without_proxy(address)
    params = CycleParams(config=config.resolve() if config else None, as_of=as_of)
    with temporary_settings({PREFECT_API_URL: address}):
        try:
            return asyncio.run(_cycles(params, sessions, say))
        except TerminationSignal as stop:  # while a run is under way, Prefect's handler stands in the place of ours
            raise Stopped(stop.signal) from stop
        finally:  # a server of ours ends next: whatever is still under way to it would be lost
            EventsWorker.drain_all(timeout=DRAIN_SECONDS)
            APILogWorker.drain_all(timeout=DRAIN_SECONDS)


async def _cycles(params: CycleParams, sessions: int, say: Callable[[str], None]) -> Outcome:
    reports: list[CycleReport] = []
    for number in range(1, sessions + 1):
        try:
            state = await cast("Awaitable[State[Any]]", trading_cycle(params, return_state=True))
        except SERVER_TROUBLE as error:  # the step's own errors are in the state
            return Outcome(tuple(reports), error=ServerUnavailable(f"the Prefect server does not answer: {error}"))
        result: object = await state.aresult(raise_on_failure=False)
        if state.name == SKIPPED:
            return Outcome(tuple(reports), skipped=CycleSkipped(str(result), state.message or ""))
        if not isinstance(result, CycleReport):
            return Outcome(tuple(reports), error=_as_error(result, state))
        reports.append(result)
        if sessions > 1:
            say(f"{number} of {sessions}: {cycle_line(result)}")
    return Outcome(tuple(reports))


def _as_error(result: object, state: State[Any]) -> BaseException:
    return (
        result if isinstance(result, BaseException) else RuntimeError(state.message or f"The run ended {state.name}.")
    )
