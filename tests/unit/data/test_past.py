"""The past that is read once answers as the present did, session by session."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from trading_bot.core.hours import TradingHours
from trading_bot.data.manager import DataManager
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.domain.errors import DataError

AT = datetime(2022, 1, 1, tzinfo=UTC)
FIELDS = ("open", "high", "low", "close", "volume")


def manager(source: str, *symbols: str) -> DataManager:
    built = PRICE_SOURCES.build(source, {})
    return DataManager(built, symbols=symbols, min_coverage=0.9, start=date(2000, 3, 1), calendar=TradingHours())


@pytest.mark.parametrize(
    ("source", "first", "last"),
    [
        ("sample", date(2021, 11, 1), date(2022, 2, 1)),
        ("sample-ohlcv", date(2000, 5, 1), date(2000, 7, 31)),  # a split of Apple
        ("sample-ohlcv", date(2004, 8, 2), date(2005, 3, 31)),  # Google's first day, and another split
    ],
)
def test_every_session_is_known_as_it_was_then(source: str, first: date, last: date):
    data = manager(source)
    past = data.past(first, last)

    for day in past.days[::9].tolist():
        then, now = data.get_market_state(AT, day), past.get_market_state(AT, day)
        assert now.history.sessions.tolist() == then.history.sessions.tolist()
        for name in FIELDS:
            assert np.array_equal(getattr(now.history, name), getattr(then.history, name), equal_nan=True), name
        for name in ("session", "regime", "coverage", "quarantined", "splits", "sectors", "below_minimum_coverage"):
            assert getattr(now, name) == getattr(then, name), (name, day)


def test_a_chapter_ends_before_each_split():
    past = manager("sample-ohlcv", "AAPL").past(date(2000, 6, 15), date(2005, 3, 1))
    chapters = {past.get_market_state(AT, day) and past.chapter.last for day in past.days.tolist()}

    assert sorted(chapters) == [date(2000, 6, 20), date(2005, 2, 25), date(2005, 3, 1)]


def test_only_sessions_that_were_asked_for_are_known():
    past = manager("sample").past(date(2022, 1, 3), date(2022, 1, 10))

    assert [str(day) for day in past.days] == [
        "2022-01-03", "2022-01-04", "2022-01-05", "2022-01-06", "2022-01-07", "2022-01-10"
    ]  # fmt: skip
    with pytest.raises(DataError, match="2022-01-11 is no session of the past that was read"):
        past.get_market_state(AT, date(2022, 1, 11))


def test_a_span_without_a_session_is_refused_with_what_there_is():
    with pytest.raises(DataError, match=r"no session from 2030-01-01 to 2030-02-01\. It has 1990-01-02 to 2022-12-28"):
        manager("sample").past(date(2030, 1, 1), date(2030, 2, 1))
