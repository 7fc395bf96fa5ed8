"""News from NewsData.io: its latest news, https://newsdata.io/documentation.

Its pages api-authentication, advanced-search (phrases in quotes, joined by OR) and http-response-code are the source.

What shapes the questions: each page is a credit (200 a day on the free plan) and has 10 stories; a question may have
100 characters, and more is answered with HTTP 422 UnsupportedQueryLength. Stories come newest first, up to 48 hours
old, with `pubDate` in UTC and without tickers: they are asked for, and matched, by the names in `news.companies`. The
key goes in a header.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, ClassVar, cast

from annotated_types import Ge
from pydantic import AfterValidator, SecretStr

from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.news import Delivery, RawStory, StoryId
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import counted
from trading_bot.intelligence.registry import news_source
from trading_bot.intelligence.web import Document, Provider, text_of, web_address

LONGEST_QUESTION = 100  # characters
REFUSALS = ("Unauthorized", "APIKey", "ApiKey", "AccessDenied")  # parts of the codes of an error with HTTP 200
QUOTAS = ("RateLimit", "TooManyRequests", "Quota", "Credit")


@news_source("newsdata")
@dataclass(frozen=True, slots=True)
class NewsData:
    """What NewsData.io tells about the companies named in `news.companies`, or about `questions` of your own.

    A reading takes a credit for each question and page, so one question of 2 pages each quarter of an hour comes to 192
    a day.
    """

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = True

    newsdata_api_key: SecretStr | None = None
    companies: dict[str, str] = field(default_factory=dict[str, str])
    questions: tuple[str, ...] = ()  # in its own language, like '"Apple" AND iPhone'; empty: the companies' names
    language: str = "en"
    pages: Annotated[int, Ge(1)] = 2  # of one question in one reading
    every_minutes: Annotated[int, Ge(0)] = 15
    url: Annotated[str, AfterValidator(web_address)] = "https://newsdata.io"

    def require_setup(self) -> None:
        """Raise SettingsError where there is no key, or nothing to ask for."""
        self._questions(())
        self._provider().key_text()

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return them, the newest where there are more than `pages` have room for. They name no stocks.

        Raises:
            SourceUnavailable, DataError: as every source.
            SettingsError: there is no key, or nothing to ask for.
            CredentialsRefused: it does not know the key.
        """
        stories: dict[StoryId, RawStory] = {}
        refused: list[str] = []
        more = False
        for question in self._questions(symbols):
            for number, (items, follows) in enumerate(self._pages(question), start=1):
                read = list(_read(items, refused))
                stories.update((story.story_id, story) for story in read if since <= story.published <= until)
                if any(story.published < since for story in read) or not follows:
                    break
                if number == self.pages:
                    more = True
                    break
        cut = f"NewsData.io has more new stories than {counted(self.pages, 'page')}; the newest were read"
        return Delivery(tuple(stories.values()), tuple(dict.fromkeys(refused)), cut_short=cut if more else "")

    def _questions(self, symbols: Sequence[Symbol]) -> Sequence[str]:
        if self.questions:
            return self.questions
        names = [name for symbol, name in self.companies.items() if not symbols or symbol in symbols]
        if not names:
            raise SettingsError(
                "newsdata has nothing to ask for: none of the stocks has a name in news.companies. Write them there, "
                "like companies: {AAPL: Apple, AMD: Advanced Micro Devices}."
            )
        return _joined(names)

    def _pages(self, question: str) -> Iterator[tuple[Sequence[object], bool]]:
        """Yield the items of each page, and whether another page follows."""
        provider = self._provider()
        query, token = {"q": question, "language": self.language}, None
        headers = {"X-ACCESS-KEY": provider.key_text()}
        while True:
            asked = query if token is None else {**query, "page": token}
            page = provider.document(f"{self.url}/api/1/latest", asked, headers)
            items, following = _items(provider, page), page.get("nextPage")
            follows = isinstance(following, str) and bool(following) and following != token
            yield items, follows
            token = str(following)

    def _provider(self) -> Provider:
        return Provider(
            "NewsData.io",
            self.newsdata_api_key,
            "BENSBOT_NEWS__NEWSDATA_API_KEY",
            "The free plan has 200 credits a day, and 30 in a quarter of an hour: wait, raise every_minutes, or ask "
            "for fewer companies.",
        )


def _joined(names: Sequence[str]) -> tuple[str, ...]:
    """Return as few questions as have room for all names; a name of several words is one phrase."""
    found: list[str] = []
    for name in sorted(names):
        phrase = f'"{name}"' if " " in name else name
        if found and len(longer := f"{found[-1]} OR {phrase}") <= LONGEST_QUESTION:
            found[-1] = longer
        else:
            found.append(phrase)
    return tuple(found)


def _items(provider: Provider, page: Document) -> Sequence[object]:
    found = page.get("results")
    if isinstance(found, list) and page.get("status") != "error":
        return cast("list[object]", found)
    fields: Document = cast("Document", found) if isinstance(found, Mapping) else {}
    code = str(fields.get("code") or "")
    said = provider.quoted(": ".join(str(part) for part in (code, fields.get("message") or "") if part) or str(page))
    if any(part in code for part in QUOTAS):
        raise provider.exhausted(said)
    if any(part in code for part in REFUSALS):
        raise provider.refusal(said)
    raise DataError(f"NewsData.io gives no news: {said}")


def _read(items: Sequence[object], refused: list[str]) -> Iterator[RawStory]:
    for number, item in enumerate(items, start=1):
        try:
            yield _story(item)
        except ValueError as error:
            refused.append(f"NewsData.io's story {_name(item) or number}: {error}")


def _name(item: object) -> str:
    name = cast("Document", item).get("article_id") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""


def _story(item: object) -> RawStory:
    """Return the story. Raises ValueError that says why the item is none."""
    if not isinstance(item, dict):
        raise ValueError(f"it is no object but {type(item).__name__}")
    fields = cast("Document", item)
    name = _name(fields)
    if not name:
        raise ValueError("article_id is missing")
    title, published = text_of(fields, "title"), text_of(fields, "pubDate")
    if not title.strip():
        raise ValueError("title is missing")
    if text_of(fields, "pubDateTZ") not in ("", "UTC"):
        raise ValueError(f"pubDateTZ is {text_of(fields, 'pubDateTZ')[:40]!r}, wanted UTC")
    try:
        at = datetime.strptime(published, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"pubDate is {published[:40]!r}, wanted one like 2024-01-08 13:30:00") from None
    return RawStory(
        story_id=StoryId(f"newsdata:{name}"),
        source=text_of(fields, "source_name") or text_of(fields, "source_id") or "NewsData.io",
        published=at,
        headline=title,
        summary=text_of(fields, "description"),
        url=text_of(fields, "link"),
    )
