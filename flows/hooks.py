"""What follows a cycle that did not end well: count it, wait longer, or stop for good.

Prefect calls a hook in the run's process or in the runner's, by keyword, or not at all. So a hook opens the book
by itself, and nothing depends on it: a cycle without an end is found by the next cycle, which does the same work.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import TerminationSignal
from prefect.logging.loggers import flow_run_logger
from trading_bot.core.bot import Bot, open_bot

from trading_bot.config.typed_settings import load_config
from trading_bot.core import failures
from trading_bot.domain.errors import BensBotError
from trading_bot.domain.secrets import Secrets

SKIPPED = "Skipped"
INTERRUPTIONS = (KeyboardInterrupt, TerminationSignal, asyncio.CancelledError)


def recover(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Count the failure once, then wait longer or halt. A run that was stopped on purpose is no failure."""
    if was_interrupted(state):
        announce_stop(flow, flow_run, state)
        return
    with _book(flow, flow_run) as bot:
        secrets = Secrets()
        for value in bot.settings.secret_values():
            secrets.register(value)
        failures.handle_failure(
            bot,
            run_id=str(flow_run.id),
            error=secrets.mask(_in_a_line(state)),
            details=secrets.mask(_in_full(state)),
        )


def announce_stop(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001  # Prefect's names
    """Mark the cycle as cancelled and give the lease back. No failure is counted."""
    with _book(flow, flow_run) as bot:
        failures.handle_interruption(bot, run_id=str(flow_run.id))


def forget_failures(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Start counting from zero after a cycle that traded. A skipped cycle proves nothing."""
    if state.name == SKIPPED:
        return
    with _book(flow, flow_run) as bot:
        failures.forget_failures(bot)


def was_interrupted(state: State[Any]) -> bool:
    """Tell whether a person or the machine ended the run, rather than an error in it."""
    return state.is_crashed() and isinstance(_error(state), INTERRUPTIONS)


@contextmanager
def _book(flow: Flow[..., Any], flow_run: FlowRun) -> Iterator[Bot]:
    """Open the bot by the settings that the run was started with.

    Whatever keeps the book shut keeps the next cycle from trading too, and is that cycle's to tell: here it is logged.
    """
    params = flow_run.parameters.get("params") or {}
    config: str | None = params.get("config") if isinstance(params, dict) else None
    try:
        with open_bot(load_config(Path(config) if config else None)) as bot:
            yield bot
    except BensBotError as error:
        flow_run_logger(flow_run, flow).error("The next cycle has to do this hook's work: %s", error)


def _error(state: State[Any]) -> BaseException | None:
    """Return what the run raised, where the hook runs in the process that raised it."""
    data = getattr(state.data, "result", state.data)
    return data if isinstance(data, BaseException) else None


def _in_a_line(state: State[Any]) -> str:
    error = _error(state)
    return f"{type(error).__name__}: {error}" if error else state.message or str(state.type)


def _in_full(state: State[Any]) -> str:
    error = _error(state)
    return "".join(traceback.format_exception(error)) if error else state.message or ""
