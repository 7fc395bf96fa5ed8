"""Alpha Vantage and NewsData.io: what is asked, what is read, and what each failure means. All on this machine."""

from __future__ import annotations

import gzip
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.unit.intelligence.providers import (
    KEY,
    Answering,
    alphavantage_item,
    newsdata_item,
    newsdata_page,
)
from trading_bot.domain.errors import CredentialsRefused, DataError, PluginError, SettingsError, SourceUnavailable
from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Delivery, NewsSource
from trading_bot.intelligence.registry import NEWS_SOURCES

NOW = datetime(2024, 1, 8, 21, 0, 30, tzinfo=UTC)
SINCE = NOW - timedelta(hours=96)
AMD, AAPL = Symbol("AMD"), Symbol("AAPL")
USED_UP = (
    f"We have detected your API key as {KEY} and our standard API rate limit is 25 requests per day. "
    "Please subscribe to any of the premium plans at https://www.alphavantage.co/premium/"
)
NO_KEY = "the parameter apikey is invalid or missing. Please claim your free API key on (https://www.alphavantage.co)"
NOTHING = "No articles found. Please adjust the time range or refer to the API documentation"
COMPANIES = {"AMD": "Advanced Micro Devices", "AAPL": "Apple"}


def source(name: str, provider: Answering, **options: Any) -> NewsSource:
    companies = {"companies": COMPANIES} if name == "newsdata" else {}
    key = {f"{name}_api_key": SecretStr(KEY)}
    return NEWS_SOURCES.build(name, {"url": provider.url, **key, **companies, **options})


def read(name: str, provider: Answering, *, since: datetime = SINCE, **options: Any) -> Delivery:
    return source(name, provider, **options).stories(since, NOW, [AMD, AAPL])


# ── Alpha Vantage ────────────────────────────────────────────────


def test_alpha_vantage_is_asked_once_for_all_stocks_and_its_tags_are_kept(provider: Answering):
    item = alphavantage_item(NOW, ["AMD", "CRYPTO:BTC"], "AMD beats", summary="It does.")
    late = alphavantage_item(NOW + timedelta(seconds=1), ["AMD"], "Too late")
    provider.will_say({"items": "2", "feed": [item, late]})

    (story,) = read("alphavantage", provider, topics="earnings").stories

    assert (story.headline, story.summary, story.source) == ("AMD beats", "It does.", "The Wire")
    assert (story.published, story.symbols, story.url) == (NOW, ("AMD", "CRYPTO:BTC"), "https://news.example/AMD-beats")
    (asked,) = provider.asked
    assert (asked.path, asked.query) == (
        "/query",
        {
            "function": "NEWS_SENTIMENT",
            "time_from": "20240104T2100",
            "time_to": "20240108T2101",  # it knows minutes only; what is too late is left out here
            "sort": "LATEST",
            "limit": "1000",
            "topics": "earnings",
            "apikey": KEY,
        },
    )


def test_alpha_vantages_limit_of_stories_is_told(provider: Answering):
    many = [alphavantage_item(NOW - timedelta(seconds=n), ["AMD"], f"Story {n}") for n in range(1000)]
    provider.will_say({"feed": many})

    found = read("alphavantage", provider)

    assert (len(found.stories), found.cut_short) == (
        1000,
        "Alpha Vantage has 1,000 new stories or more; the newest were read",
    )


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({"Information": USED_UP}, SourceUnavailable, "has no requests left for us. The free plan has 25"),
        ({"Note": "Thank you! Our standard API call frequency is …"}, SourceUnavailable, "raise every_minutes"),
        ({"Error Message": NO_KEY}, CredentialsRefused, "BENSBOT_NEWS__ALPHAVANTAGE_API_KEY"),
        ({"Information": NO_KEY}, CredentialsRefused, "refuses the key"),
        ({"Information": "The **demo** API key is for demo purposes only."}, CredentialsRefused, "demo"),
        ({"Information": "Invalid inputs."}, DataError, "gives no news: Invalid inputs."),
        ({"Error Message": "This API function does not exist."}, DataError, "does not exist"),
        ({"feed": {}}, DataError, "no feed but with 'feed'"),
        ([], DataError, "no JSON object"),
    ],
)  # fmt: skip
def test_what_alpha_vantage_says_with_http_200(provider: Answering, body: Any, error: type[Exception], words: str):
    provider.will_say(body)
    with pytest.raises(error, match=words) as raised:
        read("alphavantage", provider)

    assert "planted" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
    assert len(provider.asked) == 1


def test_no_news_are_no_error(provider: Answering):
    provider.will_say({"Information": NOTHING})

    assert read("alphavantage", provider) == Delivery()


def test_an_item_of_alpha_vantage_that_is_none_costs_no_other(provider: Answering):
    good = alphavantage_item(NOW, ["AMD"], "AMD beats")
    bad = [5, {**good, "title": " "}, {**good, "time_published": "noon"}, {**good, "ticker_sentiment": ["AMD"]}]
    provider.will_say({"feed": [*bad, {**good, "summary": 1}, good]})

    found = read("alphavantage", provider)

    assert [story.headline for story in found.stories] == ["AMD beats"]
    assert found.refused == (
        "Alpha Vantage's story 1: it is no object but int",
        "Alpha Vantage's story 2: title is missing",
        "Alpha Vantage's story 3: time_published is 'noon', wanted one like 20240108T133000",
        "Alpha Vantage's story 4: ticker_sentiment is no list of tickers",
        "Alpha Vantage's story 5: summary is no text but int",
    )


# ── NewsData.io ──────────────────────────────────────────────────


def test_newsdata_is_asked_by_name_with_the_key_in_a_header(provider: Answering):
    provider.will_say(newsdata_page(newsdata_item(NOW, "Apple beats")))

    (story,) = read("newsdata", provider).stories

    assert (story.story_id, story.headline, story.summary) == ("newsdata:apple-beats", "Apple beats", "")
    assert (story.published, story.source, story.symbols) == (NOW, "The Wire", ())
    (asked,) = provider.asked
    assert (asked.path, asked.query) == (
        "/api/1/latest",
        {"q": '"Advanced Micro Devices" OR Apple', "language": "en"},
    )
    assert asked.headers["X-ACCESS-KEY"] == KEY


def test_questions_to_newsdata_are_as_long_as_the_free_plan_allows(provider: Answering):
    names = {f"S{n}": f"Company Number {n:03}" for n in range(9)}
    provider.will_say(newsdata_page())
    source("newsdata", provider, companies=names).stories(SINCE, NOW, [Symbol(name) for name in names if name != "S8"])
    questions = [asked.query["q"] for asked in provider.asked]

    assert [len(question) for question in questions] == [92, 92]
    assert questions[0].startswith('"Company Number 000" OR "Company Number 001" OR ')
    assert "008" not in " ".join(questions)  # nobody looks at it


def test_newsdatas_pages_are_turned_until_what_is_known_and_no_further_than_is_paid_for(provider: Answering):
    hours = [newsdata_item(NOW - timedelta(hours=n), f"Hour {n}") for n in range(4)]
    provider.will_say(newsdata_page(hours[0], following="p2"), newsdata_page(*hours[1:], following="p3"))

    known = read("newsdata", provider, since=NOW - timedelta(hours=2))
    provider.asked.clear()
    cut = read("newsdata", provider, pages=1)

    assert [story.headline for story in known.stories] == ["Hour 0", "Hour 1", "Hour 2"]
    assert (known.cut_short, len(provider.asked)) == ("", 1)
    assert [story.headline for story in cut.stories] == ["Hour 0"]
    assert cut.cut_short == "NewsData.io has more new stories than 1 page; the newest were read"


def test_newsdatas_next_page_is_asked_by_its_token(provider: Answering):
    provider.will_say(newsdata_page(newsdata_item(NOW, "Apple"), following="p2"), newsdata_page())
    read("newsdata", provider, questions=["Apple AND iPhone"])

    assert [asked.query.get("page") for asked in provider.asked] == [None, "p2"]
    assert {asked.query["q"] for asked in provider.asked} == {"Apple AND iPhone"}


def newsdata_error(code: str, message: str = "no") -> dict[str, Any]:
    return {"status": "error", "results": {"message": message, "code": code}}


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (401, "Unauthorized", CredentialsRefused, "BENSBOT_NEWS__NEWSDATA_API_KEY"),
        (403, "AccessDenied", CredentialsRefused, "AccessDenied"),
        (422, "UnsupportedQueryLength", DataError, "HTTP 422: error; no; UnsupportedQueryLength"),
        (429, "RateLimitExceeded", SourceUnavailable, "200 credits a day"),
        (500, "ServerError", SourceUnavailable, "in trouble, HTTP 500"),
        (200, "Unauthorized", CredentialsRefused, "Unauthorized: no"),
        (200, "RateLimitExceeded", SourceUnavailable, "RateLimitExceeded: no"),
        (200, "UnsupportedParameter", DataError, "gives no news: UnsupportedParameter: no"),
    ],
)
def test_what_newsdatas_errors_mean(provider: Answering, status: int, code: str, error: type[Exception], words: str):
    provider.will_say(newsdata_error(code), status=status)
    with pytest.raises(error, match=words):
        read("newsdata", provider)


def test_an_article_of_newsdata_that_is_none_costs_no_other(provider: Answering):
    good = newsdata_item(NOW, "Apple beats")
    bad = [[], {**good, "article_id": None}, {**good, "pubDate": "2024-01-08"}, {**good, "pubDateTZ": "IST"}]
    provider.will_say(newsdata_page(*bad, {**good, "title": None}, good))

    found = read("newsdata", provider)

    assert [story.headline for story in found.stories] == ["Apple beats"]
    assert found.refused == (
        "NewsData.io's story 1: it is no object but list",
        "NewsData.io's story 2: article_id is missing",
        "NewsData.io's story apple-beats: pubDate is '2024-01-08', wanted one like 2024-01-08 13:30:00",
        "NewsData.io's story apple-beats: pubDateTZ is 'IST', wanted UTC",
        "NewsData.io's story apple-beats: title is missing",
    )


def test_newsdata_without_names_says_what_to_write(provider: Answering):
    with pytest.raises(SettingsError, match=r"companies: \{AAPL: Apple"):
        read("newsdata", provider, companies={"XYZ": "Elsewhere"})


# ── both ─────────────────────────────────────────────────────────

BOTH = pytest.mark.parametrize("name", ["alphavantage", "newsdata"])
EMPTY = {"alphavantage": {"feed": []}, "newsdata": newsdata_page()}


@BOTH
def test_a_connection_that_breaks_is_tried_once_more(provider: Answering, name: str):
    provider.will_say(None, EMPTY[name])
    assert read(name, provider) == Delivery()

    provider.will_say(None)
    provider.asked.clear()
    with pytest.raises(SourceUnavailable, match="does not answer: RemoteProtocolError"):
        read(name, provider)
    assert len(provider.asked) == 2


@BOTH
def test_a_provider_that_is_not_there_does_not_answer(provider: Answering, name: str):
    with pytest.raises(SourceUnavailable, match="does not answer: ConnectError"):
        read(name, provider, url="http://127.0.0.1:1")


@BOTH
@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        ("<html><b>Hello</b></html>", {}, "no JSON object but with 'Hello'"),
        (b"\xff\xfe", {}, "no JSON object"),
        ("[" * 100_000, {}, "no JSON object"),
        (b"no gzip", {"Content-Encoding": "gzip"}, "what cannot be read: DecodingError"),
        (gzip.compress(b" " * 20_000_001), {"Content-Encoding": "gzip"}, "more than 20,000,000 bytes"),
    ],
    ids=["html", "no text", "deep", "no gzip", "bomb"],
)
def test_fault_41_an_answer_that_is_no_news_is_refused(
    provider: Answering, name: str, body: Any, headers: dict[str, str], words: str
):
    provider.will_say(body, headers=headers)
    with pytest.raises(DataError, match=words):
        read(name, provider)


@BOTH
def test_nobody_is_followed_elsewhere_with_the_key(provider: Answering, name: str):
    provider.will_say("", status=302, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(DataError, match="HTTP 302"):
        read(name, provider)


@BOTH
@pytest.mark.parametrize("status", [200, 401, 429, 500])
def test_fault_67_the_key_is_in_no_log_line_at_any_level(
    provider: Answering, name: str, status: int, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    caplog.set_level(logging.DEBUG, logger="httpcore")
    provider.will_say({"feed": [], "results": [], "said": KEY}, status=status)
    try:
        told = repr(read(name, provider))
    except (SourceUnavailable, CredentialsRefused) as error:
        told = repr(error)

    lines = [record.getMessage() for record in caplog.records]
    assert any("HTTP Request: GET http://127.0.0.1" in line for line in lines)  # so there was something to mask
    assert not [line for line in [*lines, caplog.text, told] if "planted" in line]
    assert ("apikey=****" in caplog.text) == (name == "alphavantage")


@BOTH
def test_without_a_key_it_says_where_to_put_it(provider: Answering, name: str):
    with pytest.raises(SettingsError, match=f"BENSBOT_NEWS__{name.upper()}_API_KEY"):
        source(name, provider, **{f"{name}_api_key": None}).stories(SINCE, NOW, [AMD])
    assert provider.asked == []


@BOTH
def test_keys_do_not_travel_in_the_open(provider: Answering, name: str):
    with pytest.raises(PluginError, match="begins with https://"):
        read(name, provider, url="http://news.example")
