"""How long a test waits for what another process does, and how much of a sweep is enough.

A wait ends as soon as its condition holds, so a long limit costs nothing where all is well, and no test fails because
the machine is busy with something else.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

PATIENCE = 300.0  # seconds: starting a server or a run takes ten on a quiet machine with two cores
POLL_SECONDS = 0.2

# A whole sweep takes minutes and is left for releases. An odd step meets what comes before and what comes after a call.
EVERY = pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.endurance)], ids="one in {}".format)


def within(seconds: float, true: Callable[[], object]) -> bool:
    """Say whether it became true in that time; return as soon as it does."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def until(said: str, true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for it, and fail with these words when it does not come true."""
    assert within(seconds, true), f"not within {seconds:.0f} s: {said}"
