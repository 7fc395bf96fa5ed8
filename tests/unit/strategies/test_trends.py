from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, column, history
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.domain.market import Symbol
from trading_bot.strategies.sma_cross import SmaCross
from trading_bot.strategies.trends import compared, trend_exposure

TIE = 0.1  # lines closer than this are equal here


def exposure(fast: list[float], act_on, short: bool) -> list[float]:
    """Return the exposure for a slow line at 0."""
    slow = column(*[0.0] * len(fast))
    slow[np.isnan(fast)] = np.nan
    return trend_exposure(column(*fast), slow, slow + TIE, act_on, short)[:, 0].tolist()


@pytest.mark.parametrize(
    ("fast", "long", "both"),
    [
        ([1, 1, 1], [1, 1, 1], [1, 1, 1]),
        ([-1, 1, -1], [0, 1, 0], [-1, 1, -1]),
        ([0.05, -0.05, 0], [0, 0, 0], [0, 0, 0]),  # ties
        ([1, NO_VALUE, -1], [1, 0, 0], [1, 0, -1]),
    ],
)
def test_on_levels_the_order_of_the_lines_counts(fast, long, both):
    assert exposure(fast, "levels", short=False) == long
    assert exposure(fast, "levels", short=True) == both


@pytest.mark.parametrize(
    ("fast", "long", "both"),
    [
        ([1, 1, 1], [0, 0, 0], [0, 0, 0]),  # above from the beginning: no crossing
        ([-1, 1, 2, -1, -2], [0, 1, 1, 0, 0], [0, 1, 1, -1, -1]),
        ([1, -1, 1], [0, 0, 1], [0, -1, 1]),
        ([-1, 0, 1], [0, 0, 0], [0, 0, 0]),  # through a tie: on neither session strictly from one side to the other
        ([-1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]),  # a tie ends nothing
        ([-1, 1, 0, -1], [0, 1, 1, 1], [0, 1, 1, 1]),
        ([-1, 1, NO_VALUE, 1, -1, 1], [0, 1, 0, 0, 0, 1], [0, 1, 0, 0, -1, 1]),  # a gap does
        ([NO_VALUE, 1], [0, 0], [0, 0]),
    ],
)
def test_on_crossings_only_strict_changes_of_side_count(fast, long, both):
    assert exposure(fast, "crossings", short=False) == long
    assert exposure(fast, "crossings", short=True) == both


def test_crossings_of_goog_are_the_66_that_backtesting_py_trades():
    # Its first and last entries are at the open of bars 70, 86, 113 and 2061, 2088, counted from 2004-08-19.
    bars = PRICE_SOURCES.build("sample-ohlcv", {}).bars(date(2013, 3, 1))
    close = bars.close[:, bars.symbols.index(Symbol("GOOG"))]
    listed = close[np.isfinite(close)][:, None]
    wanted = SmaCross(10, 30, act_on="crossings", short=True).opinion(history(listed)).exposure[:, 0]
    entered = np.flatnonzero(np.diff(wanted)) + 2  # decided at a close, filled at the next open

    assert (len(listed), len(entered)) == (2148, 66)
    assert entered[[0, 1, 2, -2, -1]].tolist() == [70, 86, 113, 2061, 2088]
    levels = SmaCross(10, 30, short=True).opinion(history(listed)).exposure
    assert np.count_nonzero(np.diff(levels[:, 0])) == 67  # and one that does not wait for a crossing


@pytest.mark.parametrize(
    ("exposure", "act_on", "words"),
    [
        (1.0, "levels", "A is above B"),
        (-1.0, "levels", "A is below B"),
        (0.0, "levels", "A is not above B"),
        (1.0, "crossings", "A crossed B upwards last"),
        (-1.0, "crossings", "A crossed B downwards last"),
        (0.0, "crossings", "A has not crossed B upwards, or crossed it downwards since"),
    ],
)
def test_words_say_what_the_exposure_depends_on(exposure, act_on, words):
    assert compared("A", "B", exposure, act_on) == words
