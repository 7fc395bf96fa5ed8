from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies.markets import walk
from trading_bot.strategies.running import (
    LONG,
    MANY_COLUMNS,
    OUT,
    SHORT,
    VERY_MANY_COLUMNS,
    decay,
    held,
    latched,
    running_sums,
)

NOTHING = 0
EVERY_WAY = [3, MANY_COLUMNS + 1, VERY_MANY_COLUMNS + 1]  # columns


def events(*happened: int) -> np.ndarray:
    return np.array(happened, dtype=np.int8)[:, None]


@pytest.mark.parametrize("columns", EVERY_WAY)
def test_running_sums_add_up_row_by_row(columns: int):
    values = walk(1, symbols=columns)
    sums, expected = running_sums(values), np.zeros(columns)

    for row, value in enumerate(values):
        expected = expected + value if row else value
        assert np.array_equal(sums[row], expected)


@pytest.mark.parametrize("columns", EVERY_WAY)
@pytest.mark.parametrize("keep", [0.0, 1e-10, 0.5, 11 / 13, 0.999])
def test_each_row_keeps_a_part_of_the_one_before(keep: float, columns: int):
    values = walk(2, symbols=columns)
    sums, expected = decay(values.copy(), keep), np.zeros(columns)

    for row, value in enumerate(values):
        expected = keep * expected + value
        assert np.allclose(sums[row], expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("columns", EVERY_WAY)
def test_the_first_rows_are_the_same_bits_whatever_follows(columns: int):
    values = walk(3, symbols=columns)

    assert np.array_equal(decay(values[:97].copy(), 0.9), decay(values.copy(), 0.9)[:97])


def test_states_last_however_long_the_history():
    long = np.zeros((20_000, 1), dtype=np.int8)
    long[[5, 9_000, 19_999], 0] = LONG, SHORT, OUT

    assert latched(long)[[4, 5, 8_999, 9_000, 19_998, 19_999], 0].tolist() == [0, 1, 1, -1, -1, 0]


@pytest.mark.parametrize(
    ("happened", "exposure"),
    [
        ([NOTHING, LONG, NOTHING, OUT, NOTHING], [0, 1, 1, 0, 0]),
        ([LONG, SHORT, NOTHING, LONG], [1, -1, -1, 1]),
        ([SHORT, NOTHING, OUT], [-1, -1, 0]),
        ([OUT, NOTHING], [0, 0]),
        ([], []),
    ],
)
def test_a_state_lasts_until_the_next_event(happened, exposure):
    assert latched(events(*happened))[:, 0].tolist() == exposure


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40), st.sampled_from(EVERY_WAY))
def test_held_from_entering_until_leaving_and_leaving_wins(signs, columns):
    enter = np.array([[sign[0]] * columns for sign in signs], dtype=bool).reshape(-1, columns)
    leave = np.array([[sign[1]] * columns for sign in signs], dtype=bool).reshape(-1, columns)
    expected, now = [], 0.0
    for goes_in, goes_out in signs:
        now = 0.0 if goes_out else 1.0 if goes_in else now
        expected.append(now)

    assert held(enter, leave)[:, columns - 1].tolist() == expected
