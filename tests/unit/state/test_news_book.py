"""The stories that decisions knew: each kept once, for one session, and never changed."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from tests.unit.state.books import FRIDAY, MONDAY, NOON, TUESDAY, Desk, story
from trading_bot.domain.errors import LeaseLost
from trading_bot.domain.market import Symbol
from trading_bot.domain.news import Impact, ReadStory

AAPL, IBM = Symbol("AAPL"), Symbol("IBM")
HOUR = timedelta(hours=1)


def test_a_story_comes_back_as_it_was_kept(desk: Desk):
    kept = dataclasses.replace(
        story("é/1", -0.12345678901234567, symbols=("AAPL", "IBM"), impact=Impact.HIGH),
        headline="“Loss” narrows — 10%; DROP TABLE news",
        summary="Short.",
        url="https://news.example/a?b=1",
    )
    desk.book.news.keep(desk.lease, MONDAY, NOON, [kept])

    assert desk.book.news.newest() == (ReadStory(kept, MONDAY, NOON),)
    assert desk.book.news.since(kept.published) == (kept,)
    assert desk.book.news.since(kept.published + timedelta(microseconds=1)) == ()
    assert desk.book.news.named([kept.story_id]) == (kept,)


def test_what_was_read_for_one_session_counts_for_no_other_and_stays_as_it_was(desk: Desk):
    first = story("a", -0.5, impact=Impact.HIGH)
    desk.book.news.keep(desk.lease, MONDAY, NOON, [first])
    for _ in range(2):  # the source tells it again, otherwise
        again = dataclasses.replace(first, score=1.0, headline="Told otherwise")
        desk.book.news.keep(desk.lease, TUESDAY, NOON + HOUR, [again, story("b", 0.25, symbols=("AAPL", "IBM"))])

    assert desk.book.news.moods() == {MONDAY: {"AAPL": -0.5}, TUESDAY: {"AAPL": 0.25, "IBM": 0.25}}
    assert [each.session for each in desk.book.news.newest()] == [TUESDAY, MONDAY]
    assert desk.book.news.named([first.story_id]) == (first,)


def test_a_later_cycle_of_the_session_adds_to_it(desk: Desk):
    desk.book.news.keep(desk.lease, MONDAY, NOON, [story("a", -0.8, impact=Impact.HIGH)])
    desk.book.news.keep(desk.lease, MONDAY, NOON + HOUR, [story("b", 0.4, impact=Impact.MEDIUM)])

    assert desk.book.news.moods() == {MONDAY: {"AAPL": pytest.approx((3 * -0.8 + 2 * 0.4) / 5)}}


def test_what_was_behind_a_decision_is_what_was_known_then(desk: Desk):
    desk.book.news.keep(desk.lease, MONDAY, NOON, [story("a"), story("old", published=NOON - 9 * HOUR)])
    desk.book.news.keep(desk.lease, MONDAY, NOON + HOUR, [story("b", symbols=("AAPL", "IBM"))])

    def behind(*symbols: Symbol, read_hours: int) -> object:
        return desk.book.news.behind(symbols, published=NOON - 8 * HOUR, read=NOON + read_hours * HOUR)

    assert behind(AAPL, IBM, read_hours=0) == {"AAPL": ("a",)}
    assert behind(AAPL, IBM, read_hours=1) == {"AAPL": ("a", "b"), "IBM": ("b",)}
    assert behind(IBM, read_hours=1) == {"IBM": ("b",)}


def test_stories_are_listed_by_stock_and_only_so_many(desk: Desk):
    times = [NOON - n * HOUR for n in (3, 2, 1)]
    desk.book.news.keep(desk.lease, FRIDAY, NOON, [story(f"{n}", published=at) for n, at in enumerate(times)])
    desk.book.news.keep(desk.lease, FRIDAY, NOON, [story("ibm", symbols=("IBM",))])

    assert [each.story.story_id for each in desk.book.news.newest(AAPL, limit=2)] == ["2", "1"]
    assert [each.story.story_id for each in desk.book.news.newest(IBM)] == ["ibm"]


def test_who_has_lost_the_lease_writes_nothing(desk: Desk):
    with pytest.raises(LeaseLost):
        desk.book.news.keep(dataclasses.replace(desk.lease, token=99), MONDAY, NOON, [story("a")])

    assert desk.book.news.newest() == ()


def test_the_lag_is_from_publication_to_reading(desk: Desk):
    assert desk.book.statistics.read().news_lag is None
    lags = [(FRIDAY, 1), (MONDAY, 2), (MONDAY, 9)]
    for number, (day, hours) in enumerate(lags):
        desk.book.news.keep(desk.lease, day, NOON, [story(f"{number}", published=NOON - hours * HOUR)])

    assert desk.book.statistics.read().news_lag == 7200
    assert desk.book.statistics.read(since=MONDAY).news_lag == 5.5 * 3600
