"""The list of stories, for people and for machines."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime

from rich.console import Console

from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Impact, NewsItem, ReadStory, StoryId
from trading_bot.reporting.news import news_as_json, print_news

AMD = Symbol("AMD")
READ = datetime(2022, 1, 3, 21, tzinfo=UTC)
ODD = NewsItem(
    story_id=StoryId("file:1"),
    source="[bold]wire\x1b[31m",
    published=datetime(2022, 1, 3, 15, tzinfo=UTC),
    headline="[red]AMD[/red] beats \u202eagain",
    summary="Short.",
    url="https://news.example/1",
    symbols=tuple(Symbol(name) for name in ("A", "AMD", "B", "C", "D")),
    score=0.123456789,
    impact=Impact.MEDIUM,
)


def printed(*stories: ReadStory, about: Symbol | None = None, more: bool = False) -> list[str]:
    out = io.StringIO()
    print_news(stories, Console(file=out, width=160, highlight=False), about=about, more=more)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_foreign_text_is_shown_as_text_on_its_line():
    line = printed(ReadStory(ODD, date(2022, 1, 3), READ), more=True)[1:]

    assert line == [
        "2022-01-03 15:00 +0.12 medium A, AMD, B, C and 1 more [bold]wire [31m [red]AMD[/red] beats again",
        "1 story, and there are older ones (--limit).",
    ]


def test_where_there_is_nothing_it_says_so():
    assert printed(about=AMD) == [
        "The book has no news about AMD. news.source, or news.sources, says where they come from."
    ]


def test_machines_get_everything_to_the_last_digit():
    found = json.loads(news_as_json([ReadStory(ODD, date(2022, 1, 3), READ)], more=False))

    assert found["more"] is False
    assert found["stories"] == [
        {
            "story_id": "file:1",
            "source": "[bold]wire\x1b[31m",
            "published": "2022-01-03T15:00:00+00:00",
            "headline": "[red]AMD[/red] beats \u202eagain",
            "summary": "Short.",
            "url": "https://news.example/1",
            "symbols": ["A", "AMD", "B", "C", "D"],
            "score": 0.123456789,
            "impact": "medium",
            "session": "2022-01-03",
            "read_at": "2022-01-03T21:00:00+00:00",
        }
    ]
