"""Is everything ready to trade? Each part is looked at by itself, and says what to do where something is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from trading_bot.brokers.paper import ITS_BOOKS
from trading_bot.core import bot as assembly
from trading_bot.core.admission import require_consent
from trading_bot.core.book import book_url
from trading_bot.core.comparing import compare
from trading_bot.core.findings import Finding, Verdict, guarded
from trading_bot.core.hours import NEW_YORK, TradingHours
from trading_bot.core.positions import positions_now
from trading_bot.core.punctuality import FIX, GREAT_SKEW, SKEW, distance
from trading_bot.core.reconcile import not_settled
from trading_bot.domain.errors import BensBotError, NoMoreSessions, SchemaOutdated, SettingsError, StateError
from trading_bot.domain.listing import KnowsSessions
from trading_bot.domain.ports import TellsTime
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import counted, dollars, listed, one_line, sentence
from trading_bot.reporting.broker import AGREE
from trading_bot.state.audit import check_ledger
from trading_bot.state.manager import StateManager, open_read_only
from trading_bot.state.records import AccountBinding

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.domain.news import NewsSource
    from trading_bot.domain.ports import BrokerAccount, BrokerAdapter, Clock

LEAST_ROOM, LITTLE_ROOM = 100_000_000, 1_000_000_000  # bytes: below the first nothing can be written down for long
LONG_AGO, ONE_DAY = datetime(1900, 1, 1, tzinfo=UTC), timedelta(days=1)
NAMED = 3  # stories that could not be read
AHEAD = timedelta(days=14)  # of days whose sessions are looked at


@dataclass(frozen=True, slots=True)
class _Both:
    """Our book, to read, and the broker."""

    clock: Clock
    broker: BrokerAdapter
    book: StateManager


def examine(
    settings: TradingBotSettings,
    clock: Clock,
    *,
    connect: Callable[..., BrokerAdapter] = assembly.open_broker,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Iterator[Finding]:
    """Yield what was found, one part after the other. Nothing is created, sent or changed."""
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    yield guarded("plug-ins", "bensbot config check FILE names the setting", lambda: _plugins(settings))
    yield guarded("disk", "make room, or set state.folder", lambda: _disk(settings, free_bytes))
    yield guarded("book", "", lambda: _book(settings))
    yield guarded("prices", "look at the settings under data", lambda: _prices(settings, hours, clock))
    if _holds(settings):
        fix = "no cycle trades while something that is held has no price"
        yield guarded("positions", fix, lambda: _positions(settings, clock))
    yield from _news(settings, clock)
    yield guarded("calendar", "look at the settings under hours", lambda: _calendar(settings, hours, clock))
    yield from _broker(settings, lambda folder: connect(settings, hours, folder=folder), hours, clock)
    yield guarded("notices", "look at notification.urls", lambda: _notices(settings))


def _plugins(settings: TradingBotSettings) -> Finding:
    assembly.check_plugins(settings)
    return Finding("plug-ins", Verdict.PASS, "every strategy, rule, source and broker that is named is here")


def _disk(settings: TradingBotSettings, free_bytes: Callable[[Path], int]) -> Finding:
    folder = _existing(settings.state.folder.absolute())
    free = free_bytes(folder)
    said = f"{free / 1e9:,.1f} GB are free for {settings.state.folder}"
    if free < LITTLE_ROOM:
        verdict = Verdict.FAIL if free < LEAST_ROOM else Verdict.WARN
        return Finding("disk", verdict, said, "make room: what cannot be written down is not traded")
    return Finding("disk", Verdict.PASS, said)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def _book(settings: TradingBotSettings) -> Finding:
    if settings.state.url is None and not (settings.state.folder / "bensbot.db").exists():
        return Finding("book", Verdict.PASS, f"{settings.state.folder} holds none yet; the first cycle makes it")
    try:
        with _opened(settings) as book:
            book.check()
            violations = check_ledger(book.engine)
    except SchemaOutdated as older:
        return Finding("book", Verdict.WARN, one_line(str(older)), "keep the copy that was made before")
    if violations:
        fix = "stop the bot and restore a backup (docs/storage.md)"
        return Finding("book", Verdict.FAIL, f"{counted(len(violations), 'law')} broken", fix, violations)
    return Finding("book", Verdict.PASS, "The book obeys every law of the ledger.")


def _opened(settings: TradingBotSettings) -> StateManager:
    return open_read_only(book_url(settings), busy_timeout_seconds=settings.state.busy_timeout_seconds)


def _bound(settings: TradingBotSettings) -> AccountBinding | None:
    """Return whose book it is, where that can be read: what is wrong with the book is a finding of its own."""
    with suppress(StateError), _opened(settings) as book:
        return book.cycles.binding()
    return None


def _prices(settings: TradingBotSettings, hours: TradingHours, clock: Clock) -> Finding:
    data = assembly.data_manager(settings, hours)
    if data.historical:
        try:
            data.check()
        except NoMoreSessions as ended:
            return Finding("prices", Verdict.FAIL, one_line(str(ended)), "set data.start, or take another source")
        days = data.sessions()
        return Finding(
            "prices", Verdict.PASS, f"{settings.data.source}: {len(days):,} sessions, {days[0]} to {days[-1]}"
        )
    now = clock.now()
    market = data.get_market_state(now, hours.newest_session(now))
    said = f"{settings.data.source}: {market.coverage.usable} of {market.coverage.wanted} symbols for {market.session}"
    if market.below_minimum_coverage:
        return Finding("prices", Verdict.FAIL, said, "nothing is bought below data.min_coverage; look at data.symbols")
    missing = market.coverage.usable < market.coverage.wanted
    return Finding("prices", Verdict.WARN if missing else Verdict.PASS, said)


def _holds(settings: TradingBotSettings) -> bool:
    """Say whether shares are held, where that can be read."""
    with suppress(StateError), _opened(settings) as book:
        return bool(book.ledger.portfolio().positions)
    return False


def _positions(settings: TradingBotSettings, clock: Clock) -> Finding:
    with _opened(settings) as book:
        held = positions_now(settings, book, clock).positions
    return Finding("positions", Verdict.PASS, f"{counted(len(held), 'position')} held and priced")


def _news(settings: TradingBotSettings, clock: Clock) -> Iterator[Finding]:
    """Read what each source has: the last day of one that grows at its end, everything of a file."""
    try:
        manager = assembly.news_manager(settings)
    except BensBotError as error:
        yield Finding("news", Verdict.FAIL, one_line(str(error)), "look at the settings under news")
        return
    if manager is None:
        yield Finding("news", Verdict.PASS, f"{settings.news.names}: nobody reads them")
        return
    now, symbols = clock.now(), [Symbol(symbol) for symbol in settings.data.symbols]
    for name, source in manager.sources.items():
        fix = f"look at the settings under news, and at what docs/news.md says of {name}"
        yield guarded("news", fix, lambda name=name, source=source: _told_by(name, source, now, symbols))


def _told_by(name: str, source: NewsSource, now: datetime, symbols: Sequence[Symbol]) -> Finding:
    grows, since = source.in_order, f" since {now - ONE_DAY:%Y-%m-%d %H:%M} UTC"
    found = source.stories(now - ONE_DAY if grows else LONG_AGO, now, symbols)
    count = len(found.stories)
    said = f"{name}: {count:,} {'story' if count == 1 else 'stories'}{since if grows else ''}"
    if found.later:
        said = f"{said}; {found.later:,} dated in the future wait for their time"
    trouble = (*found.refused, *([found.cut_short] if found.cut_short else []))
    if not trouble:
        return Finding("news", Verdict.PASS, said)
    if not found.refused:
        fix = f"it trades with the newest; docs/news.md says what {name} can be asked for"
    else:
        fix = "mend the lines that are named" if name == "file" else "what is named is left out; nothing else is lost"
    return Finding("news", Verdict.WARN, f"{said}; {listed(trouble, most=NAMED)}", fix)


def _calendar(settings: TradingBotSettings, hours: TradingHours, clock: Clock) -> Finding:
    if assembly.is_historical(settings):
        return Finding("calendar", Verdict.PASS, "the price source is history: each cycle trades its next session")
    today = hours.day_of(clock.now())
    coming = hours.sessions_between(today, today + AHEAD)
    if not len(coming):
        return Finding("calendar", Verdict.FAIL, "no session within two weeks", "look at hours.closed_dates")
    day = coming[0].item()
    opens, closes = (at.astimezone(NEW_YORK) for at in (hours.open_of(day), hours.close_of(day)))
    half = ", a half day" if hours.is_half_day(day) else ""
    said = f"the next session is {day}, {opens:%H:%M} to {closes:%H:%M} in New York{half}"
    return Finding("calendar", Verdict.PASS, said)


def _broker(
    settings: TradingBotSettings,
    connect: Callable[[Path | None], BrokerAdapter],
    hours: TradingHours,
    clock: Clock,
) -> Iterator[Finding]:
    """Ask the broker who we are, what time it is, and when the exchange opens."""
    with ExitStack() as stack:
        # A simulated broker makes books where there are none; those of a look are thrown away.
        its_place = settings.state.folder / (ITS_BOOKS if settings.broker.name == "paper" else "")
        there = its_place.exists()
        folder = None if there else Path(stack.enter_context(TemporaryDirectory(prefix="bensbot-")))
        try:
            broker = connect(folder)
        except BensBotError as error:
            yield Finding("broker", Verdict.FAIL, one_line(str(error)), "look at the settings under broker")
            return
        stack.callback(broker.close)
        fix = "look at the settings under broker, and at the broker's status page"
        account = guarded("broker", fix, lambda: _account(settings, broker.account()))
        yield account
        if account.verdict is not Verdict.FAIL and _bound(settings) is not None:
            yield guarded("account", "bensbot account shows both sides", lambda: _compared(settings, broker, clock))
        if isinstance(broker, TellsTime):
            yield guarded("clock", "try again", lambda: _clock(broker, clock.now))
        if isinstance(broker, KnowsSessions):
            yield guarded("sessions", "try again", lambda: _sessions(settings, broker, hours, clock))


def _account(settings: TradingBotSettings, account: BrokerAccount) -> Finding:
    said = f"{account.mode} account {account.account_id} at {settings.broker.name}"
    try:
        require_consent(settings.broker, account)
    except SettingsError as refused:
        return Finding("broker", Verdict.FAIL, one_line(str(refused)), "see docs/alpaca.md")
    bound = _bound(settings)
    if bound is not None and (bound.account_id, bound.mode) != (account.account_id, account.mode):
        fix = "give this account a state.folder of its own"
        return Finding("broker", Verdict.FAIL, f"{said}; the book belongs to {bound.mode} {bound.account_id}", fix)
    if account.blocked:
        return Finding("broker", Verdict.FAIL, f"{said} is blocked", "ask the broker why")
    if account.buying_power <= 0:
        return Finding("broker", Verdict.WARN, f"{said} has nothing to buy with", "exits still work")
    return Finding("broker", Verdict.PASS, f"{said}, {dollars(account.buying_power)} to buy with")


def _compared(settings: TradingBotSettings, broker: BrokerAdapter, clock: Clock) -> Finding:
    """Say whether the broker has the cash and shares that the book has, as the next cycle will ask."""
    with _opened(settings) as book:
        found = compare(_Both(clock, broker, book))
        for_now = not_settled(book, found)
    if found.differences:
        said = f"Our book and the broker's differ. {'; '.join(map(one_line, found.differences))}"
        fix = "bensbot reconcile books what became of open orders; what differs then lets exits through only"
        return Finding("account", Verdict.WARN if for_now else Verdict.FAIL, said, for_now or fix)
    return Finding("account", Verdict.PASS, sentence(found.explained) if found.explained else AGREE)


def _clock(broker: TellsTime, now: Callable[[], datetime]) -> Finding:
    off = distance(broker, now)
    said = f"{off.total_seconds():.1f} s from the broker's"
    if off <= SKEW:
        return Finding("clock", Verdict.PASS, said)
    return Finding("clock", Verdict.FAIL if off > GREAT_SKEW else Verdict.WARN, said, FIX[0].lower() + FIX[1:])


def _sessions(settings: TradingBotSettings, broker: KnowsSessions, hours: TradingHours, clock: Clock) -> Finding:
    """Compare the next days with the broker's. What the settings close is closed for us alone."""
    today = hours.day_of(clock.now())
    last = today + AHEAD
    theirs = broker.session_times(today, last)
    ours = {day: (hours.open_of(day), hours.close_of(day)) for day in hours.sessions_between(today, last).tolist()}
    closed = settings.hours.closed_dates
    apart = sorted(day for day in {*ours, *theirs} if ours.get(day) != theirs.get(day) and day not in closed)
    if not apart:
        return Finding("sessions", Verdict.PASS, f"the broker has the same {counted(len(theirs), 'session')} to {last}")
    said = "the broker has other hours on " + ", ".join(map(str, apart))
    return Finding("sessions", Verdict.WARN, said, "update exchange_calendars, or add a day off to hours.closed_dates")


def _notices(settings: TradingBotSettings) -> Finding:
    assembly.notification_manager(settings, assembly.secrets_of(settings))
    channels = len(settings.notification.urls)
    if not channels:
        fix = "set notification.urls, so that somebody hears of it when trading stops"
        return Finding("notices", Verdict.WARN, "nobody is told anything", fix)
    return Finding(
        "notices", Verdict.PASS, f"{counted(channels, 'channel')} from level {settings.notification.min_level} on"
    )


__all__ = ["Finding", "Verdict", "examine"]
