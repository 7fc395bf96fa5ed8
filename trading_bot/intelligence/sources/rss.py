"""Stories from RSS and Atom feeds: companies, papers, and what social pages like Reddit offer as a feed.

Feeds are downloaded here and parsed by feedparser (https://feedparser.readthedocs.io), which gets bytes alone: it opens
no address and no file. Instants are read as it reads them: in UTC, and as UTC where a feed names no zone.
"""

from __future__ import annotations

import calendar
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, cast
from urllib.parse import urlsplit

from annotated_types import Ge
from pydantic import AfterValidator, BeforeValidator, ConfigDict, SecretStr

from trading_bot.domain.errors import DataError, SettingsError, SourceUnavailable
from trading_bot.domain.news import Delivery, RawStory, StoryId
from trading_bot.domain.symbols import Symbol
from trading_bot.intelligence.cleaning import plain
from trading_bot.intelligence.registry import news_source
from trading_bot.intelligence.web import LONGEST_QUOTE, Provider, web_address

LARGEST_FEED = 2_000_000  # bytes; the worst of them takes feedparser 10 s
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError)  # what feedparser raises at noise
HEAD = {
    "User-Agent": "bensbot (a reader of feeds)",  # Reddit and others turn nameless programs away
    "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1",
}
HARMLESS = ("CharacterEncodingOverride", "NonXMLContentType")  # a wrong label, and every story could be read

Entry = Mapping[str, Any]


def _secret_address(value: SecretStr) -> SecretStr:
    return SecretStr(web_address(value.get_secret_value()))


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed. A bare address means no symbols."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    url: Annotated[SecretStr, AfterValidator(_secret_address)]  # some have a token behind the question mark
    symbols: tuple[str, ...] = ()  # every story is about these; empty: cashtags and companies' names say it

    @property
    def name(self) -> str:
        """Host and path, for people; what may be secret is left out."""
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.hostname}{parts.path}"


def _from_an_address(value: object) -> object:
    return {"url": value} if isinstance(value, str | SecretStr) else value


@news_source("rss")
@dataclass(frozen=True, slots=True)
class Rss:
    """What the `feeds` tell. One that fails costs no other."""

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = False  # a feed that was away may tell late what another one told long ago

    feeds: tuple[Annotated[Feed, BeforeValidator(_from_an_address)], ...] = ()
    every_minutes: Annotated[int, Ge(0)] = 10

    def require_setup(self) -> None:
        """Raise SettingsError where no feed is named."""
        if not self.feeds:
            raise SettingsError(
                "rss has no feeds. Write them there, like options: {feeds: [https://news.example/rss]}."
            )

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return what stands in the feeds, about whatever stock, and what of them could not be read.

        Raises:
            SettingsError: no feed is named.
            SourceUnavailable: none of the feeds answers.
            DataError: none can be read, and one of them answers.
        """
        del symbols
        self.require_setup()
        everything: dict[StoryId, RawStory] = {}
        refused: list[str] = []
        failed: list[SourceUnavailable | DataError] = []
        for feed in self.feeds:
            try:
                body = _downloaded(feed)
                read = list(_stories(feed, body, refused))
            except (SourceUnavailable, DataError) as error:
                failed.append(error)
            else:
                everything.update((story.story_id, story) for story in read)
        if len(failed) == len(self.feeds):
            raise next((error for error in failed if isinstance(error, DataError)), failed[0])
        stories = tuple(story for story in everything.values() if since <= story.published <= until)
        later = sum(story.published > until for story in everything.values())
        return Delivery(stories, (*map(str, failed), *refused), later=later)


def _downloaded(feed: Feed) -> bytes:
    address = feed.url.get_secret_value()
    query = urlsplit(address).query
    provider = Provider(feed.name, SecretStr(query) if query else None, largest=LARGEST_FEED)
    answer = provider.get(address, {}, HEAD, follow=True)
    if answer.status == 429 or answer.status >= 500:
        raise SourceUnavailable(f"{feed.name} does not answer now, HTTP {answer.status}")
    if answer.status != 200:
        raise DataError(f"{feed.name} gives no feed, HTTP {answer.status}")
    return answer.body


def _stories(feed: Feed, body: bytes, refused: list[str]) -> Iterator[RawStory]:
    """Yield the stories of a feed; what cannot be read of it is named. Raises DataError: it is no feed."""
    if b"<!ENTITY" in body.replace(b"\0", b"").upper():  # in UTF-16 there is a zero between
        raise DataError(f"{feed.name} defines entities of its own, which a feed has no need to")
    found = _parsed(feed, body)
    entries, trouble = cast("Sequence[Entry]", found["entries"]), found.get("bozo_exception")
    if not entries and not found.get("version"):
        raise DataError(f"{feed.name} is no feed; it says {plain(body.decode('utf-8', 'replace'), LONGEST_QUOTE)!r}")
    for number, entry in enumerate(entries, start=1):
        try:
            yield _story(feed, entry)
        except ValueError as error:
            refused.append(f"{feed.name}, story {number}: {error}")
    if trouble is not None and type(trouble).__name__ not in HARMLESS:
        refused.append(f"{feed.name} is not well-formed, so there may be more in it: {trouble}")


def _parsed(feed: Feed, body: bytes) -> Mapping[str, Any]:
    import feedparser  # pyright: ignore[reportMissingTypeStubs]

    parse = cast("Callable[..., Mapping[str, Any]]", feedparser.parse)  # pyright: ignore[reportUnknownMemberType]
    try:
        # Text is cleaned where the text of every source is; a stream, as it would take bare bytes for a place.
        return parse(io.BytesIO(body), resolve_relative_uris=False, sanitize_html=False)
    except UNREADABLE as error:
        raise DataError(f"{feed.name} cannot be parsed: {plain(str(error), LONGEST_QUOTE)}") from error


def _story(feed: Feed, entry: Entry) -> RawStory:
    """Return the story. Raises ValueError that says why the entry is none."""
    title, link = _text(entry, "title"), _text(entry, "link")
    if not title.strip():
        raise ValueError("it has no title")
    published = _instant(entry)
    own = _text(entry, "id") or link or f"{published} {title}"
    name = hashlib.sha256(f"{feed.name} {own}".encode("utf-8", "replace")).hexdigest()[:16]
    return RawStory(
        story_id=StoryId(f"rss:{name}"),
        source=feed.name,
        published=published,
        headline=title,
        summary=_text(entry, "summary"),
        url=link,
        symbols=feed.symbols,
    )


def _text(entry: Entry, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _instant(entry: Entry) -> datetime:
    # Asked for as a plain dict: feedparser's own warns where one date stands in for the other.
    plainly = dict(entry)
    parsed = plainly.get("published_parsed") or plainly.get("updated_parsed")
    if parsed is None:
        said = str(plainly.get("published") or plainly.get("updated") or "")
        raise ValueError(f"its date is {said[:40]!r}" if said else "it has no date")
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("its date is no instant") from error
