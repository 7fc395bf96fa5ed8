"""What a strategy answers is looked at before it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from trading_bot.core.authoring.cases import closes
from trading_bot.domain.errors import LooksAhead, WrongAnswer
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.opinions import asked
from trading_bot.domain.ports import Opinion

NO_NUMBER = float("nan")


@dataclass(frozen=True)
class Wants:
    """A strategy that does what it is told."""

    answer: Callable[[MarketHistory], object]

    def opinion(self, history: MarketHistory) -> Opinion:
        return self.answer(history)  # pyright: ignore[reportReturnType]  # some answer with what is no opinion


def said_of(answer: Callable[[MarketHistory], object]) -> str:
    with pytest.raises(WrongAnswer) as refusal:
        asked("mine", Wants(answer), closes(1.0, 2.0, 3.0))
    return str(refusal.value)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda history: None, "mine answers with nothing (None); wanted is an Opinion. `bensbot strategy check FILE`"),
        (
            lambda history: Opinion(history.frame("close")),  # pyright: ignore[reportArgumentType]
            "mine answers with a DataFrame for its exposure; wanted is an array of 3 sessions by 1 symbols.",
        ),
        (
            lambda history: Opinion(history.close[1:]),
            "an array of shape (2, 1) for its exposure; wanted is an array of 3",
        ),
        (
            lambda history: Opinion(0 * history.close, {"mean": history.close[0]}),
            "mine answers with an array of shape (1,) for mean;",
        ),
        (
            lambda history: Opinion(0 * history.close, [1.0]),  # pyright: ignore[reportArgumentType]
            "mine answers with a list for its evidence; wanted is a mapping.",
        ),
        (
            lambda history: Opinion(np.full(history.close.shape, None)),  # pyright: ignore[reportArgumentType]
            "mine answers with an array of object for its exposure; wanted are numbers of float64.",
        ),
        (
            lambda history: Opinion(0 * history.close, {"mean": history.close.astype(str)}),  # pyright: ignore[reportArgumentType]
            "for mean; wanted are numbers of float64.",
        ),
        (lambda history: Opinion(history.close - 1), "mine wants +2 of "),
        (lambda history: Opinion(history.close * NO_NUMBER), "mine wants +nan of "),
        (lambda history: history.close[9], "mine has no answer for 3 sessions of 1 symbols. IndexError: index 9"),
    ],
)
def test_what_is_no_opinion_is_refused_in_words(answer: Callable[[MarketHistory], object], problem: str):
    assert problem in said_of(answer)


def test_the_line_that_failed_is_named():
    assert "ZeroDivisionError: division by zero (test_opinions.py, line " in said_of(lambda history: 1 / 0)


def test_what_the_bot_itself_refuses_stays_what_it_is():
    def peeks(history: MarketHistory) -> Opinion:
        raise LooksAhead("it looks ahead")

    with pytest.raises(LooksAhead):
        asked("mine", Wants(peeks), closes(1.0))


def test_an_opinion_is_returned_as_it_is():
    opinion = Opinion(np.array([[0.5], [-1.0]]))

    assert asked("mine", Wants(lambda history: opinion), closes(1.0, 2.0)) is opinion
