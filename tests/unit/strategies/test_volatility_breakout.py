from __future__ import annotations

import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.strategies.volatility_breakout import VolatilityBreakout

SMALL = VolatilityBreakout(window=3, period=2, multiple=1.0)


@pytest.mark.parametrize(
    ("closes", "exposure"),
    [
        # means 11, 13.67, 12.33; average ranges 1.5, 4.25
        ([10, 12, 11, 18, 8], [0, 0, 0, 1, 0]),  # 18 > 13.67 + 4.25; 8 < 12.33
        ([10, 11, 12, 13], [0, 0, 0, 0]),  # 12 is on 11 + 1, and 13 on 12 + 1
        ([10, 12, 11, 18, 15], [0, 0, 0, 1, 1]),  # inside the channel and above its mean
        ([5, 5, 5, 5], [0, 0, 0, 0]),
    ],
)
def test_held_from_far_above_the_mean_to_below_it(closes, exposure):
    assert SMALL.opinion(history(column(*closes))).exposure[:, 0].tolist() == exposure


def test_sold_short_from_far_below_the_mean_to_above_it_where_that_is_wanted():
    exposure = VolatilityBreakout(3, 2, 1.0, short=True).opinion(history(column(10, 8, 9, 2, 5, 9))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 0, -1, -1, 0]


@pytest.mark.parametrize(
    ("close", "exposure", "words"),
    [
        (
            16.0,
            1.0,
            "it rose 1 average true ranges (of 3.00 now) above its mean, and the close 16.00 is not below the mean "
            "12.00 yet",
        ),
        (
            4.0,
            -1.0,
            "it fell 1 average true ranges (of 3.00 now) below its mean, and the close 4.00 is not above the mean "
            "12.00 yet",
        ),
        (
            13.0,
            0.0,
            "the close 13.00 has not moved 1 average true ranges (of 3.00 now) away from its mean 12.00, or came back",
        ),
        (NO_VALUE, 0.0, "fewer than 3 sessions are known, or none of late"),
    ],
)
def test_the_reason_measures_in_true_ranges(close, exposure, words):
    assert SMALL.reason({"close": close, "mean": 12.0, "atr": 3.0}, exposure) == words
