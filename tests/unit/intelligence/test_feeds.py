"""RSS and Atom: what is read of a feed, what is named, and what never happens. All on this machine."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.intelligence.providers import Answering, rss_feed
from trading_bot.domain.errors import DataError, PluginError, SettingsError, SourceUnavailable
from trading_bot.domain.news import Delivery
from trading_bot.intelligence.registry import NEWS_SOURCES

NOW = datetime(2024, 1, 8, 21, 0, tzinfo=UTC)
REDDIT = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>stocks</title>
<entry><id>t3_1</id><title>$AMD to the moon</title><link href="https://social.example/1"/>
<updated>2024-01-08T21:30:00+01:00</updated><content type="html">&lt;p&gt;Or not&lt;/p&gt;</content></entry></feed>"""


def read(*feeds: Any) -> Delivery:
    source = NEWS_SOURCES.build("rss", {"feeds": list(feeds)})
    return source.stories(NOW - timedelta(hours=96), NOW, [])


def test_rss_and_atom_are_read_and_a_feed_may_say_which_stocks_it_is_about(provider: Answering):
    provider.by_path["/amd.xml"] = rss_feed((NOW, "AMD &amp; friends"), (NOW + timedelta(seconds=1), "Later"))
    provider.by_path["/r/stocks/.rss"] = REDDIT.encode()

    found = read({"url": f"{provider.url}/amd.xml", "symbols": ["AMD"]}, f"{provider.url}/r/stocks/.rss")

    company, social = found.stories
    assert (company.headline, company.symbols, company.source) == ("AMD & friends", ("AMD",), "127.0.0.1/amd.xml")
    assert (social.headline, social.summary, social.symbols) == ("$AMD to the moon", "<p>Or not</p>", ())
    assert (social.published, social.url) == (NOW - timedelta(minutes=30), "https://social.example/1")
    assert (found.later, found.refused) == (1, ())
    assert provider.asked[1].headers["User-Agent"].startswith("bensbot")


def test_what_of_a_feed_can_be_read_is_read_and_the_rest_is_named(provider: Answering):
    bad = "<item><title>No date</title></item><item><title>x</title><pubDate>noon</pubDate></item><item><pubDate>"
    provider.by_path["/feed"] = rss_feed((NOW, "Fine"), more=bad)

    found = read(f"{provider.url}/feed")

    assert [story.headline for story in found.stories] == ["Fine"]
    assert found.refused[:3] == (
        "127.0.0.1/feed, story 2: it has no date",
        "127.0.0.1/feed, story 3: its date is 'noon'",
        "127.0.0.1/feed, story 4: it has no title",
    )
    assert found.refused[3].startswith("127.0.0.1/feed is not well-formed, so there may be more in it: ")


def test_a_feed_that_fails_costs_no_other_and_is_named(provider: Answering):
    provider.by_path["/feed"] = rss_feed((NOW, "Fine"))
    provider.will_say("gone", status=404)

    found = read(f"{provider.url}/gone", f"{provider.url}/feed", "http://127.0.0.1:1/dead")

    assert [story.headline for story in found.stories] == ["Fine"]
    assert found.refused[0] == "127.0.0.1/gone gives no feed, HTTP 404"
    assert found.refused[1].startswith("127.0.0.1/dead does not answer: ConnectError")


ENTITY = b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><rss version="2.0"><channel/></rss>'


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (200, "<html><body>Hello</body></html>", DataError, "is no feed; it says 'Hello'"),
        (200, "", DataError, "is no feed"),
        (200, '{"feed": []}', DataError, "is no feed"),
        (200, b"\0\x0e\xf2" * 99, DataError, "feed"),
        (200, ENTITY, DataError, "defines entities of its own"),
        (200, ENTITY.decode().encode("utf-16"), DataError, "defines entities of its own"),
        (200, b" " * 2_000_001, DataError, "more than 2,000,000 bytes"),
        (403, "", DataError, "HTTP 403"),
        (429, "", SourceUnavailable, "HTTP 429"),
        (503, "", SourceUnavailable, "HTTP 503"),
    ],
)
def test_where_no_feed_can_be_read_the_source_fails(
    provider: Answering, status: int, body: Any, error: type[Exception], words: str
):
    provider.will_say(body, status=status)
    with pytest.raises(error, match=words):
        read(f"{provider.url}/feed")


@pytest.mark.parametrize("place", [b"http://127.0.0.1:1/", b"/etc/hostname"])
def test_what_a_feed_says_is_never_opened(provider: Answering, place: bytes):
    provider.will_say(place)
    with pytest.raises(DataError, match=f"is no feed; it says '{place.decode()}'"):
        read(f"{provider.url}/feed")
    assert len(provider.asked) == 1


def test_a_feed_that_moved_is_followed(provider: Answering):
    provider.by_path["/new"] = rss_feed((NOW, "Fine"))
    provider.will_say("", status=301, headers={"Location": "/new"})

    assert [story.headline for story in read(f"{provider.url}/old").stories] == ["Fine"]


def test_fault_67_a_token_in_an_address_is_in_no_log_line_and_no_error(
    provider: Answering, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    provider.will_say("planted-token", status=404)
    with pytest.raises(DataError) as raised:
        read(f"{provider.url}/feed?feed=planted-token&user=me")

    assert "HTTP Request: GET http://127.0.0.1" in caplog.text
    assert "planted" not in caplog.text + repr(raised.value)


@pytest.mark.parametrize(
    ("feeds", "words"),
    [
        (["http://news.example/rss"], "begins with https://"),
        ([{"url": "https://news.example/rss", "symbls": ["AMD"]}], "symbls"),
        (["news.example"], "begins with https://"),
    ],
)
def test_a_feed_that_is_written_wrong_is_refused(feeds: Any, words: str):
    with pytest.raises(PluginError, match=words):
        read(*feeds)


def test_fault_67_a_wrong_address_is_shown_without_what_may_be_secret():
    with pytest.raises(PluginError, match=r"'http://…@news.example/rss\?…'") as raised:
        read("http://me:planted@news.example/rss?feed=planted")
    assert "planted" not in str(raised.value)


def test_without_feeds_it_says_what_to_write():
    with pytest.raises(SettingsError, match="feeds: "):
        read()
