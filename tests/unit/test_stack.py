"""What begins a process gives calls room, so that each costs the same."""

from __future__ import annotations

import statistics
import threading
import time

import flows.command
import flows.prefect_server
from trading_bot import cli
from trading_bot.stack import with_room

DEPTH, CALLS = 400, 100  # calls within calls, as imports within imports are; and calls at each depth


def leaf() -> None:
    """Do nothing, with a frame that is larger than a step down, so that one of them crosses each edge."""


leaf.__code__ = leaf.__code__.replace(co_stacksize=50)


def price_of_calls() -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        leaf()
    return time.perf_counter() - began


def walk_down(depth: int, prices: list[float]) -> None:
    prices.append(min(price_of_calls() for _ in range(5)))  # the least: another process may have had its turn
    if depth:
        walk_down(depth - 1, prices)


def test_a_call_costs_the_same_however_deep_it_is_below_one_with_room():
    prices: list[float] = []

    @with_room
    def walk() -> None:
        walk_down(DEPTH, prices)

    thread = threading.Thread(target=walk)  # which has a stack of its own, an empty one
    thread.start()
    thread.join()

    assert len(prices) == DEPTH + 1
    assert max(prices) < 30 * statistics.median(prices)  # without room for them 150 to 250 times


def test_bensbot_and_the_script_of_a_cycle_begin_with_room():
    mains = (cli.main, flows.command.main, flows.prefect_server.main)

    assert {main.__code__.co_stacksize for main in mains} == {20_000}
