"""News of the sandbox as the JSON of Alpaca's market data document. There is none but what somebody puts in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trading_bot.sandbox.documents import stamp
from trading_bot.sandbox.market import SandboxMarket, SandboxStory
from trading_bot.sandbox.refusals import Refusal

Document = dict[str, Any]

LARGEST_PAGE, USUAL_PAGE = 50, 10
NOTHING = "-"  # the document wants text where there may be none


def add_story(market: SandboxMarket, fields: Mapping[str, Any]) -> Document:
    """Publish a story: `headline`, and where wanted `summary`, `symbols`, `created_at` and `updated_at`; else now."""
    created = _instant(fields["created_at"]) if "created_at" in fields else market.now()
    updated = _instant(fields["updated_at"]) if "updated_at" in fields else created
    tags = tuple(str(tag) for tag in fields.get("symbols", ()))
    number = len(market.stories) + 1
    story = SandboxStory(number, created, updated, str(fields["headline"]), str(fields.get("summary", "")), tags)
    market.stories.append(story)
    return _document(story)


def news_document(market: SandboxMarket, query: Mapping[str, str]) -> Document:
    """Return one page of stories that were changed in the time asked for, the newest first. Raises Refusal."""
    size = int(query.get("limit") or USUAL_PAGE)
    if not 1 <= size <= LARGEST_PAGE:
        raise Refusal(400, 40010001, f"limit must be between 1 and {LARGEST_PAGE}, not {size}")
    first = _instant(query["start"]) if query.get("start") else datetime.min.replace(tzinfo=UTC)
    last = min(_instant(query["end"]), market.now()) if query.get("end") else market.now()
    wanted = {symbol for symbol in query.get("symbols", "").split(",") if symbol}
    found = [
        story
        for story in market.stories
        if first <= story.updated <= last and (not wanted or wanted.intersection(story.symbols))
    ]
    found.sort(key=lambda story: (story.updated, story.number), reverse=query.get("sort") != "asc")
    begin = int(query.get("page_token") or 0)
    more = begin + size < len(found)
    return {
        "news": [_document(story) for story in found[begin : begin + size]],
        "next_page_token": str(begin + size) if more else None,
    }


def _document(story: SandboxStory) -> Document:
    return {
        "id": story.number,
        "headline": story.headline,
        "author": "Sandbox",
        "created_at": stamp(story.created),
        "updated_at": stamp(story.updated),
        "summary": story.summary or NOTHING,
        "content": NOTHING,
        "images": [],
        "symbols": list(story.symbols),
        "source": "sandbox",
        "url": f"https://news.example/{story.number}",
    }


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
