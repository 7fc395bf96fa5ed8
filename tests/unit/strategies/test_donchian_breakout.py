from __future__ import annotations

import dataclasses

import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.strategies.donchian_breakout import DonchianBreakout

TWO_AND_ONE = DonchianBreakout(entry=2, exit=1)


@pytest.mark.parametrize(
    ("closes", "exposure"),
    [
        ([5, 6, 7, 8, 7], [0, 0, 1, 1, 0]),  # above 5 and 6; then below the low before
        ([5, 6, 6, 6], [0, 0, 0, 0]),  # on the high is no breakout
        ([5, 6, 7, 7, 7], [0, 0, 1, 1, 1]),  # on the low is none either
        ([0.1 + 0.2, 0.3, 0.1 + 0.2], [0, 0, 0]),  # equal but for rounding
        ([7, 6, 5, 4], [0, 0, 0, 0]),
    ],
)
def test_held_from_a_new_high_to_a_new_low(closes, exposure):
    assert TWO_AND_ONE.opinion(history(column(*closes))).exposure[:, 0].tolist() == exposure


def test_the_highs_and_lows_count_where_a_source_knows_them():
    bars = dataclasses.replace(history(column(5, 6, 7, 8)), high=column(9, 9, 7.5, 8))

    assert TWO_AND_ONE.opinion(bars).exposure[:, 0].tolist() == [0, 0, 0, 0]


def test_sold_short_from_a_new_low_to_a_new_high_where_that_is_wanted():
    exposure = DonchianBreakout(entry=2, exit=1, short=True).opinion(history(column(7, 6, 5, 4, 5, 6))).exposure

    assert exposure[:, 0].tolist() == [0, 0, -1, -1, 0, 1]


@pytest.mark.parametrize(
    ("close", "exposure", "words"),
    [
        (8.0, 1.0, "the close 8.00 is above 7.00, the high of the 2 sessions before"),
        (6.5, 1.0, "it broke its 2-session high, and 6.50 is not below 6.00 yet"),
        (5.0, -1.0, "it broke its 2-session low, and 5.00 is not above 7.50 yet"),
        (6.5, 0.0, "the close 6.50 has not broken the 2-session high 7.00, or came back since"),
        (NO_VALUE, 0.0, "fewer than 3 sessions are known"),
    ],
)
def test_the_reason_names_the_channel_that_counts(close, exposure, words):
    assert TWO_AND_ONE.reason({"close": close, "top": 7.0, "floor": 6.0, "ceiling": 7.5}, exposure) == words
