"""The news that decisions knew, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trading_bot.domain.news import NewsItem, ReadStory
from trading_bot.domain.symbols import Symbol
from trading_bot.domain.words import listed, one_line

MOST_SYMBOLS = 4  # named in a line


def print_news(stories: Sequence[ReadStory], console: Console, *, about: Symbol | None, more: bool) -> None:
    """Print a line for each story, the newest first, and whether there are more."""
    if not stories:
        whose = f" about {one_line(about)}" if about else ""
        console.print(Text(f"The book has no news{whose}. news.source, or news.sources, says where they come from."))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("published (UTC)", "score", "impact", "about", "source", "headline"):
        table.add_column(name, no_wrap=name != "headline")
    for each in stories:
        story = each.story
        said = (
            f"{story.published:%Y-%m-%d %H:%M}",
            f"{story.score:+.2f}",
            story.impact.value,
            listed(story.symbols, most=MOST_SYMBOLS),
            one_line(story.source),
            one_line(story.headline),
        )
        table.add_row(*(Text(part) for part in said))
    console.print(table)
    count = "1 story" if len(stories) == 1 else f"{len(stories):,} stories"
    console.print(Text(f"{count}{', and there are older ones (--limit)' if more else ''}."))


def news_as_json(stories: Sequence[ReadStory], *, more: bool) -> str:
    """Return everything that is known of each story."""
    found = [
        {**story_document(each.story), "session": str(each.session), "read_at": each.read_at.isoformat()}
        for each in stories
    ]
    return json.dumps({"more": more, "stories": found}, indent=2, ensure_ascii=False)


def story_document(story: NewsItem) -> dict[str, Any]:
    """Return one story for machines."""
    return {
        "story_id": story.story_id,
        "source": story.source,
        "published": story.published.isoformat(),
        "headline": story.headline,
        "summary": story.summary,
        "url": story.url,
        "symbols": list(story.symbols),
        "score": story.score,
        "impact": story.impact.value,
    }


def story_line(story: NewsItem) -> str:
    """Return a story in one line: when, whose, what it says, and what the bot makes of it."""
    told = f"{story.published:%Y-%m-%d %H:%M} UTC, {one_line(story.source)}: {one_line(story.headline)}"
    return f"{told} (score {story.score:+.2f}, {story.impact} impact)"
