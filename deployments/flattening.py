"""`bensbot flatten` where the book is: the same steps as the flow, in this process, so that it needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from deployments.place import forget_drain
from deployments.standing import Desk
from deployments.switching import show_in_prefect
from trading_bot.core.bot import Bot, open_bot, secrets_of
from trading_bot.core.failures import handle_failure, handle_interruption
from trading_bot.core.flatten import FlattenRequest, flatten
from trading_bot.core.logs import configure_logging
from trading_bot.core.tickers import as_held
from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.errors import BensBotError, CycleSkipped, PluginError, SettingsError, StateError
from trading_bot.reporting.outcome import Outcome, print_outcome
from trading_bot.terminal import DONE, say

GOES_ON = "The loop was stopped or paused. It goes on, so that the sales are booked; it buys nothing."
NEXT_COMMANDS = (("bensbot status", "what is still open"), ("bensbot resume", "buy again"))


def flatten_here(found: Desk, symbols: Sequence[str], because: str, who: str, *, ack: bool) -> int:
    """Close positions under the lease and print what was done. Raises BensBotError when it was not."""
    settings = found.settings
    level = settings.orchestrator.logging_level
    configure_logging(
        folder=settings.state.folder, level=level, terminal_level="CRITICAL", secrets=secrets_of(settings)
    )
    with open_bot(settings) as bot:
        held = as_held(symbols, bot.book.ledger.portfolio().positions)
        request = FlattenRequest(because, who, held, ack=ack)
        try:
            report = _flattened(bot, request, run_id=f"flatten-{uuid4()}")
            print_outcome(Outcome((report,)), several=False, as_json=False, next_commands=NEXT_COMMANDS)
        finally:  # well or not: part of it may be sold
            _let_the_loop_settle(found, bot)
    return DONE


def _let_the_loop_settle(found: Desk, bot: Bot) -> None:
    """End any pause of the loop while the book is reducing: what is sold has to be booked by the next cycles."""
    with suppress(StateError):  # a book that is shut keeps the loop from settling, too
        reducing = bot.book.control.read().state is TradingState.REDUCING
        if reducing and show_in_prefect(found.server, say, paused=False, because=GOES_ON):
            forget_drain(found.settings)


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
