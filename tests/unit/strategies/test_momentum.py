from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.strategies.momentum import Momentum


def one_return(*returns: float, lookback: int = 3, skip: int = 1) -> list[list[float]]:
    """Return closes of which the newest session has these returns: from 100, the skipped month far away."""
    then, now = [100.0] * len(returns), [100.0 * (1 + change) for change in returns]
    return [then, *[[55.0] * len(returns)] * (lookback - skip - 1), now, *[[1.0] * len(returns)] * skip]


@pytest.mark.parametrize(
    ("returns", "top", "held"),
    [
        ([0.4, 0.3, 0.2, 0.1], 0.5, [1, 1, 0, 0]),
        ([0.1, 0.2, 0.3, 0.4], 0.25, [0, 0, 0, 1]),
        ([0.4, 0.3, 0.2, 0.1], 1.0, [1, 1, 1, 1]),
        ([0.4, 0.3, 0.3, 0.1], 0.5, [1, 1, 1, 0]),  # tied with the last one that qualifies
        ([0.4, -0.1, -0.2, -0.3], 0.5, [1, 0, 0, 0]),  # a fall is never bought
        ([0.0, -0.1], 1.0, [0, 0]),  # nor is standing still
        ([-0.1, -0.2], 0.5, [0, 0]),
        ([0.4, 0.3, 0.2], 0.3, [1, 0, 0]),  # a part of a place is a whole one
        ([0.4, 0.3, 0.2, 0.1], 0.26, [1, 1, 0, 0]),
    ],
)
def test_the_top_share_of_positive_returns_is_held(returns, top, held):
    opinion = Momentum(lookback=3, skip=1, top=top).opinion(history(one_return(*returns)))

    assert opinion.exposure[-1].tolist() == held


def test_the_return_runs_from_lookback_to_skip_sessions_ago():
    closes = column(10, 20, 40, 80, 160)
    change = Momentum(lookback=3, skip=1, top=1.0).opinion(history(closes)).evidence["return"][:, 0]

    # session 3: from 10 (session 0) to 40 (session 2); session 4: from 20 to 80
    assert np.array_equal(change, [NO_VALUE, NO_VALUE, NO_VALUE, 3.0, 3.0], equal_nan=True)


def test_without_a_month_left_out_the_return_runs_to_today():
    change = Momentum(lookback=2, skip=0, top=1.0).opinion(history(column(10, 11, 15))).evidence["return"]

    assert change[-1, 0] == 0.5


def test_the_top_share_is_one_of_the_stocks_whose_return_is_known():
    closes = np.array(one_return(0.4, 0.3, 0.2, 0.1))
    closes[0, :2] = NO_VALUE  # listed later: two of four are known, half of them is one
    opinion = Momentum(lookback=3, skip=1, top=0.5).opinion(history(closes))

    assert opinion.exposure[-1].tolist() == [0, 0, 1, 0]
    assert opinion.evidence["cutoff"][-1].tolist() == pytest.approx([0.2] * 4)


def test_the_cutoff_is_the_lowest_return_that_belongs_to_the_top():
    opinion = Momentum(lookback=3, skip=1, top=0.5).opinion(history(one_return(0.4, 0.3, 0.2, 0.1)))

    assert opinion.evidence["cutoff"][-1].tolist() == pytest.approx([0.3] * 4)


@pytest.mark.parametrize(
    ("change", "cutoff", "exposure", "words"),
    [
        (0.251, 0.2, 1.0, "its 12-1 return +25.1% is among the top 30% (from +20.0%)"),
        (0.1, 0.2, 0.0, "its 12-1 return +10.0% is below the top 30% (from +20.0%)"),
        (-0.1, -0.2, 0.0, "its 12-1 return -10.0% is not positive"),
        (NO_VALUE, 0.2, 0.0, "the 12-1 return needs 253 closes"),
    ],
)
def test_the_reason_compares_return_and_cutoff(change, cutoff, exposure, words):
    assert Momentum().reason({"return": change, "cutoff": cutoff}, exposure) == words
