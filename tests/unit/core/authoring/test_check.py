from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from trading_bot.core.authoring.check import findings, problems, remarks
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.sma_cross import SmaCross

CHANCE = itertools.count()


@dataclass(frozen=True)
class Wants:
    """A strategy that does what it is told."""

    answer: Callable[[MarketHistory], object]

    def opinion(self, history: MarketHistory) -> Opinion:
        answer = self.answer(history)
        return Opinion(answer) if isinstance(answer, np.ndarray) else answer  # pyright: ignore[reportReturnType]


def nothing(history: MarketHistory) -> np.ndarray:
    return np.zeros(history.close.shape)


def writes(history: MarketHistory) -> np.ndarray:
    history.close[:1] = 0.0
    return nothing(history)


def fails_on_a_part(history: MarketHistory) -> np.ndarray:
    return nothing(history) / (1 if len(history.sessions) in {0, 1, 2, 5, 300, 600} else 10 // 0)


def leaves(history: MarketHistory) -> np.ndarray:
    sys.exit("bye")


def first_column(history: MarketHistory) -> np.ndarray:
    wanted = np.isfinite(history.close).astype(float)
    wanted[:, 1:] = 0.0
    return wanted


def above_its_mean(history: MarketHistory) -> np.ndarray:
    known = np.nan_to_num(history.close)
    return (history.close > known.sum(axis=0) / max(len(known), 1)).astype(float)


@pytest.mark.parametrize(
    ("answer", "promise", "problem", "advice"),
    [
        (
            lambda history: nothing(history)[history.close.shape[0] // 10 + 3],
            "it answers whatever",
            "on 0 sessions it raised IndexError",
            "too little history with exposure 0",
        ),
        (writes, "it answers whatever", "read-only", "history.close.copy()"),
        (lambda history: None, "it answers whatever", "it returned NoneType", "Return an `Opinion`"),
        (lambda history: nothing(history)[:, :1], "exposure and evidence", "has shape (600, 1)", "np.zeros"),
        (
            lambda history: nothing(history).astype(int),
            "exposure and evidence",
            "of int64",
            "exposure.astype(np.float64)",
        ),
        (
            lambda history: Opinion(history.frame("close")),  # pyright: ignore[reportArgumentType]
            "exposure and evidence",
            "exposure is a DataFrame, wanted an array of (600, 20) of float64",
            "frame.to_numpy(dtype=np.float64)",
        ),
        (
            lambda history: Opinion(nothing(history), None),  # pyright: ignore[reportArgumentType]
            "exposure and evidence",
            "evidence is nothing (None), wanted a mapping",
            'evidence={"close": history.close}',
        ),
        (
            fails_on_a_part,
            "it does not look ahead",
            "27 of its sessions, it raised ZeroDivisionError",
            "too little history",
        ),
        (leaves, "it answers whatever", "it raised SystemExit: bye (test_check.py, line ", "Every case"),
        (lambda history: nothing(history) + 1.5, "exposure is within", "AAPL on 2020-08-12 is 1.5", "np.clip"),
        (lambda history: history.close * np.nan, "exposure is within", "AAPL on 2020-08-12 is nan", "np.nan_to_num"),
        (lambda history: nothing(history) + 1, "it wants nothing that stopped", "it wants +1 of", "carried"),
        (lambda history: nothing(history) + next(CHANCE) % 2, "it gives the same answer", "two answers", "No chance"),
        (first_column, "the order of the symbols", "changes when the symbols are listed", "ties go by symbol"),
        (above_its_mean, "it does not look ahead", "has exposure", "A number of the whole history"),
    ],
)
def test_a_broken_promise_is_found_with_what_to_change(answer, promise, problem, advice):
    broken = [found for found in findings(Wants(answer)) if found.promise.startswith(promise)]

    assert len(broken) == 1
    assert problem in broken[0].problem
    assert advice in broken[0].advice


def test_reasons_with_numbers_that_are_none_are_found():
    class Mumbles(SmaCross):
        def reason(self, evidence, exposure):
            return f"the mean is {evidence['slow']:.2f}"

    assert problems(Mumbles()) == ["its reasons are words: on prices with gaps `reason` says 'the mean is nan'"]


def test_reasons_that_fail_are_found():
    class Stumbles(SmaCross):
        def reason(self, evidence, exposure):
            return f"the mean is {int(evidence['slow'])}"

    (problem,) = problems(Stumbles())
    assert "`reason` raised ValueError" in problem


def test_a_strategy_that_keeps_its_promises_has_no_problem():
    assert problems(SmaCross()) == []
    assert remarks(SmaCross()) == []


def test_a_strategy_without_evidence_or_wishes_is_remarked_upon():
    said = remarks(Wants(nothing))

    assert [sentence.split(",")[0] for sentence in said] == [
        "It wants nothing at all on 600 sessions of 20 packaged stocks. Is an option too long or too strict?",
        "It gives no evidence",
    ]
