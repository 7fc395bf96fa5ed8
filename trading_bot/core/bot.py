"""The one place where settings become a bot: every adapter is chosen and put behind its port here."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from trading_bot.brokers.late import late_broker
from trading_bot.brokers.registry import BROKERS
from trading_bot.config.typed_settings import SourceOfNews, TradingBotSettings
from trading_bot.core.admission import no_live_account
from trading_bot.core.book import open_book
from trading_bot.core.clock import SystemClock
from trading_bot.core.hours import TradingHours
from trading_bot.core.judges import risk_manager, strategy_manager
from trading_bot.core.news import Newsdesk
from trading_bot.core.program import program
from trading_bot.core.rotation.team import candidates, present_team
from trading_bot.core.stopwatch import Stopwatch
from trading_bot.data.manager import DataManager
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.inputs import Conditions
from trading_bot.domain.news import NewsSource
from trading_bot.domain.offers import NeedsSetup, offers
from trading_bot.domain.ports import BrokerAdapter, BrokerSetup, Clock, Notifier, PriceSource
from trading_bot.domain.secrets import OF_THIS_PROCESS, Secrets
from trading_bot.domain.tournament import Team
from trading_bot.intelligence.manager import NewsManager
from trading_bot.intelligence.registry import NEWS_SOURCES
from trading_bot.notifications.manager import NotificationManager
from trading_bot.risk.manager import RiskManager
from trading_bot.state.manager import StateManager
from trading_bot.strategies.manager import StrategyManager

OF_NEWS = ("file", "companies", "alphavantage_api_key", "newsdata_api_key")  # settings that news sources take


@dataclass(frozen=True, slots=True, eq=False)
class Bot:
    """Everything a cycle needs, behind the ports."""

    settings: TradingBotSettings
    clock: Clock
    hours: TradingHours
    data: DataManager
    team: Team  # who decides now; `strategies` asks them
    strategies: StrategyManager
    risk: RiskManager
    broker: BrokerAdapter
    notifier: Notifier
    book: StateManager
    secrets: Secrets
    news: Newsdesk | None = None  # None: nobody reads the news
    stopwatch: Stopwatch = field(default_factory=Stopwatch)  # of the cycle that runs

    @property
    def conditions(self) -> Conditions:
        """What every decision is written down with."""
        return Conditions(self.settings.as_recorded(), self.team, program())


@dataclass(frozen=True, slots=True, eq=False)
class Clerk:
    """What it takes to write down how a run ended and to tell people: neither broker nor prices."""

    settings: TradingBotSettings
    clock: Clock
    notifier: Notifier
    book: StateManager
    secrets: Secrets


@contextmanager
def open_bot(settings: TradingBotSettings, *, clock: Clock | None = None) -> Generator[Bot]:
    """Give a bot that is ready to trade, and let go of its files and connections afterwards.

    Raises:
        SettingsError: a notification address is not valid, or the broker cannot do what is wanted.
        PluginError: a plug-in is unknown, cannot be imported, or has a wrong option.
        StateError: the book cannot be opened.

    The broker is connected when it is first asked, so what keeps it shut is raised there: a cycle that has to wait
    asks it nothing.
    """
    wall_clock, secrets = clock or SystemClock(), secrets_of(settings)
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    kind = BROKERS.get(settings.broker.name)  # that there is such a one is known at once
    require_stop_orders(settings, kind)
    with ExitStack() as stack:
        book = stack.enter_context(open_book(settings, clock=wall_clock))
        broker = late_broker(kind, lambda: open_broker(settings, hours))
        stack.callback(broker.close)
        team = present_team(settings, book)
        yield Bot(
            settings=settings,
            clock=wall_clock,
            hours=hours,
            data=data_manager(settings, hours),
            team=team,
            strategies=strategy_manager(settings, team),
            risk=risk_manager(settings),
            broker=broker,
            notifier=notification_manager(settings, secrets),
            book=book,
            secrets=secrets,
            news=newsdesk(settings, book),
        )


def with_present_team(bot: Bot) -> Bot:
    """Return the bot with the team that decides now: a rotation may have chosen another one. Raises PluginError."""
    team = present_team(bot.settings, bot.book)
    if team == bot.team:
        return bot
    return dataclasses.replace(bot, team=team, strategies=strategy_manager(bot.settings, team))


@contextmanager
def open_clerk(settings: TradingBotSettings, *, clock: Clock | None = None) -> Generator[Clerk]:
    """Open the book and the channels alone: what went wrong may be that the broker cannot be opened.

    Raises:
        SettingsError: a notification address is not valid.
        StateError: the book cannot be opened.
    """
    wall_clock, secrets = clock or SystemClock(), secrets_of(settings)
    with open_book(settings, clock=wall_clock) as book:
        yield Clerk(settings, wall_clock, notification_manager(settings, secrets), book, secrets)


def check_plugins(settings: TradingBotSettings) -> None:
    """Build what can be built without opening anything. Raises PluginError or SettingsError."""
    hours = TradingHours(settings.hours.windows, settings.hours.closed_dates)
    require_stop_orders(settings, BROKERS.get(settings.broker.name))
    strategy_manager(settings)
    candidates(settings)
    data_manager(settings, hours)
    news_manager(settings)
    risk_manager(settings)
    notification_manager(settings, secrets_of(settings))


def check_setup(settings: TradingBotSettings) -> None:
    """Look whether sources and broker have what they need to be asked. Raises SettingsError."""
    prices = data_manager(settings, TradingHours(settings.hours.windows, settings.hours.closed_dates)).source
    news = news_manager(settings)
    for source in (prices, *(news.sources.values() if news else ())):
        if offers(source, NeedsSetup):
            source.require_setup()
    _require_broker_settings(settings, BROKERS.get(settings.broker.name))


def _require_broker_settings(settings: TradingBotSettings, chosen: object) -> None:
    """Ask the kind of broker, if it has something to say: building one may connect, or make its books."""
    if getattr(chosen, "simulated", False) and not settings.broker.paper:
        raise no_live_account(settings.broker.name)
    require = getattr(chosen, "require_settings", None)
    if require is not None:
        require(_broker_section(settings))


def check_prices(settings: TradingBotSettings) -> None:
    """Look whether the prices are there. Raises SettingsError, or DataError when they are no prices."""
    data_manager(settings, TradingHours(settings.hours.windows, settings.hours.closed_dates)).check()


def secrets_of(settings: TradingBotSettings) -> Secrets:
    """Return everything that must never be shown, the secrets of these settings included.

    It is one object for the whole process: what a channel adds when it is opened, log and terminal mask too.
    """
    for value in settings.secret_values():
        OF_THIS_PROCESS.register(value)
    return OF_THIS_PROCESS


def open_broker(settings: TradingBotSettings, hours: TradingHours, *, folder: Path | None = None) -> BrokerAdapter:
    """Connect to the broker that the settings name. `folder` is where a simulated one keeps its books, if elsewhere.

    Raises:
        PluginError: it has a wrong option.
        BrokerError: it does not answer, or does not know us.
        StateError: it is a simulated one, and its own books cannot be opened.
    """
    folder = folder or settings.state.folder
    setup = BrokerSetup(settings=_broker_section(settings), folder=folder, calendar=hours)
    return BROKERS.get(settings.broker.name)(setup)


def _broker_section(settings: TradingBotSettings) -> Mapping[str, Any]:
    return {name: getattr(settings.broker, name) for name in type(settings.broker).model_fields}


def require_stop_orders(settings: TradingBotSettings, chosen: object) -> None:
    """Raise SettingsError where stop orders should rest at a broker, and this kind of broker holds none."""
    if settings.risk.protective_orders == "broker" and not getattr(chosen, "holds_stops", False):
        raise SettingsError(
            f"risk.protective_orders: broker needs a broker that holds stop orders, and {settings.broker.name} does "
            "not. Write risk.protective_orders: bot; exits are checked in each cycle then."
        )


def is_historical(settings: TradingBotSettings) -> bool:
    """Say whether "now" is the data's clock: each cycle trades its next day. Raises PluginError."""
    return cast("type[PriceSource]", PRICE_SOURCES.get(settings.data.source)).historical


def data_manager(settings: TradingBotSettings, hours: TradingHours) -> DataManager:
    """Choose the price source. Options named like settings under `data`, or like the broker's keys, take those."""
    source = PRICE_SOURCES.get(settings.data.source)
    own = {field.name for field in dataclasses.fields(source)}  # pyright: ignore[reportArgumentType]  # a dataclass
    offered = {name: getattr(settings.data, name) for name in ("folder", "symbols", "feed")}
    offered |= {name: getattr(settings.broker, name) for name in ("api_key", "secret_key", "data_url")}
    shared = {name: value for name, value in offered.items() if name in own}
    return DataManager(
        PRICE_SOURCES.build(settings.data.source, {**shared, **settings.data.options}),
        symbols=settings.data.symbols,
        min_coverage=settings.data.min_coverage,
        start=settings.data.start,
        calendar=hours,
    )


def news_manager(settings: TradingBotSettings) -> NewsManager | None:
    """Choose the news sources, None where nobody reads any."""
    chosen = settings.news
    built = {source.name: _news_source(settings, source) for source in chosen.named}
    reading = {name: source for name, source in built.items() if source.reads}
    return NewsManager(reading, timedelta(hours=chosen.max_age_hours), chosen.companies) if reading else None


def _news_source(settings: TradingBotSettings, chosen: SourceOfNews) -> NewsSource:
    """Build one. Options named like settings under `news`, or like the broker's keys, take those."""
    source = NEWS_SOURCES.get(chosen.name)
    own = {field.name for field in dataclasses.fields(source)}  # pyright: ignore[reportArgumentType]  # a dataclass
    offered = {name: getattr(settings.broker, name) for name in ("api_key", "secret_key", "data_url")}
    offered |= {name: getattr(settings.news, name) for name in OF_NEWS}
    shared = {name: value for name, value in offered.items() if name in own}
    return NEWS_SOURCES.build(chosen.name, {**shared, **chosen.options})


def newsdesk(settings: TradingBotSettings, book: StateManager) -> Newsdesk | None:
    """Put the news sources beside the book, None where nobody reads any."""
    manager = news_manager(settings)
    return None if manager is None else Newsdesk(manager, book.news)


def notification_manager(settings: TradingBotSettings, secrets: Secrets) -> NotificationManager:
    """Open the channels that the settings name."""
    urls = [url.get_secret_value() for url in settings.notification.urls]
    return NotificationManager(urls, min_level=settings.notification.min_level, secrets=secrets)
