from __future__ import annotations

import numpy as np
import pytest

from tests.unit.strategies.markets import NO_VALUE, history
from trading_bot.strategies.dual_momentum import DualMomentum

# Sessions are weekdays from Monday, 2020-01-06: row 20 is 3 February, row 40 is 2 March.
FEBRUARY, MARCH = 20, 40


def prices(*at_february: float, sessions: int = 60) -> np.ndarray:
    """Return stocks at 100 dollars that have these prices in February and keep them."""
    close = np.full((sessions, len(at_february)), 100.0)
    close[FEBRUARY:] = at_february
    return close


def exposures(close: np.ndarray, **options: float) -> np.ndarray:
    return DualMomentum(lookback=20, **options).opinion(history(close)).exposure  # pyright: ignore[reportArgumentType]


def test_the_few_that_rose_most_are_held_for_the_month():
    exposure = exposures(prices(110, 130, 120, 90), hold=2)

    assert exposure[FEBRUARY - 1].tolist() == [0, 0, 0, 0]
    for row in (FEBRUARY, FEBRUARY + 7, MARCH - 1):
        assert exposure[row].tolist() == [0, 1, 1, 0]


def test_what_beats_the_others_and_not_cash_is_not_held_and_nothing_takes_its_place():
    assert exposures(prices(99, 90), hold=1)[FEBRUARY].tolist() == [0, 0]
    # 10 % a year are 0.76 % over 20 of 252 sessions
    assert exposures(prices(100.7, 100.8), hold=2, hurdle=0.1)[FEBRUARY].tolist() == [0, 1]


def test_stocks_tied_with_the_last_one_are_held_too():
    assert exposures(prices(110, 120, 110, 105), hold=2)[FEBRUARY].tolist() == [1, 1, 1, 0]


def test_a_return_equal_to_cash_is_a_tie_and_not_held():
    assert exposures(prices(100, 100), hold=1)[FEBRUARY:].any() == False  # noqa: E712


def test_what_stops_trading_is_let_go_within_the_month():
    close = prices(110, 120)
    close[FEBRUARY + 2 :, 1] = NO_VALUE

    held = exposures(close, hold=1)[:, 1]
    assert held[FEBRUARY : FEBRUARY + 7].tolist() == [1] * 7  # a gap of five sessions is bridged
    assert not held[FEBRUARY + 7 :].any()


@pytest.mark.parametrize(
    ("change", "exposure", "words"),
    [
        (0.2, 1.0, " +20.0% at the beginning of the month is among the best 5 (from +10.0%) and above cash (+0.0%)"),
        (0.05, 0.0, " +5.0% at the beginning of the month is not among the best 5 (from +10.0%)"),
        (0.2, 0.0, " +20.0% at the beginning of the month was good enough, but it has not traded of late"),
    ],
)
def test_the_reason_names_the_test_that_decided(change, exposure, words):
    said = DualMomentum().reason({"return": change, "cutoff": 0.1}, exposure)

    assert said == f"its 252-session return{words}"


def test_the_reason_names_cash_where_cash_was_better():
    said = DualMomentum().reason({"return": -0.1, "cutoff": -0.2}, 0.0)

    assert said.endswith("-10.0% at the beginning of the month is not above cash (+0.0%)")
