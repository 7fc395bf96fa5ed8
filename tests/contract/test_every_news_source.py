"""What every news source promises, asked of every one that is registered."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.brokers.sandboxes import KEYS, flat_bars, sandbox_of
from tests.unit.intelligence.providers import alphavantage_item, answering, newsdata_item, newsdata_page, rss_feed
from trading_bot.domain.market import Symbol
from trading_bot.domain.news import NewsSource
from trading_bot.intelligence.registry import NEWS_SOURCES
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.news import add_story

DAY = datetime(2022, 3, 8, tzinfo=UTC)
LONG_AGO, EVENING = DAY - timedelta(days=30), DAY + timedelta(hours=21)
WITHOUT_TAGS = {"newsdata"}  # names of companies say what its stories are about
OURS = (Symbol("AAA"), Symbol("BBB"))
# Every source is given these: when, what about, and what it is called.
TOLD = [
    (DAY - timedelta(days=1), ["AAA"], "AAA beats estimates"),
    (DAY + timedelta(hours=15), ["AAA", "BBB"], "AAA and BBB plunge"),
    (EVENING, ["BBB"], "BBB recalls everything"),
    (EVENING + timedelta(seconds=1), ["BBB"], "BBB after the bell"),
]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Give the options of the sources that have none by default."""
    clock = SandboxClock(EVENING + timedelta(hours=1))
    with (
        sandbox_of(flat_bars("AAA", "BBB"), clock) as sandbox,
        answering() as vantage,
        answering() as newsdata,
        answering() as rss,
    ):
        for at, symbols, words in TOLD:
            fields = {"created_at": at.isoformat(), "headline": words, "symbols": symbols}
            add_story(sandbox.exchange.market, fields)
        file = some_file(tmp_path_factory.mktemp("news"))
        newest_first = TOLD[::-1]
        vantage.will_say({"feed": [alphavantage_item(at, symbols, words) for at, symbols, words in newest_first]})
        newsdata.will_say(newsdata_page(*(newsdata_item(at, words) for at, _, words in newest_first)))
        for symbol in ("AAA", "AAA,BBB", "BBB"):  # one feed for each set of stocks
            items = [(at, words) for at, symbols, words in TOLD if ",".join(symbols) == symbol]
            rss.by_path[f"/{symbol}"] = rss_feed(*items)
        feeds = [{"url": f"{rss.url}{path}", "symbols": path[1:].split(",")} for path in rss.by_path]
        yield {
            "rss": {"feeds": feeds},
            "file": {"file": str(file)},
            "alpaca": {"data_url": sandbox.url, **KEYS},
            "alphavantage": {"url": vantage.url, "alphavantage_api_key": "key"},
            "newsdata": {"url": newsdata.url, "newsdata_api_key": "key", "companies": {"AAA": "AAA", "BBB": "BBB"}},
        }


def some_file(folder: Path) -> Path:
    lines = [
        f'{{"published": "{at.isoformat()}", "headline": "{words}", "symbols": {symbols}}}'.replace("'", '"')
        for at, symbols, words in TOLD
    ]
    (folder / "news.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "news.jsonl"


@pytest.fixture(params=NEWS_SOURCES.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def source(name: str, options: Mapping[str, Mapping[str, Any]]) -> NewsSource:
    return NEWS_SOURCES.build(name, options.get(name, {}))


def headlines(source: NewsSource, since: datetime, until: datetime) -> list[str]:
    return sorted(story.headline for story in source.stories(since, until, OURS).stories)


def test_stories_are_those_of_the_time_asked_for_and_both_ends_are_in_it(source: NewsSource):
    everything = ["AAA and BBB plunge", "AAA beats estimates", "BBB recalls everything"] if source.reads else []

    assert headlines(source, LONG_AGO, EVENING) == everything
    assert headlines(source, DAY, DAY + timedelta(hours=15)) == everything[:1]
    assert headlines(source, EVENING, EVENING) == everything[2:]


def test_nothing_is_delivered_that_was_published_later(source: NewsSource):
    assert all(story.published <= EVENING for story in source.stories(LONG_AGO, EVENING, OURS).stories)


def test_a_story_has_its_source_an_instant_in_utc_and_the_tags_it_came_with(name: str, source: NewsSource):
    found = {story.headline: story for story in source.stories(LONG_AGO, EVENING, OURS).stories}

    assert all(story.source and story.published.utcoffset() == timedelta(0) for story in found.values())
    if source.reads:
        told = () if name in WITHOUT_TAGS else ("AAA", "BBB")
        assert found["AAA and BBB plunge"].symbols == told


def test_asking_twice_gives_the_same_stories_and_each_its_own_id(name: str, source: NewsSource):
    one, other = (source.stories(LONG_AGO, EVENING, OURS) for _ in range(2))

    assert one == other
    assert len({story.story_id for story in one.stories}) == len(one.stories)
    assert all(story.story_id.startswith(f"{name}:") for story in one.stories)


def test_the_default_needs_no_option_and_reads_nothing():
    assert not NEWS_SOURCES.build("none", {}).reads
    assert NEWS_SOURCES.names() == ("alpaca", "alphavantage", "file", "newsdata", "none", "rss")


def test_a_source_that_only_exists_brings_neither_vader_nor_the_network_along():
    program = (
        "import sys; from trading_bot.intelligence import manager; "
        "from trading_bot.intelligence.registry import NEWS_SOURCES; NEWS_SOURCES.names(); "
        "print(sorted({'vaderSentiment', 'requests', 'alpaca', 'httpx', 'feedparser'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("[]", "")
