"""Answers that are kept for whoever asks the same, and for no longer than they ask."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from trading_bot.domain.market import FloatMatrix
from trading_bot.domain.sharing import KEPT, shared, sharing

asked: list[tuple[float, float]] = []


@pytest.fixture(autouse=True)
def nobody_has_asked():
    asked.clear()


@shared
def times(values: FloatMatrix, factor: float) -> FloatMatrix:
    asked.append((float(values.flat[0]), factor))
    return values * factor


@shared
def both(values: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix, None]:
    return values, values + 1.0, None


@shared
def both_halves(values: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    return values / 2.0, values / 2.0


def lasting(first: float) -> FloatMatrix:
    values = np.full((2, 2), first)
    values.flags.writeable = False
    return values


def test_nothing_is_kept_unless_somebody_shares():
    values = lasting(1.0)

    assert times(values, 2.0) is not times(values, 2.0)
    assert len(asked) == 2


def test_the_same_question_about_the_same_array_is_answered_once():
    values = lasting(1.0)

    with sharing():
        assert times(values, 2.0) is times(values, 2.0)

    assert asked == [(1.0, 2.0)]


def test_another_array_or_another_number_is_another_question():
    ones, equal = lasting(1.0), lasting(1.0)

    with sharing():
        answers = [times(ones, 2.0), times(equal, 2.0), times(ones, 3.0)]

    assert [answer[0, 0] for answer in answers] == [2.0, 2.0, 3.0]
    assert len(asked) == 3


def test_an_array_that_may_still_change_is_asked_about_anew():
    values = np.ones((2, 2))

    with sharing():
        before = times(values, 2.0)
        values[:] = 5.0
        after = times(values, 2.0)

    assert (before[0, 0], after[0, 0]) == (2.0, 10.0)


def test_an_array_that_takes_the_place_of_a_freed_one_is_not_mistaken_for_it():
    with sharing():
        assert [times(lasting(float(number)), 2.0)[0, 0] for number in range(100)] == [2.0 * n for n in range(100)]


def test_no_more_answers_are_kept_than_promised_and_the_newest_asked_for_stay():
    values = lasting(1.0)

    with sharing():
        for factor in range(KEPT):
            times(values, factor)
        times(values, 0)  # asked for again: factor 1 is now the oldest
        times(values, KEPT)
        asked.clear()
        times(values, 0)
        times(values, 1)

    assert asked == [(1.0, 1)]


def test_an_answer_of_two_arrays_takes_the_place_of_two():
    values = lasting(1.0)

    with sharing():
        for factor in range(KEPT - 1):
            times(values, factor)
        both_halves(values)
        asked.clear()
        times(values, 1)
        times(values, 0)

    assert asked == [(1.0, 0)]


def test_what_was_kept_is_forgotten_with_the_block_even_when_it_fails():
    values = lasting(1.0)

    def fail() -> None:
        with sharing():
            times(values, 2.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    times(values, 2.0)
    with sharing():
        times(values, 2.0)

    assert len(asked) == 3


def test_a_block_within_a_block_begins_with_nothing_and_leaves_the_outer_one_as_it_was():
    values = lasting(1.0)
    with sharing():
        outer = times(values, 2.0)
        with sharing():
            assert times(values, 2.0) is not outer
        assert times(values, 2.0) is outer


def test_another_thread_shares_nothing():
    values = lasting(1.0)
    with sharing():
        times(values, 2.0)
        other = threading.Thread(target=times, args=(values, 2.0))
        other.start()
        other.join()

    assert len(asked) == 2


def test_answers_are_read_only_with_sharing_and_without():
    with sharing():
        kept = times(lasting(1.0), 2.0)

    for answer in (kept, times(np.ones((2, 2)), 2.0), both(np.ones((2, 2)))[1]):
        with pytest.raises(ValueError, match="read-only"):
            answer[0] = 1.0


def test_an_array_that_was_handed_in_and_comes_back_stays_the_callers():
    values = np.ones((2, 2))
    assert both(values)[0] is values
    assert both(values=values)[0] is values

    values += 1.0
    assert values[0, 0] == 2.0
