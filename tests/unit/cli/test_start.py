"""What `bensbot` does before it loads anything, so that loading and calling are quick."""

from __future__ import annotations

import statistics
import threading
import time

from trading_bot.cli import main

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


def test_a_call_costs_the_same_however_deep_it_is_below_main():
    prices: list[float] = []

    def under_main() -> None:
        walk_down(DEPTH, prices)

    under_main.__code__ = under_main.__code__.replace(co_stacksize=main.__code__.co_stacksize)
    thread = threading.Thread(target=under_main)  # which has a stack of its own, an empty one
    thread.start()
    thread.join()

    assert len(prices) == DEPTH + 1
    assert max(prices) < 30 * statistics.median(prices)  # without room for them 150 to 250 times
