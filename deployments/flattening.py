"""`bensbot flatten` where the book is: the same steps as the flow, in this process, so that it needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from deployments.standing import Desk
from deployments.switching import show_in_prefect
from trading_bot.core.bot import Bot, open_bot, secrets_of
from trading_bot.core.failures import handle_failure, handle_interruption
from trading_bot.core.flatten import FlattenRequest, flatten
from trading_bot.core.logs import configure_logging
from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.errors import BensBotError, CycleSkipped, PluginError, SettingsError
from trading_bot.domain.market import Symbol
from trading_bot.reporting.outcome import Outcome, print_outcome
from trading_bot.terminal import DONE, say

NEXT_COMMANDS = (("bensbot status", "what is still open"), ("bensbot resume", "buy again"))


def flatten_here(found: Desk, symbols: Sequence[str], because: str, who: str, *, ack: bool) -> int:
    """Close positions under the lease and print what was done. Raises BensBotError when it was not."""
    settings = found.settings
    level = settings.orchestrator.logging_level
    configure_logging(
        folder=settings.state.folder, level=level, terminal_level="CRITICAL", secrets=secrets_of(settings)
    )
    request = FlattenRequest(because, who, tuple(Symbol(symbol) for symbol in symbols), ack=ack)
    with open_bot(settings) as bot:
        before = bot.book.control.read().state
        report = _flattened(bot, request, run_id=f"flatten-{uuid4()}")
    print_outcome(Outcome((report,)), several=False, as_json=False, next_commands=NEXT_COMMANDS)
    if before in (TradingState.PAUSED, TradingState.HALTED):  # the exits have to settle
        show_in_prefect(found.server, say, paused=False)
    return DONE


def _flattened(bot: Bot, request: FlattenRequest, *, run_id: str) -> CycleReport:
    try:
        return flatten(bot, request, run_id=run_id)
    except (CycleSkipped, SettingsError, PluginError):  # nothing failed: it was not let in
        raise
    except BensBotError as error:
        handle_failure(bot, run_id=run_id, error=error)
        raise
    except KeyboardInterrupt:
        handle_interruption(bot, run_id=run_id)
        raise
