"""What a cycle makes of the news: known in time, kept with the decision, told, and never a reason to stop."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.unit.core.trading import (
    FIRST,
    SECOND,
    THIRD,
    Desk,
    WallClock,
    WatchedOrchestrator,
    change,
    open_desk,
    settings_in,
)
from trading_bot.core import cycle
from trading_bot.core.again import decide_again, first_difference
from trading_bot.core.context import context_now
from trading_bot.core.news import Newsdesk
from trading_bot.core.story import why
from trading_bot.domain.context import Action
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.errors import BensBotError, CredentialsRefused, DataError, SettingsError, SourceUnavailable
from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Delivery
from trading_bot.domain.orders import Rejected
from trading_bot.intelligence.manager import NewsManager
from trading_bot.reporting.story import story_as_json

BAD, GOOD = "AMD plunges on fraud probe", "AMD beats estimates, raises guidance"
BADNESS = -0.9042  # VADER's word for BAD; bad enough for the veto of news_risk
AMD = Symbol("AMD")


def told(file: Path, *stories: tuple[str, str], symbols: Sequence[str] = ("AMD",)) -> Path:
    lines = [{"published": at, "headline": words, "symbols": list(symbols)} for at, words in stories]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return file


def with_news(file: Path, **more: Any) -> dict[str, Any]:
    return {"news": {"source": "file", "file": file, **more}}


def trade(desk: Desk, sessions: int) -> list[CycleReport]:
    return [cycle.run_cycle(desk.bot, run_id=f"run-{number}") for number in range(sessions)]


def amd(report: CycleReport) -> list[float]:
    """Return what the newest sessions' decisions knew of AMD, as the newest cycle sees it."""
    assert report.market.history.sentiment is not None
    return report.market.history.sentiment[-3:, report.market.history.column(AMD)].tolist()


def rule_on_amd(report: CycleReport) -> list[str]:
    return [decision.rule for decision in report.decisions if decision.signal.symbol == AMD]


def test_a_story_counts_for_the_session_whose_decision_first_knew_it(folder: Path, tmp_path: Path):
    file = told(
        tmp_path / "news.jsonl",
        ("2022-01-03T21:00:00Z", BAD),  # the very instant of the decision
        ("2022-01-03T21:00:01Z", GOOD),  # a second too late for it
    )
    with open_desk(folder, **with_news(file)) as desk:
        first, second, third = trade(desk, 3)

    nothing = np.nan
    assert [report.session for report in (first, second, third)] == [FIRST, SECOND, THIRD]
    np.testing.assert_equal(amd(first), [nothing, nothing, BADNESS])
    np.testing.assert_equal(amd(second)[:2], [nothing, BADNESS])
    assert amd(second)[2] > 0.5
    np.testing.assert_equal(amd(third), [BADNESS, amd(second)[2], nothing])
    assert rule_on_amd(first) == ["news_risk"]


def test_a_cycle_with_news_is_the_same_again_bit_for_bit_whatever_is_told_later(folder: Path, tmp_path: Path):
    days = [f"2022-01-{day:02}T15:00:00Z" for day in (3, 4, 5)]
    file = told(tmp_path / "news.jsonl", *((day, BAD if n % 2 else GOOD) for n, day in enumerate(days)))
    team = {"team": ["news_sentiment", "sma_cross"]}
    with open_desk(folder, **with_news(file), strategy=team) as desk:
        reports = trade(desk, 2)
        told(file, *((day, GOOD) for day in days))
        reports += trade(desk, 1)
        book = desk.bot.book
        for report in reports:
            record = book.recordings.read(report.cycle_id)
            assert first_difference(report.decisions, decide_again(record, report.decisions)) == ""
            known, seen = record.market.history.sentiment, report.market.history.sentiment
            assert known is not None
            assert seen is not None
            assert known.tobytes() == seen.tobytes()

    assert any("news_sentiment" in decision.signal.strategy for report in reports for decision in report.decisions)


def test_loop_and_steps_read_the_same_news(folder: Path, tmp_path: Path):
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", BAD), ("2022-01-04T15:00:00Z", GOOD))
    loop = WatchedOrchestrator(settings_in(tmp_path / "loop", **with_news(file)))
    loop.run(cycles=2)
    with open_desk(folder, **with_news(file)) as desk:
        assert [report.decisions for report in loop.reports] == [report.decisions for report in trade(desk, 2)]


def test_without_a_source_nothing_is_read_kept_or_measured(desk: Desk):
    (report,) = trade(desk, 1)

    assert report.market.history.sentiment is None
    assert desk.bot.news is None
    assert desk.rows("SELECT * FROM cycle_steps WHERE step = 'read_the_news'") == []
    assert desk.rows("SELECT * FROM news_moods") == []
    record = desk.bot.book.recordings.read(report.cycle_id)
    assert (record.inputs.stories, record.market.warnings) == ({}, ())
    assert "news" not in json.loads(record.conditions.settings)
    with desk.bot.book.engine.connect() as connection:
        (body,) = connection.exec_driver_sql("SELECT body FROM cycle_inputs").scalars()
    kept = json.loads(zlib.decompress(body))
    assert kept["market"].keys().isdisjoint({"warnings"})
    assert kept["inputs"].keys().isdisjoint({"stories"})


# ── a source that fails ──────────────────────────────────────────


class Silent:
    """A source that does not answer any more."""

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = False

    def __init__(self, error: BensBotError) -> None:
        self.error = error

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        raise self.error


def silenced(desk: Desk, error: BensBotError) -> Desk:
    news = Newsdesk(NewsManager({"wire": Silent(error)}, timedelta(hours=96)), desk.bot.book.news)
    return Desk(replace(desk.bot, news=news), desk.clock, desk.notices)


@pytest.mark.parametrize(
    "error", [SourceUnavailable("it slept"), DataError("it slept"), CredentialsRefused("it slept")], ids=repr
)
def test_a_source_that_fails_costs_no_cycle_and_is_told(desk: Desk, error: BensBotError):
    (report,) = trade(silenced(desk, error), 1)

    assert report.warnings == ("The news of wire could not be read: it slept",)
    assert ("warning", report.session) == (desk.notices.sent[0][0], FIRST)
    assert "The news of wire could not be read: it slept." in desk.notices.sent[0][3]
    assert any(not isinstance(decision, Rejected) for decision in report.decisions)
    assert np.isnan(amd(report)).all()
    assert desk.bot.book.recordings.read(report.cycle_id).market.warnings == report.warnings


class Counting:
    """A source whose provider counts requests."""

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = True
    every_minutes: ClassVar[int] = 30

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        self.asked.append(until)
        return Delivery()


def test_a_source_that_counts_requests_is_asked_once_in_its_span_whatever_the_process(folder: Path):
    noon, source = datetime(2022, 1, 3, 17, tzinfo=UTC), Counting()
    for minutes in (0, 1, 29, 31, 59, 90):  # each cycle opens the book anew, as a process does
        at = noon + timedelta(minutes=minutes)
        with open_desk(folder, WallClock(at)) as desk:
            news = Newsdesk(NewsManager({"counting": source}, timedelta(hours=96)), desk.bot.book.news)
            bot = Desk(replace(desk.bot, news=news), desk.clock, desk.notices).live()
            cycle.run_cycle(bot, run_id=f"run-{minutes}", scheduled=at)

    assert source.asked == [noon + timedelta(minutes=minutes) for minutes in (0, 31, 90)]


def test_sources_are_read_together_and_one_that_fails_is_named(folder: Path, tmp_path: Path):
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", BAD))
    nowhere = {"name": "newsdata", "options": {"url": "http://127.0.0.1:1"}}
    news = {"sources": [nowhere, "file"], "file": file, "companies": {"AMD": "Advanced Micro Devices"}}
    with open_desk(folder, news={**news, "newsdata_api_key": "planted"}) as desk:
        (report,) = trade(desk, 1)

    assert amd(report)[-1] == BADNESS
    (warning,) = report.warnings
    assert warning.startswith("The news of newsdata could not be read: NewsData.io does not answer: ConnectError")


def test_a_source_that_is_set_wrong_stops_the_cycle(desk: Desk):
    with pytest.raises(SettingsError, match="it slept"):
        trade(silenced(desk, SettingsError("it slept")), 1)


def test_what_was_read_before_the_source_failed_still_counts(folder: Path, tmp_path: Path):
    noon = datetime(2022, 1, 3, 17, tzinfo=UTC)
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", BAD), ("2022-01-03T17:00:30Z", GOOD))
    with open_desk(folder, WallClock(noon), **with_news(file)) as desk:
        first = cycle.run_cycle(desk.live(), run_id="one", scheduled=noon)
        desk.clock.sleep(60)
        quiet = silenced(desk, SourceUnavailable("it slept"))
        second = cycle.run_cycle(quiet.live(), run_id="two", scheduled=noon + timedelta(minutes=1))
        desk.clock.sleep(60)
        third = cycle.run_cycle(desk.live(), run_id="three", scheduled=noon + timedelta(minutes=2))

    assert first.market.notes[-1] == "News: 1 dated in the future wait for their time"
    assert [amd(report)[-1] for report in (first, second)] == [BADNESS, BADNESS]
    assert amd(third)[-1] == pytest.approx((BADNESS + 0.7783) / 2)  # both of high impact
    assert first.session == second.session == third.session == FIRST


def test_a_line_that_cannot_be_read_is_in_the_report(folder: Path, tmp_path: Path):
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", BAD), ("yesterday", GOOD))
    with open_desk(folder, **with_news(file)) as desk:
        (report,) = trade(desk, 1)

    assert report.market.notes[-1] == (
        "News of file: 1 item could not be read: news.jsonl, line 2: published is 'yesterday'; write an instant like "
        "2022-01-31T14:30:00Z"
    )


# ── why ──────────────────────────────────────────────────────────


def test_why_names_the_stories_that_were_known_and_no_others(folder: Path, tmp_path: Path):
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", BAD), ("2022-01-04T15:00:00Z", GOOD))
    told_of_rrc = '\n{"published": "2022-01-03T16:00:00Z", "headline": "$MSFT opens a store"}'
    file.write_text(file.read_text(encoding="utf-8") + told_of_rrc, encoding="utf-8")
    with open_desk(folder, **with_news(file)) as desk:
        first, _ = trade(desk, 2)
        book = desk.bot.book
        refused = why(book, AMD, first.cycle_id)
        later = why(book, AMD, "2022-01-04")
        nothing = why(book, Symbol("RRC"), first.cycle_id)
        recorded = book.recordings.read(first.cycle_id).inputs.stories

    assert [item.headline for item in refused.news] == [BAD]
    assert [item.headline for item in later.news] == [BAD, GOOD]
    assert nothing.news == ()
    assert recorded[AMD] == (refused.news[0].story_id,)
    (known,) = json.loads(story_as_json(refused))["news"]
    assert (known["headline"], known["score"], known["impact"], known["source"]) == (BAD, BADNESS, "high", "file")
    assert known["published"] == "2022-01-03T15:00:00+00:00"


def test_nobody_is_told_to_look_at_a_stock_that_is_ordered_already(folder: Path, tmp_path: Path):
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", GOOD))
    with open_desk(folder, **with_news(file), risk={"news_veto": "0.3"}) as desk:
        trade(desk, 1)
        ordered = context_now(desk.bot.settings, desk.bot.book, desk.clock).advice
        change(desk.book_file, "UPDATE orders SET status = 'canceled', settled = 1")
        not_ordered = context_now(desk.bot.settings, desk.bot.book, desk.clock).advice

    assert ordered == ()
    assert [(each.action, each.about) for each in not_ordered] == [(Action.LOOK, AMD)]


def test_why_names_the_stories_of_several_sources(folder: Path, tmp_path: Path):
    file = told(tmp_path / "news.jsonl", ("2022-01-03T15:00:00Z", BAD))
    with open_desk(folder, news={"sources": ["file"], "file": file}) as desk:
        (report,) = trade(desk, 1)
        story = why(desk.bot.book, AMD, report.cycle_id)

    assert [item.headline for item in story.news] == [BAD]
