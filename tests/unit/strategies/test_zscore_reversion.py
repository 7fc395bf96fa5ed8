from __future__ import annotations

import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.strategies.zscore_reversion import ZscoreReversion

FOUR = ZscoreReversion(window=4, begin=0.5, full=1.5)


@pytest.mark.parametrize(
    ("closes", "exposure"),
    [
        # three equal closes and one below: z = -3 / √3 = -1.732 whatever the fall
        ([10, 10, 10, 6], 1.0),
        # 10 10 8 8: z = -1, half the way from 0.5 to 1.5
        ([10, 10, 8, 8], 0.5),
        # 8 8 6 7 … z = (7 - 7.25) / √0.6875 = -0.30: not far enough
        ([8, 8, 6, 7], 0.0),
        ([8, 8, 10, 10], 0.0),
        ([8, 8, 8, 8], 0.0),
        ([1 / 3, 1 / 3, 1 / 3, 1 / 3], 0.0),
    ],
)
def test_the_further_below_its_mean_the_more_is_held(closes, exposure):
    assert FOUR.opinion(history(column(*closes))).exposure[-1, 0] == pytest.approx(exposure, abs=1e-12)


def test_above_the_mean_it_is_sold_short_in_the_same_way_where_that_is_wanted():
    short = ZscoreReversion(window=4, begin=0.5, full=1.5, short=True)

    assert short.opinion(history(column(8, 8, 10, 10))).exposure[-1, 0] == pytest.approx(-0.5)
    assert short.opinion(history(column(10, 10, 8, 8))).exposure[-1, 0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("z", "exposure", "words"),
    [
        (-1.0, 0.5, "the close lies 1.00 standard deviations below its mean 9.00: 50% of a full position"),
        (-0.2, 0.0, "the close lies 0.20 standard deviations below its mean 9.00, not more than 0.5 below"),
        (1.2, 0.0, "the close lies 1.20 standard deviations above its mean 9.00, not more than 0.5 below"),
        (NO_VALUE, 0.0, "no z-score: fewer than 4 closes are known, or they do not differ"),
    ],
)
def test_the_reason_names_the_distance(z, exposure, words):
    assert FOUR.reason({"z": z, "mean": 9.0}, exposure) == words
