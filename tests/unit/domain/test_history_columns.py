from __future__ import annotations

import pickle

import pytest

from tests.unit.strategies.markets import history
from trading_bot.domain.market import Symbol

HISTORY = history([[1.0, 2.0], [3.0, 4.0]], ["BBB", "AAA"])


def test_a_symbol_is_found_in_its_column():
    assert [HISTORY.find(Symbol(name)) for name in ("BBB", "AAA", "ZZZ")] == [0, 1, None]


def test_asking_for_the_column_of_a_stranger_is_an_error():
    with pytest.raises(ValueError, match="ZZZ is not one of the 2 symbols"):
        HISTORY.column(Symbol("ZZZ"))


def test_a_part_of_a_history_and_a_copy_of_it_have_the_same_columns():
    for part in (HISTORY.rows(slice(0, 1)), HISTORY.until(HISTORY.last_session), pickle.loads(pickle.dumps(HISTORY))):
        assert part.column(Symbol("AAA")) == 1
