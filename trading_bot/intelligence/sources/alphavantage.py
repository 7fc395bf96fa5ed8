"""News from Alpha Vantage: NEWS_SENTIMENT of https://www.alphavantage.co/documentation/#news-sentiment .

What shapes the questions: `tickers=A,B` means stories that mention all of them at once, so no tickers are asked for,
and the stories' own tags say what they are about. Times are UTC, like 20240108T133000. Errors come with HTTP 200, and
the one about used-up requests repeats the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, cast

from annotated_types import Ge
from pydantic import AfterValidator, SecretStr

from trading_bot.domain.errors import DataError
from trading_bot.domain.news import Delivery, RawStory, StoryId
from trading_bot.domain.symbols import Symbol
from trading_bot.intelligence.registry import news_source
from trading_bot.intelligence.web import Document, Provider, text_of, web_address

MOST_STORIES = 1000  # that it gives at once
TIME, MINUTE = "%Y%m%dT%H%M%S", "%Y%m%dT%H%M"
NOTHING_FOUND = "no articles found"  # how it words an empty answer
OF_THE_KEY = ("apikey is invalid", "api key is invalid", "demo** api key")
OF_THE_QUOTA = ("rate limit", "requests per", "call frequency", "calls per")


@news_source("alphavantage")
@dataclass(frozen=True, slots=True)
class AlphaVantage:
    """What Alpha Vantage tells about the whole market, or about `topics` of it like `earnings`.

    The free plan has 25 requests a day, and one reading is one request: at an hour's interval they last for any hours.
    """

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = True

    alphavantage_api_key: SecretStr | None = None
    topics: str = ""
    every_minutes: Annotated[int, Ge(0)] = 60
    url: Annotated[str, AfterValidator(web_address)] = "https://www.alphavantage.co"

    def require_setup(self) -> None:
        """Raise SettingsError where there is no key."""
        self._provider().key_text()

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return them, about whatever stock; the newest where there are very many.

        Raises:
            SourceUnavailable, DataError: as every source.
            SettingsError: there is no key.
            CredentialsRefused: it does not know the key.
        """
        del symbols
        provider = self._provider()
        query = {
            "function": "NEWS_SENTIMENT",
            "time_from": since.astimezone(UTC).strftime(MINUTE),
            "time_to": (until.astimezone(UTC) + timedelta(minutes=1)).strftime(MINUTE),
            "sort": "LATEST",
            "limit": str(MOST_STORIES),
            "apikey": provider.key_text(),
        }
        wanted = query | ({"topics": self.topics} if self.topics else {})
        feed = _feed(provider, provider.document(f"{self.url}/query", wanted, {}))
        stories: dict[StoryId, RawStory] = {}
        refused: list[str] = []
        for number, item in enumerate(feed, start=1):
            try:
                story = _story(item)
            except ValueError as error:
                refused.append(f"Alpha Vantage's story {number}: {error}")
            else:
                if since <= story.published <= until:
                    stories.setdefault(story.story_id, story)
        cut = f"Alpha Vantage has {MOST_STORIES:,} new stories or more; the newest were read"
        return Delivery(tuple(stories.values()), tuple(refused), cut_short=cut if len(feed) >= MOST_STORIES else "")

    def _provider(self) -> Provider:
        return Provider(
            "Alpha Vantage",
            self.alphavantage_api_key,
            "BENSBOT_NEWS__ALPHAVANTAGE_API_KEY",
            "The free plan has 25 requests a day: wait until tomorrow, raise every_minutes, or take a larger plan.",
        )


def _feed(provider: Provider, document: Document) -> Sequence[object]:
    """Return the items. Raises what an answer without any means: its words say it, not its status."""
    found = document.get("feed")
    if isinstance(found, list):
        return cast("list[object]", found)
    said = next((text for key in ("Error Message", "Information", "Note") if (text := document.get(key))), None)
    if said is None:
        raise DataError(f"Alpha Vantage answered with no feed but with {provider.quoted(', '.join(document))!r}")
    words, lowered = provider.quoted(str(said)), str(said).lower()
    if NOTHING_FOUND in lowered:
        return ()
    if any(each in lowered for each in OF_THE_KEY):
        raise provider.refusal(words)
    if "Note" in document or any(each in lowered for each in OF_THE_QUOTA):
        raise provider.exhausted(words)
    raise DataError(f"Alpha Vantage gives no news: {words}")


def _story(item: object) -> RawStory:
    """Return the story. Raises ValueError that says why the item is none."""
    if not isinstance(item, dict):
        raise ValueError(f"it is no object but {type(item).__name__}")
    fields = cast("Document", item)
    title, url, published = (text_of(fields, name) for name in ("title", "url", "time_published"))
    if not title.strip():
        raise ValueError("title is missing")
    name = hashlib.sha256((url or f"{published} {title}").encode("utf-8", "replace")).hexdigest()[:16]
    return RawStory(
        story_id=StoryId(f"alphavantage:{name}"),
        source=text_of(fields, "source") or "Alpha Vantage",
        published=_instant(published),
        headline=title,
        summary=text_of(fields, "summary"),
        url=url,
        symbols=_tickers(fields.get("ticker_sentiment")),
    )


def _instant(text: str) -> datetime:
    for form in (TIME, MINUTE):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"time_published is {text[:40]!r}, wanted one like 20240108T133000")


def _tickers(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    tags = cast("list[object]", value) if isinstance(value, list) else [None]
    names = [cast("Document", tag).get("ticker") if isinstance(tag, dict) else None for tag in tags]
    if not all(isinstance(name, str) for name in names):
        raise ValueError("ticker_sentiment is no list of tickers")
    return tuple(cast("list[str]", names))
