"""News from Alpaca, by real requests to a sandbox: every page, no text from the future, and what each failure means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.brokers.sandboxes import KEYS, flat_bars, patient, sandbox_of
from tests.unit.core.trading import WallClock, open_desk
from trading_bot.alpaca import news
from trading_bot.alpaca.connect import Keys, Line, news_wire
from trading_bot.alpaca.news import AlpacaNews
from trading_bot.core import cycle
from trading_bot.core.preflight import Finding, Verdict, examine
from trading_bot.domain.errors import CredentialsRefused, DataError, SettingsError, SourceUnavailable
from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Delivery
from trading_bot.intelligence.sources.alpaca import Alpaca
from trading_bot.sandbox.faults import Fault, html_page, rate_limited, refused
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.news import add_story
from trading_bot.sandbox.server import SECRET_KEY, Sandbox

NOW = datetime(2022, 1, 3, 21, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=4)
AAA, PATH = Symbol("AAA"), "/v1beta1/news"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with sandbox_of(flat_bars("AAA"), SandboxClock(NOW)) as opened:
        yield opened


def publish(sandbox: Sandbox, headline: str, *, hours: float = 1, **fields: Any) -> None:
    created = (NOW - timedelta(hours=hours)).isoformat()
    add_story(sandbox.exchange.market, {"headline": headline, "symbols": ["AAA"], "created_at": created, **fields})


def read(sandbox: Sandbox, *symbols: str, line: Line | None = None, until: datetime = NOW) -> Delivery:
    wire = news_wire(Keys(**KEYS), sandbox.url, line or patient())
    return AlpacaNews(wire).published(LONG_AGO, until, [Symbol(symbol) for symbol in symbols or ("AAA",)])


def test_every_page_is_read(sandbox: Sandbox):
    for number in range(120):
        publish(sandbox, f"Story {number}", hours=number / 10)
    found = read(sandbox)

    assert len(found.stories) == len({story.story_id for story in found.stories}) == 120
    assert (found.refused, found.cut_short) == ((), "")
    assert sandbox.sent("GET", PATH) == 3


def test_very_many_are_cut_off_at_the_oldest_and_that_is_told(sandbox: Sandbox):
    for number in range(news.MOST_STORIES + 1):
        publish(sandbox, f"Story {number}", hours=number / 60)
    found = read(sandbox)

    assert len(found.stories) == 1000
    assert "Story 1000" not in {story.headline for story in found.stories}
    assert found.cut_short == "Alpaca has more than 1,000 new stories; the newest were read"


def test_hundreds_of_stocks_are_asked_for_in_parts_and_a_story_about_many_is_one(sandbox: Sandbox):
    names = [f"S{number:03}" for number in range(450)]
    publish(sandbox, "All of them", symbols=names)

    assert [story.headline for story in read(sandbox, *names).stories] == ["All of them"]
    assert sandbox.sent("GET", PATH) == 3


def test_without_names_it_is_asked_for_everything(sandbox: Sandbox):
    publish(sandbox, "Whatever", symbols=["ZZZ"])
    wire = news_wire(Keys(**KEYS), sandbox.url, patient())

    assert [story.headline for story in AlpacaNews(wire).published(LONG_AGO, NOW, ()).stories] == ["Whatever"]


def test_a_text_that_was_changed_later_is_not_known_yet(sandbox: Sandbox):
    publish(sandbox, "AAA beats. UPDATE: it did not", hours=2, updated_at=(NOW - timedelta(minutes=5)).isoformat())

    assert read(sandbox, until=NOW - timedelta(minutes=6)).stories == ()
    (story,) = read(sandbox).stories
    assert (story.published, story.source, story.symbols) == (NOW - timedelta(hours=2), "sandbox", ("AAA",))
    assert (story.story_id, story.url) == ("alpaca:1", "https://news.example/1")


def test_what_alpaca_sends_though_it_was_not_asked_for_is_left_out(sandbox: Sandbox):
    kept = {"id": 1, "created_at": "2022-01-03T15:00:00Z", "updated_at": "2022-01-03T15:00:00Z", "headline": "AAA"}
    found = [
        kept,
        {**kept, "id": 2, "updated_at": "2022-01-03T21:00:01Z"},
        {**kept, "id": 3, "created_at": "2022-01-03T21:00:01Z"},
        {**kept, "id": 4, "created_at": "2021-12-30T20:59:59Z"},
    ]
    sandbox.faults.add(Fault(status=200, body=json.dumps({"news": found, "next_page_token": None})))

    assert [story.story_id for story in read(sandbox).stories] == ["alpaca:1"]


def test_a_rush_is_waited_for(sandbox: Sandbox):
    publish(sandbox, "AAA beats")
    sandbox.faults.add(rate_limited("3"))
    naps: list[float] = []

    assert len(read(sandbox, line=patient(naps)).stories) == 1
    assert naps == [3.0]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (html_page(200, times=9), SourceUnavailable),
        (Fault(status=503, times=9), SourceUnavailable),
        (Fault(drop=True, times=9), SourceUnavailable),
        (rate_limited("1", times=99), SourceUnavailable),
        (refused(401, 40110000, "request is not authorized"), CredentialsRefused),
        (refused(403, 42210000, "subscription does not permit news"), DataError),
        (Fault(status=200, body="[]"), DataError),
        (Fault(status=200, body='{"news": {}}'), DataError),
    ],
    ids=["html", "503", "cut", "429", "401", "403", "a list", "no list"],
)
def test_an_answer_that_is_no_news_is_none(sandbox: Sandbox, fault: Fault, error: type[Exception]):
    sandbox.faults.add(fault)
    with pytest.raises(error) as raised:
        read(sandbox)

    assert SECRET_KEY not in str(raised.value)


def test_a_story_that_is_none_costs_no_other(sandbox: Sandbox):
    good = {"id": 7, "created_at": "2022-01-03T15:00:00.123456789Z", "updated_at": "2022-01-03T15:00:00Z"}
    found = [{}, {"id": 5, "created_at": "noon"}, {**good, "id": 6, "headline": 1}, {**good, "headline": "AAA beats"}]
    sandbox.faults.add(Fault(status=200, body=json.dumps({"news": found, "next_page_token": None})))
    delivery = read(sandbox)

    assert [story.story_id for story in delivery.stories] == ["alpaca:7"]
    assert delivery.refused == (
        "a story of Alpaca without an id",
        "Alpaca's story 5: ValueError: Invalid isoformat string: 'noon'",
        "Alpaca's story 6: TypeError: headline is int",
    )


def test_without_keys_it_says_what_to_write(sandbox: Sandbox):
    with pytest.raises(SettingsError, match="BENSBOT_BROKER__API_KEY"):
        Alpaca(data_url=sandbox.url).stories(LONG_AGO, NOW, [AAA])


# ── in a cycle ───────────────────────────────────────────────────


def test_a_cycle_reads_alpaca_with_the_keys_of_the_broker_and_asks_for_what_is_new(sandbox: Sandbox, folder: Path):
    publish(sandbox, "AMD plunges on fraud probe", symbols=["AMD", "TSLA"])
    settings = {"news": {"source": "alpaca"}, "broker": {"data_url": sandbox.url, **KEYS}}
    with open_desk(folder, **settings) as desk:
        first = cycle.run_cycle(desk.bot, run_id="one")
        sandbox.clock.turn_to(NOW + timedelta(days=1))
        cycle.run_cycle(desk.bot, run_id="two")
        (finding,) = [found for found in look(desk.bot.settings) if found.part == "news"]

    assert first.market.history.sentiment is not None
    assert first.market.history.sentiment[-1, first.market.history.column(Symbol("AMD"))] == -0.9042
    assert np.isfinite(first.market.history.sentiment).sum() == 1
    starts = [request.partition("start=")[2][:16] for request in sandbox.requests if PATH in request]
    assert starts[:2] == ["2021-12-30T21%3A", "2022-01-03T18%3A"]  # 96 hours back; two before the newest story
    assert (finding.verdict, finding.said) == (Verdict.PASS, "alpaca: 1 story since 2022-01-02 21:00 UTC")


def look(settings: Any) -> list[Finding]:
    return list(examine(settings, WallClock(NOW)))
