from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import column, history
from trading_bot.strategies.ema_cross import EmaCross

ONE_AND_THREE = EmaCross(fast=1, slow=3)


@pytest.mark.parametrize(
    ("closes", "exposure"),
    [
        # a span of 1 is the close itself; the mean of span 3 begins at 2 and moves half the way: 3, 3, 2
        ([1, 2, 3, 4, 3, 1], [0, 0, 1, 1, 0, 0]),
        ([5, 5, 5, 5], [0, 0, 0, 0]),
        ([1, 2], [0, 0]),
    ],
)
def test_held_while_the_fast_mean_is_above_the_slow_one(closes, exposure):
    assert ONE_AND_THREE.opinion(history(column(*closes))).exposure[:, 0].tolist() == exposure


def test_sold_short_below_where_that_is_wanted():
    exposure = EmaCross(fast=1, slow=3, short=True).opinion(history(column(1, 2, 3, 4, 3, 1))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 1, 1, 0, -1]


def test_on_crossings_it_waits_for_the_first_one():
    exposure = EmaCross(fast=1, slow=3, act_on="crossings").opinion(history(column(1, 2, 3, 4, 1, 4, 4))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("evidence", "exposure", "words"),
    [
        ({"fast": 4.5, "slow": 3.0}, 1.0, "the 1-session exponential mean 4.50 is above the 3-session one 3.00"),
        ({"fast": 4.5, "slow": np.nan}, 0.0, "fewer than 3 closes are known, or none of late"),
    ],
)
def test_the_reason_compares_the_means(evidence, exposure, words):
    assert ONE_AND_THREE.reason(evidence, exposure) == words
