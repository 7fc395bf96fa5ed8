"""The steps of a rotation as plain functions: is one due, who competes, how did they do, decide, write down, tell.

The flow `strategy-rotation` calls them as tasks; the plain loop, and every cycle that replays history, all at once.
`decision.py` has the decision itself.

A rotation takes no lease: it reads prices and writes one record, all or nothing, and a second one for the same session
changes nothing. Whoever is killed before that record was written leaves a rotation that is due; whoever comes next
makes it up.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from trading_bot.core.bot import with_present_team
from trading_bot.core.end_of_day import NotDue
from trading_bot.core.hours import NEW_YORK
from trading_bot.core.rotation.decision import rotate
from trading_bot.core.rotation.policy import RotationPolicy
from trading_bot.core.rotation.team import candidates, present_team
from trading_bot.core.schedule import ends_period, rotation_due
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import BensBotError, PluginError, SettingsError, StateError
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.tournament import Candidate, Criterion, Frequency, Rotation, Score, Weighting
from trading_bot.domain.words import counted, sentence
from trading_bot.notifications.texts import rotation_failed, team_changed
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.grid import chunks
from trading_bot.tournament.scoring import BEFORE, ScoringTerms, score, sessions_seen

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import RotationSettings
    from trading_bot.core.bot import Bot

log = logging.getLogger(__name__)

CHORE = "rotation"  # its name in the book, for a session whose rotation ended without a record
STANDSTILL = (TradingState.HALTED, TradingState.PAUSED)
HYSTERESIS = {Criterion.SHARPE: 0.25, Criterion.SORTINO: 0.35, Criterion.RETURN: 0.05, Criterion.DRAWDOWN: 0.02}
FLOOR = {Criterion.SHARPE: 0.0, Criterion.SORTINO: 0.0, Criterion.RETURN: 0.0, Criterion.DRAWDOWN: -0.25}


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """What the candidates of a rotation are compared on; it may travel to another machine."""

    session: date
    history: MarketHistory  # just as much of it as is looked at
    candidates: tuple[Candidate, ...]
    windows: tuple[int, ...]  # sessions, ascending; those that the history is long enough for
    terms: ScoringTerms
    market_hash: str
    notes: tuple[str, ...] = ()  # what people should know about the comparison, in sentences


# ── when ──────────────────────────────────────────────────────────────────────────────────────────


def session_due(bot: Bot, asked: date | None = None, *, dry_run: bool = False) -> date | NotDue:
    """Return the session to rotate after now: the newest one whose time has come and that was not rotated.

    On live prices the wall clock decides. History has its own clock: there a session's rotation is due once the
    session was traded. While trading is halted or paused nothing is due; it is made up for later.

    Args:
        bot: the bot.
        asked: the session a person wants, whatever the frequency is.
        dry_run: nothing will be written down, so that neither the trading state nor later rotations matter.

    Raises:
        SettingsError: `asked` is not over yet, or a later session was rotated already.
    """
    if not bot.settings.orchestrator.enable_strategy_rotation:
        return NotDue("Rotation is off: orchestrator.enable_strategy_rotation is false.")
    control = bot.book.control.read()
    if control.state in STANDSTILL and not dry_run:
        return NotDue(f"Trading is {control.state}: {sentence(control.cause)} The rotation is made up for later.")
    if asked is not None:
        return _asked(bot, asked, dry_run=dry_run)
    traded = bot.book.cycles.last_traded_session()
    if traded is None:
        return NotDue("No session was traded yet.")
    rotated = bot.book.rotations.newest_session()
    since = rotated or bot.book.days.traded()[0] - timedelta(days=1)
    at = _time_of(bot, traded) if bot.data.historical else bot.clock.now()
    policy = bot.settings.orchestrator, Frequency(bot.settings.rotation.frequency)
    due = rotation_due(bot.hours, at, policy[0].rotation_time, since, policy[1])
    return due or NotDue(_why_nothing(bot, rotated, at))


def _asked(bot: Bot, asked: date, *, dry_run: bool) -> date:
    newest = bot.book.rotations.newest_session()
    if newest is not None and asked < newest and not dry_run and bot.book.rotations.read(asked) is None:
        raise SettingsError(
            f"{asked} was not rotated, and {newest} was: time does not run backwards. A dry run may look at any session"
            " before."
        )
    if not bot.hours.is_session(asked):
        raise SettingsError(f"{asked} is no session of the exchange.")
    last = bot.book.cycles.last_traded_session() if bot.data.historical else _last_closed(bot, bot.clock.now())
    if last is None or (asked > last and not dry_run):
        raise SettingsError(f"{asked} is not over yet; the last session that is: {last or 'none'}.")
    return asked


def _time_of(bot: Bot, session: date) -> datetime:
    clock = time.fromisoformat(bot.settings.orchestrator.rotation_time)
    return datetime.combine(session, clock, tzinfo=NEW_YORK)


def _last_closed(bot: Bot, at: datetime) -> date:
    """Return the newest session that is over at `at`: before its close a session has no bar yet."""
    newest = bot.hours.newest_session(at)
    if at < bot.hours.close_of(newest):
        return bot.hours.newest_session(at - timedelta(days=1))
    return newest


def _why_nothing(bot: Bot, rotated: date | None, at: datetime) -> str:
    told = f"The newest rotation is that of {rotated}." if rotated else "There was no rotation yet."
    frequency = Frequency(bot.settings.rotation.frequency)
    day = bot.hours.newest_session(at)
    ahead = (day + timedelta(days=days) for days in range(46))
    following = next(
        each
        for each in ahead
        if bot.hours.is_session(each) and ends_period(bot.hours, each, frequency) and each > (rotated or date.min)
    )
    return f"{told} The next one is that of {following}, at {bot.settings.orchestrator.rotation_time} in New York."


# ── the steps ─────────────────────────────────────────────────────────────────────────────────────


def read_contest(bot: Bot, session: date) -> Contest | NotDue:
    """Read the prices up to the session and list who competes. Reading twice changes nothing.

    A rotation before the session's close does not know that session's prices yet.

    Raises:
        PluginError, SettingsError: a candidate is set wrong.
        SourceUnavailable, DataError: there are no prices of the session.
    """
    last = _last_closed(bot, max(_time_of(bot, session), bot.hours.open_of(session)))
    market = bot.data.get_market_state(bot.hours.close_of(last), last)
    listed, wanted = candidates(bot.settings), bot.settings.rotation
    known = len(market.history.sessions)
    windows = tuple(window for window in wanted.windows if window + BEFORE <= known)
    if not windows:
        needed = f"the shortest window needs {wanted.windows[0] + BEFORE}"
        return NotDue(f"The prices up to {session} are {counted(known, 'session')}, and {needed}.")
    short = [f"{window}" for window in wanted.windows if window not in windows]
    terms = ScoringTerms(cost_bps=float(wanted.costs_bps))
    seen = max(sessions_seen(candidate, windows[-1], terms) for candidate in listed)
    return Contest(
        session=session,
        history=market.history.rows(slice(-seen, None)),
        candidates=listed,
        windows=windows,
        terms=terms,
        market_hash=bot.data.fingerprint(market),
        notes=(f"Left out, for there are {known} sessions of prices: the window of {', '.join(short)}.",) * bool(short),
    )


def portions(contest: Contest) -> tuple[tuple[Candidate, ...], ...]:
    """Split the candidates, in their order, into portions of about a second: what one task takes is worth its start."""
    return chunks(contest.candidates, cells=contest.history.close.size)


def score_some(contest: Contest, some: Sequence[Candidate]) -> tuple[Score, ...]:
    """Return the scores of some candidates, the same whoever else is scored with them.

    Raises:
        PluginError: a candidate cannot be built here.
        WrongAnswer: a strategy failed, or answered with what is no opinion.
    """
    return score(contest.history, some, STRATEGIES.build, windows=contest.windows, terms=contest.terms)


def decide(bot: Bot, contest: Contest, scores: Sequence[Score]) -> Rotation:
    """Return the team that follows the present one, and why."""
    old = present_team(bot.settings, bot.book).seats
    return rotate(old, scores, policy_of(bot.settings.rotation), contest.session, notes=contest.notes)


def record(bot: Bot, contest: Contest, rotation: Rotation, *, run_id: str) -> bool:
    """Write the rotation down, so that its team trades; say whether it is news. Doing it twice changes nothing."""
    return bot.book.rotations.record(
        rotation, run_id=run_id, settings_hash=bot.settings.fingerprint(), market_hash=contest.market_hash
    )


def tell(bot: Bot, rotation: Rotation, *, dry_run: bool) -> None:
    """Send a notice when the team has changed, or would have."""
    log.info("Rotation of %s: %s", rotation.session, rotation.reason)
    if rotation.changed:
        alert = team_changed(rotation, dry_run=dry_run)
        bot.notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)


def policy_of(settings: RotationSettings) -> RotationPolicy:
    """Return what decides, as the settings say it."""
    criterion = Criterion(settings.criterion)
    return RotationPolicy(
        criterion=criterion,
        keep=settings.keep,
        weighting=Weighting(settings.weights),
        hysteresis=HYSTERESIS[criterion] if settings.hysteresis is None else settings.hysteresis,
        floor=FLOOR[criterion] if settings.floor is None else settings.floor,
    )


# ── all at once ───────────────────────────────────────────────────────────────────────────────────


def rotate_now(bot: Bot, session: date, *, run_id: str) -> Rotation | NotDue:
    """Take every step, without fanning out. The same errors as theirs."""
    contest = read_contest(bot, session)
    if isinstance(contest, NotDue):
        return contest
    rotation, dry_run = decide(bot, contest, score_some(contest, contest.candidates)), bot.settings.rotation.dry_run
    if dry_run or record(bot, contest, rotation, run_id=run_id):
        tell(bot, rotation, dry_run=dry_run)
    return rotation


def due_before_the_cycle(bot: Bot, *, loop: bool = False) -> date | None:
    """Return the session whose rotation the cycle has to make up before it trades, None when there is none.

    On live prices only the plain `loop` does so: elsewhere a schedule starts the flow at its time. What could not be
    done for a session is not tried before each of its ticks.
    """
    if not (loop or bot.data.historical):
        return None
    due = session_due(bot)
    return due if isinstance(due, date) and due != bot.book.chores.newest(CHORE) else None


def make_up(bot: Bot, due: date, *, run_id: str) -> Rotation | NotDue | None:
    """Rotate before a cycle. What goes wrong is told once, and the team that is there goes on; then None is returned.

    Raises:
        PluginError, SettingsError: something is set wrong, which stops the bot.
        StateError: the book cannot be written, so nothing can be traded.
    """
    try:
        done = rotate_now(bot, due, run_id=run_id)
    except (PluginError, SettingsError, StateError):
        raise
    except Exception as error:  # noqa: BLE001  a candidate is foreign code, and is not even in the team
        tell_of_failure(bot, due, error)
        done = None
    if isinstance(done, NotDue):
        log.warning("No rotation after %s: %s", due, done.why)
    if bot.book.rotations.newest_session() != due:
        bot.book.chores.record(CHORE, due, run_id=run_id)
    return done


def rotated(bot: Bot, *, run_id: str, loop: bool = False) -> Bot:
    """Make up the rotation that is due, and return the bot with the team that decides now. The errors of `make_up`."""
    due = due_before_the_cycle(bot, loop=loop)
    if due is not None:
        make_up(bot, due, run_id=run_id)
    return with_present_team(bot)


def tell_of_failure(bot: Bot, session: date, error: Exception) -> None:
    """Send a notice: the team stays as it is."""
    log.error("The rotation of %s failed: %s", session, error, exc_info=error)
    text = bot.secrets.mask(str(error) if isinstance(error, BensBotError) else f"{type(error).__name__}: {error}")
    alert = rotation_failed(text, bot.secrets.mask(traceback.format_exc()))
    bot.notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)
