"""Stories from Alpaca's news, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from trading_bot.alpaca.wire import Refused, Wire
from trading_bot.domain.errors import BrokerUnavailable, DataError, NotSent, SourceUnavailable
from trading_bot.domain.news import Delivery, RawStory, StoryId
from trading_bot.domain.symbols import Symbol

STORIES_A_PAGE = 50  # the most that Alpaca gives
MOST_PAGES = 20  # of the same stocks in one reading; each takes a place in the limit of requests
MOST_STORIES = MOST_PAGES * STORIES_A_PAGE
SYMBOLS_A_REQUEST = 200
FIELDS = ("headline", "summary", "source", "url")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlpacaNews:
    """Asks Alpaca's news."""

    wire: Wire

    def published(self, first: datetime, last: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return what was created from `first` to `last` and not changed since; without symbols, about anything.

        What was changed later is left out: nobody knew that text at `last`.

        Raises:
            SourceUnavailable: no clear answer; may be asked again.
            DataError: an answer that is no news.
            CredentialsRefused: Alpaca does not know the keys.
        """
        stories: dict[StoryId, RawStory] = {}
        refused: list[str] = []
        cut_short = ""
        for begin in range(0, max(len(symbols), 1), SYMBOLS_A_REQUEST):
            some = symbols[begin : begin + SYMBOLS_A_REQUEST]
            for number, page in enumerate(self._pages(first, last, some)):
                if number == MOST_PAGES:
                    cut_short = f"Alpaca has more than {MOST_STORIES:,} new stories; the newest were read"
                    break
                for document in _listed(page):
                    story, changed, why = _story(document)
                    if story is None:
                        refused.append(why)
                    elif first <= story.published <= last and changed <= last:
                        stories[story.story_id] = story
        return Delivery(tuple(stories.values()), tuple(dict.fromkeys(refused)), cut_short=cut_short)

    def _pages(self, first: datetime, last: datetime, symbols: Sequence[Symbol]) -> Iterator[Document]:
        query = {"start": _stamp(first), "end": _stamp(last), "sort": "desc", "limit": STORIES_A_PAGE}
        asked = {**query, "symbols": ",".join(symbols)} if symbols else query
        token: object = None
        while True:
            page = self._get(asked if token is None else {**asked, "page_token": token})
            yield page
            if (following := page.get("next_page_token")) is None or following == token:
                return
            token = following

    def _get(self, query: Mapping[str, Any]) -> Document:
        try:
            return _fields(self.wire.get("/news", query, version="v1beta1"), "a page")
        except (BrokerUnavailable, NotSent) as error:
            raise SourceUnavailable(str(error)) from error
        except Refused as no:
            raise DataError(f"Alpaca gives no news, HTTP {no.status}: {no.message}") from no


def _listed(page: Document) -> Sequence[object]:
    found = page.get("news")
    if not isinstance(found, list):
        raise DataError(f"Alpaca's answer is not news but {type(found).__name__}")
    return cast("list[object]", found)


def _story(document: object) -> tuple[RawStory | None, datetime, str]:
    """Return a story and when it was last changed, or why it is none."""
    never = datetime.min.replace(tzinfo=UTC)
    fields: Document = cast("Document", document) if isinstance(document, dict) else {}
    name = fields.get("id")
    if not isinstance(name, int):
        return None, never, "a story of Alpaca without an id"
    try:
        created, changed = (datetime.fromisoformat(fields[key]).astimezone(UTC) for key in ("created_at", "updated_at"))
        headline, summary, source, url = (_text(fields, key) for key in FIELDS)
        tags = [tag for tag in cast("Sequence[object]", fields.get("symbols") or ()) if isinstance(tag, str)]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return None, never, f"Alpaca's story {name}: {type(error).__name__}: {error}"
    story = RawStory(StoryId(f"alpaca:{name}"), source or "alpaca", created, headline, summary, url, tuple(tags))
    return story, changed, ""


def _text(fields: Document, name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is {type(value).__name__}")
    return value or ""


def _fields(value: object, what: str) -> Document:
    if not isinstance(value, dict):
        raise DataError(f"Alpaca's answer is not {what} but {type(value).__name__}")
    return cast("Document", value)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
