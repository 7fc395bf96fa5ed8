from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import column, history, walk
from trading_bot.strategies.averages import exponential_mean
from trading_bot.strategies.macd import Macd

SMALL = Macd(fast=1, slow=3, signal=1)  # a signal of span 1 is the MACD itself


def test_lines_that_are_the_same_are_no_trend():
    assert not SMALL.opinion(history(walk(1))).exposure.any()


def test_held_while_the_macd_is_above_its_signal():
    # closes 1 2 3 6 6 3; span 3: 2, 4, 5, 4; MACD 1, 2, 1, -1; signal of span 3: -, -, 1.33…, then half the way: 1/6
    opinion = Macd(fast=1, slow=3, signal=3).opinion(history(column(1, 2, 3, 6, 6, 3)))

    assert opinion.evidence["macd"][2:, 0].tolist() == [1, 2, 1, -1]
    assert opinion.evidence["signal"][4:, 0] == pytest.approx([4 / 3, 1 / 6])
    assert opinion.exposure[:, 0].tolist() == [0, 0, 0, 0, 0, 0]


def test_sold_short_below_the_signal_where_that_is_wanted():
    exposure = Macd(fast=1, slow=3, signal=3, short=True).opinion(history(column(1, 2, 3, 6, 6, 3))).exposure

    assert exposure[:, 0].tolist() == [0, 0, 0, 0, -1, -1]


def test_on_crossings_it_is_held_less_than_on_levels():
    bars = history(walk(2))
    levels, crossings = (Macd(act_on=act_on).opinion(bars).exposure for act_on in ("levels", "crossings"))

    assert (crossings <= levels).all()
    assert 0 < crossings.sum() < levels.sum()


@pytest.mark.parametrize("short", [False, True])
def test_with_a_tolerance_the_lines_have_to_come_apart_and_what_holds_stays_until_they_have(short):
    bars = history(walk(3, symbols=4))
    opinion = Macd(tolerance=0.0025, short=short).opinion(bars)
    apart = opinion.evidence["macd"] - opinion.evidence["signal"]
    far = 0.0025 * exponential_mean(bars.close, 12)
    wanted = np.zeros_like(apart)
    for place in range(apart.shape[1]):  # as one would trade it by hand
        holds = 0.0
        for row in range(len(apart)):
            if apart[row, place] > far[row, place]:
                holds = 1.0
            elif apart[row, place] < -far[row, place]:
                holds = -1.0 if short else 0.0
            wanted[row, place] = holds

    assert np.array_equal(opinion.exposure, wanted)
    assert (wanted != Macd(short=short).opinion(bars).exposure).any()


def test_a_gap_ends_what_a_tolerance_keeps():
    close = walk(3)
    before = Macd(tolerance=0.0025).opinion(history(close)).exposure
    row = int(before[:-10, 0].nonzero()[0][-1])  # held here
    close[row + 1 :, 0] = np.nan
    after = Macd(tolerance=0.0025).opinion(history(close)).exposure

    assert (after[row, 0], after[row + 7, 0]) == (1, 0)  # five missing closes are bridged


@pytest.mark.parametrize(
    ("exposure", "words"),
    [
        (1.0, "when last 0.25% of the fast mean apart, the MACD was above"),
        (0.0, "they were never 0.25% of the fast mean apart, or the MACD was below when they last were"),
        (-1.0, "when last 0.25% of the fast mean apart, the MACD was below"),
    ],
)
def test_the_reason_tells_of_the_tolerance(exposure, words):
    said = Macd(tolerance=0.0025, short=True).reason({"macd": 1.5, "signal": 1.25}, exposure)

    assert said == f"the MACD +1.500 of 12 and 26 sessions, its 9-session signal +1.250: {words}"


@pytest.mark.parametrize(
    ("evidence", "exposure", "words"),
    [
        (
            {"macd": 1.5, "signal": 1.25},
            1.0,
            "the MACD +1.500 of 12 and 26 sessions is above its 9-session signal +1.250",
        ),
        ({"macd": 1.5, "signal": np.nan}, 0.0, "fewer than 34 closes are known, or none of late"),
    ],
)
def test_the_reason_compares_the_lines(evidence, exposure, words):
    assert Macd().reason(evidence, exposure) == words
