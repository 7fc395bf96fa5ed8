"""Who still holds what trades no more is told so."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.backtest.pasts import past
from tests.unit.strategies.markets import letters
from trading_bot.backtest.frozen import frozen

NONE = float("nan")
FIRST, SECOND = letters(2)


@pytest.mark.parametrize("missing", [0, 1, 5])
def test_a_gap_of_a_week_is_no_end(missing: int):
    closes = np.array([[10.0, 20.0]] * 8)
    closes[8 - missing :, 0] = NONE

    assert list(frozen(past(closes, closes), [FIRST, SECOND])) == []


def test_what_is_held_without_a_price_is_named_with_its_last_day():
    closes = np.array([[10.0, 20.0]] * 8)
    closes[2:, 0] = NONE

    (note,) = frozen(past(closes, closes), [SECOND, FIRST])

    assert note == (
        f"Still held, and without a price at the end: {FIRST} (last traded on 2020-03-03). Counted at the last close; "
        "what it would bring nobody knows."
    )
    assert list(frozen(past(closes, closes), [SECOND])) == []
