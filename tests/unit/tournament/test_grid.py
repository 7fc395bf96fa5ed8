from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.domain.errors import PluginError, SettingsError
from trading_bot.domain.tournament import Candidate
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.grid import CELLS_A_SECOND, chunks, expand


def labels(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.label for candidate in candidates]


def test_every_value_is_combined_with_every_other_and_what_the_strategy_refuses_is_left_out():
    found = expand("sma_cross", {"fast": [5, 20], "slow": [10, 50]}, STRATEGIES.build)

    assert labels(found.candidates) == [
        "sma_cross(fast=5, slow=10)",
        "sma_cross(fast=5, slow=50)",
        "sma_cross(fast=20, slow=50)",
    ]
    assert list(found.refused) == ["sma_cross(fast=20, slow=10)"]
    assert "fast=20 must be below slow=10" in found.refused["sma_cross(fast=20, slow=10)"]


def test_an_empty_grid_is_the_strategy_as_it_comes():
    assert labels(expand("momentum", {}, STRATEGIES.build).candidates) == ["momentum"]


def test_a_combination_that_is_listed_twice_counts_once():
    assert len(expand("momentum", {"top": [0.1, 0.1, 0.2]}, STRATEGIES.build).candidates) == 2


def test_a_grid_of_which_nothing_is_left_says_why():
    with pytest.raises(SettingsError, match=r"grid of sma_cross has no combination.*\n.*fast=50 must be below slow=50"):
        expand("sma_cross", {"fast": [50, 60], "slow": [50]}, STRATEGIES.build)


def test_a_misspelt_option_is_named():
    with pytest.raises(SettingsError, match="has no option 'fats'"):
        expand("sma_cross", {"fats": [5, 10]}, STRATEGIES.build)


@pytest.mark.parametrize(
    ("name", "grid", "said"),
    [
        ("sma_cross", {"fast": [5, "x"]}, "fast is 'x'; it must be a whole number"),
        ("sma_cross", {"fast": [5], "slow": [50, 0]}, "slow is 0; it must be above 0"),
        ("ensemble", {"members": [["momentum"], ["momentun"]]}, "no strategy called 'momentun'"),
    ],
)
def test_a_value_that_is_wrong_in_every_combination_is_named(name: str, grid: dict[str, list[Any]], said: str):
    with pytest.raises(SettingsError, match=said):
        expand(name, grid, STRATEGIES.build)


def test_a_value_that_the_strategy_refuses_beside_all_others_is_told():
    found = expand("sma_cross", {"fast": [5, 20, 60], "slow": [10, 50]}, STRATEGIES.build)

    assert found.unused == ("sma_cross refuses fast=60 in every combination of its grid",)


def test_an_option_without_values_is_named():
    with pytest.raises(SettingsError, match="no value for 'fast'"):
        expand("sma_cross", {"fast": []}, STRATEGIES.build)


def test_an_unknown_strategy_is_refused():
    with pytest.raises((PluginError, SettingsError), match="no strategy called 'sma_crss'"):
        expand("sma_crss", {"fast": [5]}, STRATEGIES.build)


@given(number=st.integers(0, 60), cells=st.integers(0, 4 * CELLS_A_SECOND), seconds=st.floats(0.1, 10))
def test_portions_hold_every_candidate_once_in_order_and_none_is_too_long_to_be_split_further(number, cells, seconds):
    candidates = tuple(Candidate("momentum", {"lookback": 30 + place}) for place in range(number))

    portions = chunks(candidates, cells=cells, seconds=seconds)

    assert tuple(chain.from_iterable(portions)) == candidates
    assert all(len(one) == 1 or len(one) * cells <= CELLS_A_SECOND * seconds for one in portions)
    sizes = {len(one) for one in portions}
    assert not sizes or (0 not in sizes and max(sizes) - min(sizes) <= 1)
