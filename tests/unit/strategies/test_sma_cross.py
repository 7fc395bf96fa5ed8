from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import column, history
from trading_bot.strategies.sma_cross import SmaCross

TWO_AND_FOUR = SmaCross(fast=2, slow=4)


@pytest.mark.parametrize(
    ("closes", "exposure"),
    [
        # means of 2:        1.5  2.5  3.5  3.5  2.5
        # means of 4:                  2.5  3.0  3.0
        ([1, 2, 3, 4, 3, 2], [0, 0, 0, 1, 1, 0]),
        ([4, 3, 2, 1], [0, 0, 0, 0]),
        ([1, 2, 3], [0, 0, 0]),
        ([5, 5, 5, 5, 5], [0, 0, 0, 0, 0]),
        ([2, 4, 2, 4, 2, 4], [0, 0, 0, 0, 0, 0]),  # both means are 3 at every session
        ([0.1, 0.3, 0.1, 0.3, 0.1, 0.3], [0, 0, 0, 0, 0, 0]),  # equal but for rounding
    ],
)
def test_held_while_the_fast_mean_is_above_the_slow_one(closes, exposure):
    assert TWO_AND_FOUR.opinion(history(column(*closes))).exposure[:, 0].tolist() == exposure


def test_sold_short_while_it_is_below_where_that_is_wanted():
    exposure = SmaCross(fast=2, slow=4, short=True).opinion(history(column(4, 3, 2, 1, 2, 5))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 0, -1, -1, 1]


def test_on_crossings_nothing_is_held_before_the_first_one():
    # means of 2: 3.5 3.5 2.5 1.5 2.5; means of 4: 2.5 3 3 2.5 2
    closes, crossings = column(1, 2, 3, 4, 3, 2, 1, 4), SmaCross(fast=2, slow=4, act_on="crossings")

    assert SmaCross(fast=2, slow=4).opinion(history(closes)).exposure[:, 0].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert not crossings.opinion(history(closes)).exposure.any()  # on the last session 2.5 is a tie
    closes[-1] = 4.1
    assert crossings.opinion(history(closes)).exposure[:, 0].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]


def test_means_that_are_equal_are_no_trend_however_large_the_sums_before():
    closes = [1e7] * 3 + [1 / 3] * 40

    assert not TWO_AND_FOUR.opinion(history(column(*closes))).exposure[-30:].any()


def test_the_means_are_the_evidence():
    evidence = TWO_AND_FOUR.opinion(history(column(1, 2, 3, 6))).evidence

    assert evidence["fast"][-1, 0] == 4.5
    assert evidence["slow"][-1, 0] == 3.0


@pytest.mark.parametrize(
    ("evidence", "exposure", "words"),
    [
        ({"fast": 4.5, "slow": 3.0}, 1.0, "the 2-session mean 4.50 is above the 4-session mean 3.00"),
        ({"fast": 3.0, "slow": 3.0}, 0.0, "the 2-session mean 3.00 is not above the 4-session mean 3.00"),
        ({"fast": 3.0, "slow": np.nan}, 0.0, "fewer than 4 closes are known"),
    ],
)
def test_the_reason_compares_the_means(evidence, exposure, words):
    assert TWO_AND_FOUR.reason(evidence, exposure) == words
