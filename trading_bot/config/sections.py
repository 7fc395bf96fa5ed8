"""Every setting with its default, unit and range, section by section.

The descriptions here are the comments of `config.example.yaml` and of the schema that editors read;
`scripts/write_config_reference.py` writes both.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from trading_bot.config.section import Section
from trading_bot.config.values import (
    LISTED,
    BookAddress,
    Companies,
    Count,
    Day,
    Number,
    Options,
    Score,
    SecretUrls,
    Share,
    Statistic,
    Symbols,
    TimeOfDay,
    UserPath,
    advice,
    any_case,
)

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], any_case("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
]
NoticeLevel = Annotated[
    Literal["info", "warning", "error", "critical"], any_case("info", "warning", "error", "critical")
]


class OrchestratorSettings(Section):
    """When the bot works, and what it does when something fails."""

    loop_interval_seconds: Count = Field(default=60, ge=1, description="Seconds from one cycle to the next.")
    market_hours_only: bool = Field(default=True, description="Trade inside the windows of `hours` only.")
    enable_strategy_rotation: bool = Field(
        default=True,
        description="Choose the team of strategies anew after the close, as `rotation` says. Without it the team is "
        "strategy.team.",
    )
    rotation_time: TimeOfDay = Field(
        default="16:30",
        description="New York time of the rotation, in quotes: YAML reads a bare 16:30 as 990.",
    )
    enable_emergency_shutdown: bool = Field(
        default=True, description="Halt trading for good after too many failed cycles in a row."
    )
    max_consecutive_errors: Count = Field(
        default=5, ge=1, description="Failed cycles in a row after which the emergency shutdown comes."
    )
    recovery_backoff_seconds: Count = Field(
        default=60, ge=0, description="Seconds to wait after the first failed cycle; longer after each further one."
    )
    logging_level: LogLevel = Field(default="INFO", description="The least important log lines to write.")


class DataSettings(Section):
    """Where prices come from."""

    source: str = Field(
        default="sample",
        min_length=1,
        description="The price source plug-in: `sample` is packaged, `files` and `store` read a folder, `alpaca` asks "
        "Alpaca.",
    )
    folder: UserPath | None = Field(default=None, description="Folder of price files, or of the history store.")
    symbols: Symbols = Field(default=(), description="Tickers to look at; an empty list is everything the source has.")
    feed: Literal["sip", "iex"] | None = Field(
        default=None,
        description="Which of Alpaca's feeds: `sip` is all exchanges, `iex` is one; none is the best your plan has.",
    )
    start: Day = Field(
        default=date(2022, 1, 3),
        description="First session that a historical source trades; all earlier ones are history.",
    )
    min_coverage: Score = Field(
        default=0.5, description="Share of symbols with usable prices below which nothing is bought."
    )
    options: Options = Field(
        default_factory=dict[str, Any], description="Options of a price source from another package."
    )


class TeamMember(Section):
    """One strategy of the team. A bare name means weight 1 and no options."""

    name: str = Field(min_length=1, description="The strategy plug-in.")
    weight: Statistic = Field(default=1.0, gt=0, description="Its part in the combined score, relative to the others.")
    options: Options = Field(default_factory=dict[str, Any], description="Options of the strategy.")

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


def _some_and_no_twins(team: tuple[TeamMember, ...]) -> tuple[TeamMember, ...]:
    if not team:
        raise advice("it must name at least one strategy; without an opinion everything held would be sold")
    for place, member in enumerate(team):
        if any(member.name == other.name and member.options == other.options for other in team[:place]):
            raise advice(f"{member.name} is in the team twice with the same options; give it once, with more weight")
    return team


Team = Annotated[tuple[TeamMember, ...], LISTED, AfterValidator(_some_and_no_twins)]
FIRST_TEAM = (TeamMember(name="sma_cross"), TeamMember(name="rsi_reversion"), TeamMember(name="momentum"))


class StrategySettings(Section):
    """Who has an opinion, and how opinions become wanted positions."""

    team: Team = Field(
        default=FIRST_TEAM,
        description="The strategies, until a rotation chooses others; the same one twice needs different options.",
    )
    position_weight: Share = Field(
        default=Decimal("0.05"), description="The part of equity that a fully wanted stock gets, a fraction."
    )
    max_gross_exposure: Share = Field(
        default=Decimal(1), description="The most of equity invested; the sum of wanted weights is scaled down to it."
    )
    max_candidates: Count = Field(
        default=20, ge=1, description="Only this many stocks, the best-scored, may be wanted."
    )
    min_score: Score = Field(default=0.3, description="Combined score below which a stock is not wanted.")
    rebalance_threshold: Number = Field(
        default=Decimal("0.02"),
        ge=0,
        le=1,
        description="A held position is changed when it is off its wanted weight by more than this part of equity.",
    )


class BacktestSettings(Section):
    """How `bensbot backtest` trades the past. Costs and cash are those of `broker`."""

    engine: Literal["replay", "vectorised"] = Field(
        default="replay",
        description="`replay` takes the steps, rules and broker of the live bot; `vectorised` keeps a plain ledger "
        "without risk rules, and follows the settings below.",
    )
    fill: Literal["next-open", "next-close", "same-close"] = Field(
        default="next-open", description="When an order that the close decided is filled."
    )
    sizing: Literal["weighted", "all-in"] = Field(
        default="weighted",
        description="`weighted` as `strategy` says; `all-in` gives each symbol an equal part of equity, all of it to a "
        "single one, and acts when the opinion changes.",
    )
    size_at_fill: bool = Field(
        default=False, description="Count the shares with the price they fill at, not with the deciding close."
    )
    short: bool = Field(default=False, description="Sell short where an opinion is negative.")
    cash_buffer: Number = Field(
        default=Decimal(0), ge=0, lt=1, description="The part of equity that is never invested, a fraction."
    )
    commission_pct: Number = Field(
        default=Decimal(0),
        ge=0,
        lt=1,
        description="Commission as a fraction of the order's value, on top of that of `broker`.",
    )
    last_bar: Literal["keep", "close-at-open", "close-at-close"] = Field(
        default="keep", description="What becomes of open positions on the last bar; kept ones are valued at its close."
    )


class IntelligenceSettings(Section):
    """What is known of the market beyond prices and news. It takes no keys in this version."""


class SourceOfNews(Section):
    """One of the places where news comes from. A bare name means no options."""

    name: str = Field(min_length=1, description="The news source plug-in.")
    options: Options = Field(default_factory=dict[str, Any], description="Options of the news source.")

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


def _no_twin_sources(sources: tuple[SourceOfNews, ...]) -> tuple[SourceOfNews, ...]:
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise advice(f"{name} is listed twice; list it once")
        if name == "none":
            raise advice("none reads nothing; take it out, or leave sources empty")
    return sources


class NewsSettings(Section):
    """Where news comes from. What it says moves no order but through rules and strategies that read it."""

    source: str = Field(
        default="none",
        min_length=1,
        description="The news source plug-in, where there is one: `none` reads nothing, `file` your own stories, "
        "`alpaca` asks Alpaca. docs/news.md has them all.",
    )
    sources: Annotated[tuple[SourceOfNews, ...], LISTED, AfterValidator(_no_twin_sources)] = Field(
        default=(),
        description="Several at once, instead of `source`: names, or name and options like {name: x, options: {y: 1}}.",
    )
    file: UserPath | None = Field(
        default=None, description="JSON Lines file with a story a line, for `file`; docs/news.md has the fields."
    )
    companies: Companies = Field(
        default_factory=dict[str, str],
        description="Names by ticker, like {AAPL: Apple}: a story without tickers that has the name is about it.",
    )
    alphavantage_api_key: SecretStr | None = Field(
        default=None,
        description="Alpha Vantage's key, for `alphavantage`. BENSBOT_NEWS__ALPHAVANTAGE_API_KEY is the place for it.",
    )
    newsdata_api_key: SecretStr | None = Field(
        default=None,
        description="NewsData.io's key, for `newsdata`. BENSBOT_NEWS__NEWSDATA_API_KEY is the place for it.",
    )
    max_age_hours: Count = Field(
        default=96, ge=1, le=720, description="Hours after which a story is too old to be looked at."
    )
    options: Options = Field(default_factory=dict[str, Any], description="Options of `source`.")

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.sources and self.source != "none":
            raise advice("source and sources are both given; name every one under sources, and take source out")
        if self.sources and self.options:
            raise advice("options belong to source; under sources write them beside the name, {name: …, options: …}")
        if self.file is None and any(one.name == "file" and "file" not in one.options for one in self.named):
            raise advice("source: file needs file, the JSON Lines file with your stories")
        return self

    @property
    def named(self) -> tuple[SourceOfNews, ...]:
        """Every source that was chosen, however it was written; `none` alone where nobody reads the news."""
        return self.sources or (SourceOfNews(name=self.source, options=self.options),)

    @property
    def are_read(self) -> bool:
        """Whether anything is read at all."""
        return self.named[0].name != "none"

    @property
    def names(self) -> str:
        """The names of the sources, for people."""
        return ", ".join(source.name for source in self.named)


class NotificationSettings(Section):
    """Whom to tell, and what."""

    urls: SecretUrls = Field(
        default=(),
        description="Apprise URLs of the channels. They hold tokens: BENSBOT_NOTIFICATION__URLS is the place for them.",
    )
    min_level: NoticeLevel = Field(default="info", description="The least important notices to send.")


class StateSettings(Section):
    """Where the books are kept."""

    folder: UserPath = Field(
        default=Path(".bensbot"), description="Folder of the bot's files, from the current directory."
    )
    url: BookAddress | None = Field(
        default=None,
        description="SQLAlchemy URL of the book; none is bensbot.db in the folder. "
        "A URL with a password belongs into BENSBOT_STATE__URL.",
    )
    busy_timeout_seconds: Statistic = Field(default=5.0, gt=0, description="Seconds to wait for a locked database.")
    lease_seconds: Count = Field(
        default=300, ge=10, description="Seconds after which the right to trade of a dead process ends."
    )
    keep_days: Count = Field(
        default=400,
        ge=0,
        description="Days for which the book keeps decisions without an order, before they go to Parquet files in "
        "the folder; 0 is for ever.",
    )
