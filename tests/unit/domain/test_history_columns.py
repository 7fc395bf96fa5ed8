from __future__ import annotations

import dataclasses
import pickle
from datetime import date

import numpy as np
import pytest

from tests.unit.strategies.markets import history
from trading_bot.domain.market import MarketHistory, Symbol
from trading_bot.domain.snapshot import fingerprint

HISTORY = history([[1.0, 2.0], [3.0, 4.0]], ["BBB", "AAA"])


def test_a_symbol_is_found_in_its_column():
    assert [HISTORY.find(Symbol(name)) for name in ("BBB", "AAA", "ZZZ")] == [0, 1, None]


def test_asking_for_the_column_of_a_stranger_is_an_error():
    with pytest.raises(ValueError, match="ZZZ is not one of the 2 symbols"):
        HISTORY.column(Symbol("ZZZ"))


def test_a_part_of_a_history_and_a_copy_of_it_have_the_same_columns():
    for part in (HISTORY.rows(slice(0, 1)), HISTORY.until(HISTORY.last_session), pickle.loads(pickle.dumps(HISTORY))):
        assert part.column(Symbol("AAA")) == 1


SCORES = np.array([[0.5, np.nan], [-1.0, 1.0]])
WITH_NEWS = dataclasses.replace(HISTORY, sentiment=SCORES)


def test_the_sentiment_goes_along_with_the_sessions_and_cannot_be_written_to():
    assert HISTORY.sentiment is None
    assert HISTORY.rows(slice(0, 1)).sentiment is None
    part = WITH_NEWS.rows(slice(1, 2)).sentiment
    assert part is not None
    assert part.tolist() == [[-1.0, 1.0]]
    assert not part.flags.writeable


def test_the_sentiment_is_part_of_the_fingerprint():
    other = dataclasses.replace(HISTORY, sentiment=-SCORES)

    assert len({fingerprint(bars) for bars in (HISTORY, WITH_NEWS, other)}) == 3
    assert fingerprint(WITH_NEWS) == fingerprint(dataclasses.replace(HISTORY, sentiment=SCORES.copy()))


@pytest.mark.parametrize(("scores", "message"), [(np.zeros((1, 2)), "shape"), (np.full((2, 2), 1.1), "outside")])
def test_a_sentiment_of_another_shape_or_range_is_refused(scores, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(HISTORY, sentiment=scores)


@pytest.mark.parametrize(("day", "later"), [(1, ["2020-01-02", "2020-01-03"]), (2, ["2020-01-03"]), (3, []), (9, [])])
def test_the_sessions_since_a_day_are_those_after_it(day: int, later: list[str]):
    sessions = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], dtype="datetime64[D]")
    closes = np.ones((3, 2))
    bars = MarketHistory(sessions, HISTORY.symbols, closes, closes, closes, closes, closes)

    assert [session.isoformat() for session in bars.since(date(2020, 1, day))] == later
    assert bars.rows(slice(0, 0)).since(date(2020, 1, day)) == []
