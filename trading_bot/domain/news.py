"""News: what a source delivers, and what becomes of it once it is cleaned, scored and classed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, NewType, Protocol, runtime_checkable

from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol

StoryId = NewType("StoryId", str)


class Impact(StrEnum):
    """How much a story is likely to move its stocks. `intelligence.sentiment` has the rule."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def weight(self) -> int:
        """How often the story counts in the mean of its session: 3, 2 or 1 times."""
        return {"high": 3, "medium": 2, "low": 1}[self.value]


@dataclass(frozen=True, slots=True)
class RawStory:
    """One story as a source delivers it, not yet trusted. The same story always has the same id."""

    story_id: StoryId  # begins with the name of its news source and a colon
    source: str  # who published it
    published: datetime  # aware, UTC
    headline: str
    summary: str = ""
    url: str = ""
    symbols: tuple[str, ...] = ()  # the source's own tags; empty: it names none


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One story, cleaned, scored and classed. Its text is data: nothing in it is ever carried out."""

    story_id: StoryId
    source: str
    published: datetime  # aware, UTC
    headline: str
    summary: str
    url: str
    symbols: tuple[Symbol, ...]  # of the stocks that are looked at; at least one, sorted
    score: float  # in [-1, 1]
    impact: Impact

    def __post_init__(self) -> None:
        """Refuse what no story can be. Raises ValueError."""
        if self.published.tzinfo is None:
            raise ValueError(f"{self.story_id} was published at {self.published}, wanted an aware instant")
        if not -1 <= self.score <= 1:  # also for NaN
            raise ValueError(f"{self.story_id} has the score {self.score}, wanted one in [-1, 1]")


@dataclass(frozen=True, slots=True)
class ReadStory:
    """A story of the book, and the decision that was the first to know it."""

    story: NewsItem
    session: date
    read_at: datetime  # aware, UTC: the instant of the decision


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a source answered, and what it could not read or left out."""

    stories: tuple[RawStory, ...] = ()  # in any order
    refused: tuple[str, ...] = ()  # one each: where it stands, and why it is no story
    later: int = 0  # stories published after the instant that was asked for
    cut_short: str = ""  # in words, why there is more than was delivered; "": this is everything


class NewsSource(Protocol):
    """Stories from somewhere. Registered with `@news_source("name")`; a frozen dataclass of options."""

    reads: ClassVar[bool]  # False: nobody reads the news, and nothing is claimed about them
    in_order: ClassVar[bool]  # True: stories come as they are published, so old ones need not be asked for again

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return what was published from `since` to `until`, both included, about these stocks or about none named.

        Asking twice gives the same.

        Raises:
            SourceUnavailable: the source did not answer; may be asked again.
            DataError: it answered with something that is no news.
            SettingsError: it lacks an option.
            CredentialsRefused: it does not know us.
        """
        ...


@runtime_checkable
class Rationed(Protocol):
    """A news source whose provider counts requests: it is asked by the first cycle of each `every_minutes`."""

    @property
    def every_minutes(self) -> int:
        """How long one request has to do, counted from midnight UTC where it divides a day; 0: every cycle asks."""
        ...


def moods(stories: Iterable[NewsItem]) -> Mapping[Symbol, float]:
    """Return the sentiment of each stock."""
    about: defaultdict[Symbol, list[NewsItem]] = defaultdict(list)
    for story in stories:
        for symbol in story.symbols:
            about[symbol].append(story)
    return {symbol: mood for symbol in sorted(about) if (mood := mood_of(about[symbol])) is not None}


def mood_of(stories: Iterable[NewsItem]) -> float | None:
    """Return sum of impact weight x score over sum of impact weights, in [-1, 1]; None without stories."""
    weights, total = 0, 0.0
    for story in sorted(stories, key=lambda story: (story.published, story.story_id)):  # so that no bit differs
        weights += story.impact.weight
        total += story.impact.weight * story.score
    return max(-1.0, min(1.0, total / weights)) if weights else None
