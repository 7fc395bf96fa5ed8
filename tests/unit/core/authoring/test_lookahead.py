from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from trading_bot.core.authoring.cases import closes
from trading_bot.core.authoring.lookahead import look_ahead
from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Opinion

# Weekdays from Monday, 2024-01-01, on; the price rises by one dollar a session.
RISING = closes(*(100.0 + row for row in range(200)))


def wanting(exposure: Callable[[FloatMatrix], FloatMatrix]) -> Callable[[MarketHistory], Opinion]:
    return lambda history: Opinion(exposure(history.close))


def tomorrow(close: FloatMatrix) -> FloatMatrix:
    """Want what rises tomorrow; the last session has none."""
    wanted = np.zeros(close.shape)
    wanted[:-1] = close[1:] > close[:-1]
    return wanted


def test_a_row_that_reads_the_next_one_is_found_and_named():
    found = look_ahead(wanting(tomorrow), RISING)

    assert found is not None
    assert (found.row, found.kept, found.session, found.symbol) == (0, 1, date(2024, 1, 1), "S0")
    assert (found.number, found.known_then, found.known_later, found.size) == ("exposure", 0.0, 1.0, 1.0)
    assert found.is_near


@pytest.mark.parametrize(
    "exposure",
    [
        lambda close: (close > close.mean(axis=0)).astype(float),
        lambda close: close / close.max(axis=0, initial=1.0),
        lambda close: close / close[-1] - 1,
        lambda close: (close - close.min()) / max(np.ptp(close), 1.0),
    ],
)
def test_a_number_of_the_whole_history_is_found_and_told_from_the_next_row(exposure):
    found = look_ahead(wanting(exposure), RISING)

    assert found is not None
    assert not found.is_near


def test_a_look_ahead_on_one_session_of_many_is_found_when_history_ends_there():
    def on_the_last_but_one(close: FloatMatrix) -> FloatMatrix:
        wanted = np.zeros(close.shape)
        wanted[-2:-1] = 0.5
        return wanted

    found = look_ahead(wanting(on_the_last_but_one), RISING)

    assert found is not None
    assert found.size == 0.5


def test_evidence_that_looks_ahead_is_found_even_where_the_exposure_does_not():
    def opinion(history: MarketHistory) -> Opinion:
        return Opinion(np.zeros(history.close.shape), {"best": np.full(history.close.shape, history.close.max())})

    found = look_ahead(opinion, RISING)

    assert found is not None
    assert (found.number, found.known_then, found.known_later) == ("best", 100.0, 299.0)


@pytest.mark.parametrize(
    "exposure",
    [
        lambda close: np.zeros(close.shape),
        lambda close: np.full(close.shape, np.nan),  # unknown is unknown
        lambda close: close / np.maximum.accumulate(close, axis=0),
        lambda close: np.concatenate([np.zeros((1, close.shape[1])), (close[1:] > close[:-1]).astype(float)]),
    ],
)
def test_what_uses_the_past_only_is_left_alone(exposure):
    assert look_ahead(wanting(exposure), RISING) is None


def test_a_history_of_one_session_cannot_be_shortened():
    assert look_ahead(wanting(tomorrow), closes(1.0)) is None
