"""May this cycle trade? Everything that is read first, before the market is even looked at."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from trading_bot.core.failures import emergency_stop, handle_failure
from trading_bot.core.owner import is_dead, owner_of
from trading_bot.core.solvency import require_sound
from trading_bot.domain.cycle import ControlState, CycleTicket, Lease, SkipReason, TradingState
from trading_bot.domain.errors import CycleSkipped, DataError, NoMoreSessions, SettingsError
from trading_bot.domain.words import sentence

if TYPE_CHECKING:
    from trading_bot.config.broker import BrokerSettings
    from trading_bot.core.bot import Bot
    from trading_bot.domain.ports import BrokerAccount

log = logging.getLogger(__name__)

RESUME = "`bensbot resume --ack`"
LONGEST_DELAY = timedelta(seconds=60)  # of a tick in a live market; a busy machine takes 20 s to start a run


@dataclass(frozen=True, slots=True)
class Tick:
    """What a cycle is about: the instant of the market it decides at."""

    at: datetime  # aware, UTC: the data's clock where the source is historical
    session: date
    scheduled: datetime | None  # when a scheduler wanted it, on the wall clock
    suffix: str = ""  # sets a cycle of another kind at the same instant apart

    @property
    def cycle_id(self) -> str:
        """The cycle's name: the same tick always has the same one."""
        return f"{self.at:%Y%m%dT%H%M%SZ}{self.suffix}"


def admit(bot: Bot, *, run_id: str, as_of: date | None = None, scheduled: datetime | None = None) -> CycleTicket:
    """Take the lease, finish what a dead cycle left behind, and let the cycle in.

    Args:
        bot: the bot.
        run_id: names this run, for the lease and for counting failures.
        as_of: the session to trade, for a historical source; None: the next one not yet traded.
        scheduled: when a scheduler wanted the cycle (aware, UTC); a late one is skipped.

    Raises:
        CycleSkipped: it may not trade now; the reason is in the book.
        SettingsError: `as_of` is no session that can be traded next.
        StateError: the book cannot be written.
    """
    _refuse_what_comes_too_late(bot, as_of, scheduled)
    lease = take_lease(bot, run_id)
    with ExitStack() as undo:
        undo.callback(bot.book.control.release_lease, lease)
        bury_dead_cycles(bot)
        ticket = _begin(bot, lease, next_tick(bot, as_of, scheduled), run_id)
        undo.pop_all()
    return ticket


def _refuse_what_comes_too_late(bot: Bot, as_of: date | None, scheduled: datetime | None) -> None:
    """Keep late ticks from the lease: after a downtime there are many, and the one that is due now would find it taken.

    Raises:
        CycleSkipped: the tick comes too late (STALE_TICK), or does not trade for a reason that counts before that.
    """
    if scheduled is None or not _is_late(bot, scheduled):
        return
    tick = next_tick(bot, as_of, scheduled)
    _refuse(bot, tick, _why_not(bot, bot.book.control.read(), tick))


def take_lease(bot: Bot, run_id: str) -> Lease:
    """Take the right to trade. Raises CycleSkipped (LEASE_TAKEN) while a living process has it."""
    owner, seconds = owner_of(run_id), bot.settings.state.lease_seconds
    lease = bot.book.control.acquire_lease(owner, ttl_seconds=seconds, owner_is_dead=is_dead)
    if lease is None:
        raise _lease_taken(bot.book.control.current_lease())
    return lease


def _begin(bot: Bot, lease: Lease, tick: Tick, run_id: str) -> CycleTicket:
    control = current_control(bot)
    _refuse(bot, tick, _why_not(bot, control, tick))
    window = bot.hours.window_at(tick.at)
    if window is None:
        return let_in(bot, lease, tick, run_id=run_id, state=control.state)
    state = TradingState.REDUCING if window.exits_only else control.state
    ticket = let_in(bot, lease, tick, run_id=run_id, state=state)
    return replace(ticket, window=window.name, strategies=window.strategies, exits_only=window.exits_only)


def _refuse(bot: Bot, tick: Tick, why: tuple[SkipReason, str] | None) -> None:
    """Write down why the tick does not trade, if it does not, and raise it as CycleSkipped."""
    if why is None:
        return
    reason, message = why
    bot.book.cycles.skip(
        tick.cycle_id, session=tick.session, scheduled_at=tick.scheduled or tick.at, reason=reason, message=message
    )
    raise CycleSkipped(reason, message)


def let_in(bot: Bot, lease: Lease, tick: Tick, *, run_id: str, state: TradingState) -> CycleTicket:
    """Begin the cycle under the lease, once the broker's account is the one that the settings mean.

    Raises:
        CycleSkipped: the account is blocked or worth nothing, or the cycle has traded before.
        SettingsError: it is a live account, and the settings do not say so twice.
        WrongAccount: the book belongs to another account.
    """
    account = bot.broker.account()
    require_consent(bot.settings.broker, account)
    bot.book.cycles.bind_account(account.account_id, account.mode, account.cash)
    if not require_sound(bot, account, lease) and state is TradingState.ACTIVE:
        state = TradingState.REDUCING
    begun = bot.book.cycles.begin(
        tick.cycle_id,
        session=tick.session,
        scheduled_at=tick.scheduled or tick.at,
        lease=lease,
        run_id=run_id,
        settings_hash=bot.settings.fingerprint(),
        state=state,
    )
    return CycleTicket(tick.cycle_id, tick.at, tick.session, lease, state, decided=begun.decided)


def current_control(bot: Bot) -> ControlState:
    """Read the switch; halt now where a process died between counting its last failure and halting."""
    control, policy = bot.book.control.read(), bot.settings.orchestrator
    too_many = policy.enable_emergency_shutdown and control.consecutive_errors >= policy.max_consecutive_errors
    if too_many and control.state is not TradingState.HALTED:
        emergency_stop(bot, f"{control.consecutive_errors} failed cycles in a row")
        return bot.book.control.read()
    return control


def bury_dead_cycles(bot: Bot) -> None:
    """Count every cycle without an end as failed: we hold the lease, so nobody works on it any more."""
    for dead in bot.book.cycles.unfinished():
        log.warning("Cycle %s began at %s and never ended", dead.cycle_id, dead.started_at)
        error = f"cycle {dead.cycle_id} was killed or its process died"
        handle_failure(bot, run_id=dead.run_id, error=error, failed_at=dead.started_at)


def next_tick(bot: Bot, as_of: date | None, scheduled: datetime | None) -> Tick:
    """Return what to trade. A historical source's clock is the close of its next session."""
    if bot.data.historical:
        session = _asked_session(bot, as_of) if as_of is not None else _next_session(bot)
        return Tick(bot.hours.close_of(session), session, scheduled)
    if as_of is not None:
        raise SettingsError(f"--as-of {as_of} works on a historical price source only; this one trades the present.")
    at = scheduled or bot.clock.now()
    around_the_clock = not bot.settings.orchestrator.market_hours_only
    return Tick(at, bot.hours.newest_session(at) if around_the_clock else bot.hours.day_of(at), scheduled)


def _next_session(bot: Bot) -> date:
    """Return the session that a failed cycle left behind, else the first one not yet traded in our windows."""
    left_behind = bot.book.cycles.unfinished_session()
    if left_behind is not None:
        return _in_the_source(bot, left_behind, f"The cycle of {left_behind} is unfinished")
    session = bot.book.cycles.last_traded_session()
    try:
        while True:
            session = bot.data.next_session(session)
            if _trades_at_the_close(bot, session):
                return session
    except NoMoreSessions as error:
        raise CycleSkipped(SkipReason.END_OF_DATA, str(error)) from error


def _trades_at_the_close(bot: Bot, session: date) -> bool:
    """Say whether our windows hold the session's close. Raises SettingsError when they hold none but by chance."""
    if not bot.settings.orchestrator.market_hours_only or bot.hours.is_trading_time(bot.hours.close_of(session)):
        return True
    if bot.hours.is_half_day(session):
        return False
    windows = [window.name for window in bot.settings.hours.windows]
    raise SettingsError(
        f"hours.windows = {windows} leaves out the close, and daily prices are traded at the "
        'close. Write "regular" or a window that ends at 16:00 or later, or orchestrator.market_hours_only: false.'
    )


def _asked_session(bot: Bot, as_of: date) -> date:
    traded, begun = bot.book.cycles.last_traded_session(), bot.book.cycles.unfinished_session()
    if (traded is not None and as_of <= traded) or (begun is not None and as_of < begun):
        raise SettingsError(
            f"--as-of {as_of}: the book has traded up to {begun or traded}, and time does not run backwards. "
            f"Write a later date, or set state.folder to a fresh folder to begin again."
        )
    return _in_the_source(bot, as_of, f"--as-of {as_of}")


def _in_the_source(bot: Bot, session: date, asked_by: str) -> date:
    try:
        return bot.data.require_session(session)
    except DataError as error:
        raise SettingsError(f"{asked_by}: {error}") from error


def _why_not(bot: Bot, control: ControlState, tick: Tick) -> tuple[SkipReason, str] | None:
    """Return why the cycle may not trade, None when it may."""
    if (rests := _why_at_rest(control, now := bot.clock.now())) is not None:
        return rests
    if tick.scheduled is not None and _is_late(bot, tick.scheduled):
        late = timedelta(seconds=round((now - tick.scheduled).total_seconds()))
        message = f"The cycle of {tick.scheduled:%H:%M:%S} UTC comes {late} late; a newer one trades."
        return SkipReason.STALE_TICK, message
    policy = bot.settings.orchestrator
    if policy.market_hours_only and (closed := _when_closed(bot, tick, now)) is not None:
        return SkipReason.MARKET_CLOSED, f"The market is closed for us at {closed:%Y-%m-%d %H:%M} UTC."
    return None


def is_at_rest(bot: Bot) -> bool:
    """Say whether no cycle at all may trade now: trading is halted or paused, or failures make us wait."""
    return _why_at_rest(bot.book.control.read(), bot.clock.now()) is not None


def _why_at_rest(control: ControlState, now: datetime) -> tuple[SkipReason, str] | None:
    """Return what the switch says against any cycle now."""
    if control.state is TradingState.HALTED:
        since = f"{control.changed_at:%Y-%m-%d %H:%M} UTC"
        return SkipReason.HALTED, f"Trading is halted since {since}: {sentence(control.cause)} To go on: {RESUME}"
    if control.state is TradingState.PAUSED:
        return (
            SkipReason.PAUSED,
            f"Trading is paused by {control.changed_by}: {sentence(control.cause)} To go on: `bensbot resume`",
        )
    if control.next_allowed_at is not None and now < control.next_allowed_at:
        message = (
            f"Backing off after {control.consecutive_errors} failed cycle(s) in a row until "
            f"{control.next_allowed_at:%Y-%m-%d %H:%M:%S} UTC. To go on at once: {RESUME}"
        )
        return SkipReason.BACKING_OFF, message
    return None


def _when_closed(bot: Bot, tick: Tick, now: datetime) -> datetime | None:
    """Return the instant that our hours leave out: the tick's, or where the market is a live one the present."""
    if not bot.hours.is_trading_time(tick.at):
        return tick.at
    is_open = bot.data.historical or any(bot.hours.is_trading_time(at) for at in (now, now - LONGEST_DELAY))
    return None if is_open else now


def _is_late(bot: Bot, scheduled: datetime) -> bool:
    """Say whether a newer tick is due by now, or a live market has moved on."""
    interval = timedelta(seconds=bot.settings.orchestrator.loop_interval_seconds)
    return bot.clock.now() - scheduled > (interval if bot.data.historical else min(interval, LONGEST_DELAY))


def require_consent(wanted: BrokerSettings, account: BrokerAccount) -> None:
    """Let real money in on purpose only. Raises SettingsError unless the settings say so twice."""
    if account.mode == "live" and (wanted.paper or wanted.live_confirm != account.account_id):
        raise SettingsError(
            f"The broker {wanted.name!r} trades the live account {account.account_id}. If that is what you want, set "
            f"broker.paper: false and broker.live_confirm: {account.account_id!r}. Nothing was sent."
        )
    if account.mode != "live" and not wanted.paper:
        raise no_live_account(wanted.name)


def no_live_account(broker: str) -> SettingsError:
    """Return what is wrong where a live account is wanted from a broker that has none."""
    return SettingsError(
        f"broker.paper is false, but the broker {broker!r} is a paper account. Set broker.paper: true, or "
        "name a live broker."
    )


def _lease_taken(lease: Lease | None) -> CycleSkipped:
    holder = f" by {lease.owner} until {lease.expires_at:%Y-%m-%d %H:%M:%S} UTC" if lease else ""
    return CycleSkipped(SkipReason.LEASE_TAKEN, f"Another cycle is running: the lease is held{holder}.")
