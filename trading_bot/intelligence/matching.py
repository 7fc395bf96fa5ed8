"""Which stocks a story is about, and which stories are the same one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from trading_bot.domain.market import Symbol
from trading_bot.domain.news import NewsItem

SAME_STORY = timedelta(hours=48)  # one story told again within so long is no new one
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,5}(?:[.\-][A-Za-z]{1,2})?)(?![\w])")
_WORDS = re.compile(r"\w+")


def symbols_of(tags: Collection[str], text: str, known: Collection[Symbol]) -> tuple[Symbol, ...]:
    """Return the stocks that the story's tags name; where it has no tags, those with a cashtag ($AMD) in its text.

    Plain words are never taken for tickers: A, IT and ALL are words.
    """
    named = {tag.strip().upper() for tag in tags} if tags else {tag.upper() for tag in _CASHTAG.findall(text)}
    return tuple(sorted(Symbol(name) for name in named if name in known))


def first_told(stories: Iterable[NewsItem], known: Iterable[NewsItem]) -> Iterator[NewsItem]:
    """Yield what is neither known nor told twice, the earliest of each.

    Two stories are one when they have the same id, or the same words in the headline, whatever their case and
    punctuation, and the same stocks within `SAME_STORY` of each other.
    """
    told = {story.story_id for story in known}
    heard: dict[tuple[str, tuple[Symbol, ...]], list[NewsItem]] = {}
    for story in known:
        heard.setdefault(_gist(story), []).append(story)
    for story in sorted(stories, key=lambda story: (story.published, story.story_id)):
        twins = heard.setdefault(_gist(story), [])
        if story.story_id in told or any(abs(story.published - twin.published) <= SAME_STORY for twin in twins):
            continue
        told.add(story.story_id)
        twins.append(story)
        yield story


def _gist(story: NewsItem) -> tuple[str, tuple[Symbol, ...]]:
    return " ".join(_WORDS.findall(story.headline.casefold())), story.symbols
