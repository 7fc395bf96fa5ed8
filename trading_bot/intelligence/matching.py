"""Which stocks a story is about, and which stories are the same one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType

from trading_bot.domain.news import NewsItem
from trading_bot.domain.symbols import Symbol

SAME_STORY = timedelta(hours=48)  # one story told again within so long is no new one
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,5}(?:[.\-][A-Za-z]{1,2})?)(?![\w])")
_WORDS = re.compile(r"\w+")


def symbols_of(
    tags: Collection[str],
    text: str,
    known: Collection[Symbol],
    companies: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Symbol, ...]:
    """Return the stocks that the story's tags name.

    Where it has no tags: those with a cashtag ($AMD) in its text, or with the name that `companies` gives the ticker,
    as it is spelt there. Plain words are never taken for tickers: A, IT and ALL are words.
    """
    if tags:
        named = {tag.strip().upper() for tag in tags}
    else:
        named = {tag.upper() for tag in _CASHTAG.findall(text)}
        named |= {symbol for symbol, name in companies.items() if _spelt(name).search(text)}
    return tuple(sorted(Symbol(name) for name in named if name in known))


@lru_cache(maxsize=10_000)
def _spelt(name: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, name.split())) + r"(?!\w)")


def first_told(stories: Iterable[NewsItem], known: Iterable[NewsItem]) -> Iterator[NewsItem]:
    """Yield what is neither known nor told twice, the earliest of each, in an order that no source can change.

    Two stories are one when they have the same id. Two with the same words in the headline, whatever their case and
    punctuation, within `SAME_STORY` of each other count once for each stock: sources tag the same story differently,
    so the later one is left with the stocks that the earlier ones did not name, and is dropped where there are none.
    """
    told = {story.story_id for story in known}
    heard: dict[str, list[NewsItem]] = {}
    for story in known:
        heard.setdefault(_gist(story), []).append(story)
    for story in sorted(stories, key=lambda story: (story.published, story.story_id)):
        if story.story_id in told:
            continue
        twins = heard.setdefault(_gist(story), [])
        near = [twin.symbols for twin in twins if abs(story.published - twin.published) <= SAME_STORY]
        rest = tuple(symbol for symbol in story.symbols if not any(symbol in symbols for symbols in near))
        if not rest:
            continue
        told.add(story.story_id)
        twins.append(story)
        yield replace(story, symbols=rest)


def _gist(story: NewsItem) -> str:
    return " ".join(_WORDS.findall(story.headline.casefold()))
