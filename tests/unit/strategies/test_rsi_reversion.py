from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.strategies.rsi_reversion import RsiReversion

DEFAULT = RsiReversion()


@pytest.mark.parametrize(
    ("strengths", "held"),
    [
        ([50, 29.9, 40, 50, 50.1, 40], [0, 1, 1, 1, 0, 0]),  # bought below 30, sold above 50
        ([30, 30, 30], [0, 0, 0]),  # on the threshold nothing is bought
        ([20, 50, 50], [1, 1, 1]),  # on the threshold nothing is sold
        ([20, 60, 20, 60], [1, 0, 1, 0]),
        ([20, NO_VALUE, 40, 20], [1, 0, 0, 1]),  # unknown ends it, and only a new fall begins it
        ([NO_VALUE, NO_VALUE], [0, 0]),
        ([45, 35, 31, 45], [0, 0, 0, 0]),  # never fell below
        ([0, 100], [1, 0]),
    ],
)
def test_held_from_oversold_until_recovered(strengths, held):
    assert DEFAULT._held(column(*strengths))[:, 0].tolist() == held


def test_each_symbol_has_a_state_of_its_own():
    strengths = np.array([[20.0, 60.0], [40.0, 20.0], [60.0, 40.0]])

    assert DEFAULT._held(strengths).tolist() == [[1, 0], [1, 1], [0, 1]]


def test_a_fall_is_bought_and_a_recovery_sold():
    # period 2, changes -1 -1 +3 +1: gains' mean 0, 1.5, 1.25; losses' mean 1, .5, .25; strengths 0, 75, 83.3
    exposure = RsiReversion(period=2).opinion(history(column(10, 9, 8, 11, 12))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 1, 0, 0]


def test_a_gap_of_a_few_sessions_does_not_end_a_holding():
    closes = [10, 9, 8, NO_VALUE, NO_VALUE]

    assert RsiReversion(period=2).opinion(history(column(*closes))).exposure[:, 0].tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("strength", "exposure", "words"),
    [
        (25.04, 1.0, "RSI 25.0 is below 30: oversold"),
        (41.26, 1.0, "RSI 41.3 is recovering from below 30 and not above 50 yet"),
        (63.0, 0.0, "RSI 63.0 has not fallen below 30"),
        (NO_VALUE, 0.0, "the RSI needs 15 closes"),
    ],
)
def test_the_reason_names_the_threshold_that_counts(strength, exposure, words):
    assert DEFAULT.reason({"rsi": strength}, exposure) == words
