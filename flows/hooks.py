"""What follows a cycle that did not end well: count it, wait longer, or stop for good.

Prefect calls a hook in the run's process or in the runner's, by keyword, or not at all. So a hook opens the book
by itself, but no broker: that may be what is broken. Nothing depends on it, for a cycle without an end is found by the
next cycle, which does the same work.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import TerminationSignal
from prefect.logging.loggers import flow_run_logger

from flows.logs import prepared
from flows.standstill import SKIPPED, show_status, stand_still
from trading_bot.config.typed_settings import TradingBotSettings, load_config
from trading_bot.core.bot import notification_manager, open_clerk, secrets_of
from trading_bot.core.failures import handle_failure, handle_interruption
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import BensBotError, CycleSkipped, PluginError, SettingsError
from trading_bot.notifications.texts import Alert, end_of_day_failed, rotation_failed

INTERRUPTIONS = (KeyboardInterrupt, TerminationSignal, asyncio.CancelledError)
REFUSALS = (SettingsError, PluginError, CycleSkipped)  # a typing mistake must not make the bot back off


def recover(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Count the failure once, then wait longer or halt.

    A run that was interrupted on purpose is no failure, and neither is one that refused its settings or its order.
    """
    error = _error(state)
    if isinstance(error, INTERRUPTIONS + REFUSALS):
        announce_stop(flow, flow_run, state)
    else:
        with _or_logged(flow, flow_run), open_clerk(_settings(flow_run)) as clerk:
            details = clerk.secrets.mask(_in_full(state))
            counted = handle_failure(clerk, run_id=str(flow_run.id), error=error or _in_a_line(state), details=details)
            control = clerk.book.control.read()
            if counted and control.state is TradingState.HALTED:
                stand_still(control)
            show_status(clerk.book, at=clerk.clock.now())


def announce_stop(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Mark the cycle as cancelled and give the lease back. No failure is counted."""
    del state  # however it was stopped
    with _or_logged(flow, flow_run), open_clerk(_settings(flow_run)) as clerk:
        handle_interruption(clerk, run_id=str(flow_run.id))
        show_status(clerk.book, at=clerk.clock.now())


def say_it_traded(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Log that failures are forgotten. The cycle did that itself, under its lease: the next one may run by now."""
    if state.name != SKIPPED:
        flow_run_logger(flow_run, flow).info("The cycle traded; failures in a row count from zero again")


def tell_of_lost_day(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Send a notice that the day's result was not told. It was no cycle: nothing is counted, and trading goes on."""
    _tell(flow, flow_run, state, end_of_day_failed)


def tell_of_lost_rotation(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Send a notice that no team was chosen. It was no cycle: nothing is counted, and the present team trades on."""
    _tell(flow, flow_run, state, rotation_failed)


def _tell(
    flow: Flow[..., Any], flow_run: FlowRun, state: State[Any], notice: Callable[[BaseException | str, str], Alert]
) -> None:
    error = _error(state)
    if isinstance(error, INTERRUPTIONS + REFUSALS):
        return
    try:
        settings = _settings(flow_run)
        notifier = notification_manager(settings, secrets_of(settings))
    except BensBotError as wrong:
        flow_run_logger(flow_run, flow).error("Nobody could be told: %s", wrong)
        return
    alert = notice(error or _in_a_line(state), _in_full(state))
    notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)


@contextmanager
def _or_logged(flow: Flow[..., Any], flow_run: FlowRun) -> Generator[None]:
    """Log what keeps the book shut. It keeps the next cycle from trading too, and is that cycle's to tell."""
    try:
        yield
    except BensBotError as error:
        flow_run_logger(flow_run, flow).error("The next cycle has to do this hook's work: %s", error)


def _settings(flow_run: FlowRun) -> TradingBotSettings:
    """Return the settings the run was started with. Raises SettingsError."""
    params = cast("dict[str, str | None]", flow_run.parameters.get("params") or {})
    config = params.get("config")
    return prepared(load_config(Path(config) if config else None))


def _error(state: State[Any]) -> BaseException | None:
    """Return what the run raised; None where the hook runs in another process than the run."""
    data = getattr(state.data, "result", state.data)
    return data if isinstance(data, BaseException) else None


def _in_a_line(state: State[Any]) -> str:
    return state.message or f"the run ended as {state.name}"


def _in_full(state: State[Any]) -> str:
    error = _error(state)
    return "".join(traceback.format_exception(error)) if error else _in_a_line(state)
