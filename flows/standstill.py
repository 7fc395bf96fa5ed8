"""A cycle that does not trade, and what Prefect is told of it.

The watchdog counts a quiet skip as a sign of life. A book that is halted needs no more runs: whoever notices it
first pauses the deployments, a hook at once, or the next cycle where no hook could.
"""

from datetime import datetime
from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event
from prefect.states import Completed

from flows import deployed
from tasks.status import publish_metrics, publish_status
from trading_bot.core.bot import Bot
from trading_bot.core.failures import RECOVERY
from trading_bot.domain.cycle import ControlState, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped
from trading_bot.state.manager import StateManager

SKIPPED = "Skipped"  # the name of the final state of a cycle that was not allowed to trade
IDLE_EVENT = "bensbot.cycle.idle"
TRADED_EVENT = "bensbot.cycle.traded"  # the server may hold back its own "Completed" for minutes
EMERGENCY_EVENT = "bensbot.emergency-shutdown"
BOOK = {"prefect.resource.id": "bensbot.book", "prefect.resource.name": "bensbot"}
QUIET = frozenset(
    {
        SkipReason.MARKET_CLOSED,
        SkipReason.PAUSED,
        SkipReason.HALTED,
        SkipReason.ALREADY_TRADED,
        SkipReason.END_OF_DATA,
    }
)


def refuse_when_paused(bot: Bot, run: FlowRun) -> None:
    """Raise CycleSkipped when the run's deployment is paused in Prefect, whoever started the run.

    A book that stands still by itself says so in its own words instead.
    """
    stands_still = bot.book.control.read().state in (TradingState.PAUSED, TradingState.HALTED)
    if not stands_still and deployed.is_paused(run.deployment_id):
        raise CycleSkipped(
            SkipReason.PAUSED, "The deployment is paused in Prefect; un-pause it there or `bensbot start`."
        )


def skipped(bot: Bot, skip: CycleSkipped) -> State[Any]:
    """Return the final state of a cycle that may not trade, once the watchdog and the UI know of it."""
    reason = SkipReason(skip.code)
    if reason is SkipReason.HALTED:
        _catch_up(bot.book.control.read())
    if reason in QUIET:
        emit_event(IDLE_EVENT, resource={**BOOK, "bensbot.reason": reason})
    show_status(bot.book, at=bot.clock.now())
    return Completed(name=SKIPPED, message=bot.secrets.mask(str(skip)), data=skip.code)


def show_status(book: StateManager, *, at: datetime) -> None:
    """Publish how things stand, and what the book comes to."""
    publish_status(book, at=at, deployment_paused=deployed.pause_in_words())
    publish_metrics(book, at=at)


def stand_still(control: ControlState) -> None:
    """Pause the deployments after an emergency, and raise the alarm on Prefect's bus."""
    deployed.pause_cycles()
    _alarm(control)


def _catch_up(control: ControlState) -> None:
    """Do what a hook would have done, where it never ran. The owner's own halt is no emergency."""
    if deployed.pause_cycles() and control.changed_by == RECOVERY:
        _alarm(control)


def _alarm(control: ControlState) -> None:
    emit_event(EMERGENCY_EVENT, resource=BOOK, payload={"cause": control.cause})
