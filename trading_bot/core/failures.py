"""After a cycle that did not end well: count it once, wait or halt, tell people.

Called by the loop, by the hooks of the flow and by the next cycle that finds a dead one; whoever comes
first does the work, and the others find it done.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trading_bot.core.owner import is_of
from trading_bot.core.recovery import EmergencyStop, RecoveryPolicy, after_failure
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import CredentialsRefused, StateError, StateFull
from trading_bot.notifications.texts import emergency_shutdown, loop_error

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import OrchestratorSettings
    from trading_bot.core.bot import Bot, Clerk

log = logging.getLogger(__name__)

RECOVERY = "recovery"  # who changes the state, in the book
HALT_AT_ONCE = (CredentialsRefused, StateFull)  # trying again would lock the account, or trade without a journal


def recovery_policy(settings: OrchestratorSettings) -> RecoveryPolicy:
    """Return the policy that the orchestrator's settings describe."""
    return RecoveryPolicy(
        backoff=timedelta(seconds=settings.recovery_backoff_seconds),
        max_consecutive_errors=settings.max_consecutive_errors,
        emergency_shutdown=settings.enable_emergency_shutdown,
    )


def handle_failure(
    bot: Bot | Clerk, *, run_id: str, error: BaseException | str, details: str = "", failed_at: datetime | None = None
) -> int | None:
    """Count the failure of a run, back off or halt, send the alerts, give the lease back.

    Args:
        bot: the bot whose cycle failed, or who keeps its book: no broker is asked.
        run_id: the run that failed; each is counted once.
        error: the error, or its text where only that is known.
        details: the traceback, for the notice.
        failed_at: when it happened (aware, UTC); the wait counts from then. None: now.

    Returns:
        Failures in a row, or None when this run was counted before.

    Raises:
        StateError: the book cannot be written. The next cycle finds the dead one and counts it then. People
            are told at once, unless the book is only locked.
    """
    text = _in_words(error)
    failures = _count(bot, run_id, text)
    emergency = _write_what_follows(bot, error, failures, failed_at) if failures is not None else None
    _release(bot, run_id)  # only now: whoever is let in next must find the wait or the halt in the book
    if failures is None:
        return None
    log.error("Failed cycles in a row: %d", failures)  # the notice below says why, in the log, too
    alert = loop_error(error if isinstance(error, BaseException) else RuntimeError(text), details)
    bot.notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)
    if emergency is not None:
        _announce_stop(bot, emergency)
    return failures


def _in_words(error: BaseException | str) -> str:
    """Return the error's text, with its kind where the text alone says nothing: what is a "1"?"""
    says_it_all = isinstance(error, Exception | str) and str(error)
    return str(error) if says_it_all else f"{type(error).__name__}: {error}".removesuffix(": ")


def _write_what_follows(
    bot: Bot | Clerk, error: BaseException | str, failures: int, failed_at: datetime | None
) -> str | None:
    """Write the wait, or the halt, into the book. Return the cause of the halt, None for a wait."""
    if isinstance(error, HALT_AT_ONCE):
        return _halt(bot, f"{type(error).__name__}: {error}")
    match after_failure(failures, recovery_policy(bot.settings.orchestrator)):
        case EmergencyStop(count):
            return _halt(bot, f"{count} failed cycles in a row; the last error: {error}")
        case wait:
            bot.book.control.hold_until((failed_at or bot.clock.now()) + wait.delay)
            log.info("Backing off for %d seconds before next cycle", wait.delay.total_seconds())
            return None


def _count(bot: Bot | Clerk, run_id: str, text: str) -> int | None:
    try:
        return bot.book.control.record_failure(run_id, error=bot.secrets.mask(text))
    except StateError as shut:
        if not shut.may_be_tried_again:  # what cannot be journalled cannot be traded, nor can the halt be written down
            _announce_stop(bot, f"{shut}\nThe failure it could not count: {text}")
        raise


def emergency_stop(bot: Bot | Clerk, cause: str) -> None:
    """Set HALTED and send the critical notice."""
    _announce_stop(bot, _halt(bot, cause))


def _halt(bot: Bot | Clerk, cause: str) -> str:
    """Set HALTED; return the cause as the notice says it."""
    cause = bot.secrets.mask(cause)
    bot.book.control.set_state(TradingState.HALTED, cause=cause, who=RECOVERY)
    return f"{cause}\nTrading stays halted until: bensbot resume --ack"


def _announce_stop(bot: Bot | Clerk, cause: str) -> None:
    log.critical("Emergency shutdown triggered: %s", cause)
    alert = emergency_shutdown(cause)
    bot.notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)


def handle_interruption(bot: Bot | Clerk, *, run_id: str, reason: str = "interrupted by the owner") -> None:
    """End the run's cycle as cancelled: no failure is counted, and the next run goes on with it."""
    bot.book.cycles.cancel(run_id, reason)
    _release(bot, run_id)
    log.warning("The cycle was %s; the next run goes on with it", reason)


def _release(bot: Bot | Clerk, run_id: str) -> None:
    lease = bot.book.control.current_lease()
    if lease is not None and is_of(lease.owner, run_id):
        bot.book.control.release_lease(lease)
