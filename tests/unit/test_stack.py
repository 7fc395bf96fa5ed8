"""What begins a process gives calls room, so that each costs the same."""

from __future__ import annotations

from types import FunctionType

import pytest

import flows.command
import flows.prefect_server
from trading_bot import cli
from trading_bot.stack import with_room

BLOCK = 16 * 1024 // 8  # places in the blocks in which Python makes frames


@pytest.mark.parametrize("begins", [cli.main, flows.command.main, flows.prefect_server.main])
def test_what_begins_a_process_has_a_block_with_room_for_all_that_it_calls(begins: FunctionType):
    assert begins.__code__.co_stacksize > 4 * BLOCK


def test_a_function_with_room_does_what_it_did():
    @with_room
    def sum_of(first: int, *others: int, times: int = 1) -> int:
        return times * (first + sum(others))

    assert sum_of(1, 2, 3, times=2) == 12
