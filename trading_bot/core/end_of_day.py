"""When a trading day is over: read its result, tell people, remember that they were told.

Telling takes no lease and writes nothing to the ledger, so it may run beside a cycle.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from trading_bot.core.archive import archive_old, first_day_kept
from trading_bot.core.schedule import day_is_over
from trading_bot.domain.day import BookedDay, DayCycles
from trading_bot.domain.errors import DataError, SettingsError, SourceUnavailable, StateError
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import counted
from trading_bot.notifications.texts import end_of_day
from trading_bot.reporting.day import DayReport, day_report
from trading_bot.reporting.day_text import day_lines, day_summary, fitted

if TYPE_CHECKING:
    from trading_bot.core.bot import Bot
    from trading_bot.state.manager import StateManager

log = logging.getLogger(__name__)

CHORE = "end-of-day"  # its name in the book


@dataclass(frozen=True, slots=True)
class NotDue:
    """There is nothing to report now."""

    why: str  # a sentence


def session_due(bot: Bot, asked: date | None = None) -> date | NotDue:
    """Return the session to report now: the newest one that traded, is over and was not reported.

    A session is over after its close and the last of our windows; one that is replayed, as soon as it has traded.

    Args:
        bot: the bot.
        asked: the session a person wants, reported before or not.

    Raises:
        SettingsError: `asked` never traded.
    """
    if asked is not None:
        return _if_over(bot, _traded(bot, asked))
    reported = bot.book.chores.newest(CHORE)
    left = bot.book.days.traded(after=reported)
    over = [session for session in left if _is_over(bot, session)]
    if over:
        return over[-1]
    return _if_over(bot, left[-1]) if left else NotDue(_why_nothing(bot, reported))


def read_day(bot: Bot, session: date, *, again: bool = False) -> DayReport:
    """Return the result of a session. Reading twice changes nothing.

    `again` says that it was asked for by its date: then it tells of that session alone.
    Where the price source has no answer, holdings have no price and a warning says so: the day's
    result is in the book, and people should not wait for it.
    """
    booked = bot.book.days.read(session)
    prices, notes = _last_prices(bot, booked)
    after = None if again else bot.book.chores.newest(CHORE) or date.min
    return day_report(booked, bot.book.control.read(), prices=prices, after=after, notes=notes)


def day_in_book(book: StateManager, session: date | None = None) -> DayReport:
    """Return the result of a session, the newest one by default, from the book alone: holdings have no price.

    Raises:
        SettingsError: no cycle of that session completed.
        StateError: no session was traded yet.
    """
    traded = book.days.traded()
    if not traded:
        raise StateError("No session was traded yet, so there is no day to report. Trade one: bensbot run --once")
    if session is not None and session not in traded:
        raise SettingsError(_never_traded(session, traded))
    return day_report(book.days.read(session or traded[-1]), book.control.read(), prices={})


def send_notice(bot: Bot, report: DayReport) -> None:
    """Tell people the day's result on every channel, in one notice."""
    warnings, details = len(report.warnings), fitted(day_lines(report))
    alert = end_of_day(report.session, day_summary(report), details, warnings=warnings)
    bot.notifier.send_alert(level=alert.level, title=alert.title, message=alert.message, details=alert.details)


def mark_reported(bot: Bot, session: date, *, run_id: str) -> None:
    """Remember that people were told, after they were: a crash in between repeats a notice and loses none."""
    if not bot.book.chores.record(CHORE, session, run_id=run_id):
        log.info("Session %s was reported before", session)


def clean_up(bot: Bot) -> None:
    """Archive what is older than `state.keep_days`. Where that cannot be done it is logged: tomorrow is early enough.

    This alone takes the right to trade, and only while there is something to move.
    """
    limit = first_day_kept(bot.book, bot.settings.state.keep_days)
    try:
        if archive_old(bot.settings.state, bot.book, before=limit, clock=bot.clock, dry_run=True).months:
            archive_old(bot.settings.state, bot.book, before=limit, clock=bot.clock)
    except StateError as error:
        log.warning("Old decisions stay in the book for now: %s", error)


def _is_over(bot: Bot, session: date) -> bool:
    return bot.data.historical or day_is_over(bot.hours, session, bot.clock.now())


def _if_over(bot: Bot, session: date) -> date | NotDue:
    if _is_over(bot, session):
        return session
    return NotDue(f"Session {session} is not over yet: it closes at {bot.hours.close_of(session):%Y-%m-%d %H:%M} UTC.")


def _traded(bot: Bot, session: date) -> date:
    traded = bot.book.days.traded()
    if session not in traded:
        raise SettingsError(_never_traded(session, traded))
    return session


def _never_traded(session: date, traded: tuple[date, ...]) -> str:
    there = f"It traded {counted(len(traded), 'session')} from {traded[0]} to {traded[-1]}" if traded else "It is empty"
    return f"No cycle of session {session} completed, so the book has no result of it. {there}."


def _why_nothing(bot: Bot, reported: date | None) -> str:
    """Say why no traded session is left to report, and what became of today where that is a session."""
    told = f"The newest one that traded, {reported}, was reported." if reported else "No session was traded yet."
    today = bot.hours.day_of(bot.clock.now())
    if bot.data.historical or today == reported:
        return told
    if not bot.hours.is_session(today):
        return f"{today} is no session of the exchange. {told}"
    return f"{_without_trade(today, bot.book.days.cycles(today))} {told}"


def _without_trade(session: date, ran: DayCycles) -> str:
    skipped = ", ".join(f"{reason.replace('_', ' ')} {times:,}" for reason, times in ran.skipped)
    ends = [
        f"{ran.failed:,} failed" if ran.failed else "",
        f"{ran.cancelled:,} interrupted" if ran.cancelled else "",
        f"{ran.running:,} without an end" if ran.running else "",
        f"skipped: {skipped}" if skipped else "",
    ]
    found = "; ".join(filter(None, ends))
    return f"No cycle of session {session} completed{f' ({found})' if found else ''}."


def _last_prices(bot: Bot, booked: BookedDay) -> tuple[dict[Symbol, Decimal], tuple[str, ...]]:
    """Return the newest price of each holding at the close, and what is wrong where there is none."""
    if not booked.positions:
        return {}, ()
    try:
        market = bot.data.get_market_state(bot.hours.close_of(booked.session), booked.session)
    except (SourceUnavailable, DataError) as error:
        return {}, (f"Holdings are shown without prices: {bot.secrets.mask(str(error))}",)
    found = {symbol: market.last_known_price(symbol) for symbol in booked.positions}
    unknown = sorted(symbol for symbol, price in found.items() if price is None)
    notes = (f"The price source does not know {', '.join(unknown)}",) if unknown else ()
    return {symbol: price for symbol, price in found.items() if price is not None}, notes
