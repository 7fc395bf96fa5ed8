"""How long each step of a cycle takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import wraps
from types import MappingProxyType
from typing import Concatenate, ParamSpec, Protocol, TypeVar

Rest = ParamSpec("Rest")
Result = TypeVar("Result")
Timed = TypeVar("Timed", bound="HasStopwatch")


class Stopwatch:
    """Seconds by step, of one cycle at a time. A step that is tried again counts all its attempts."""

    def __init__(self, ticks: Callable[[], float] = time.perf_counter) -> None:
        """Start with nothing measured. `ticks` returns seconds and never runs backwards."""
        self._ticks = ticks
        self._token: int | None = None
        self._seconds: dict[str, float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """What each step took so far, in the order in which they first ended."""
        return MappingProxyType(self._seconds)

    def begin(self, lease_token: int) -> None:
        """Forget what another cycle took. The same lease is the same attempt at a cycle, and goes on counting."""
        if lease_token != self._token:
            self._token, self._seconds = lease_token, {}

    @contextmanager
    def measuring(self, step: str) -> Generator[None]:
        """Measure what happens inside, also when it fails."""
        start = self._ticks()
        try:
            yield
        finally:
            self._seconds[step] = self._seconds.get(step, 0.0) + (self._ticks() - start)


class HasStopwatch(Protocol):
    """A desk, as far as it is timed."""

    @property
    def stopwatch(self) -> Stopwatch | None:
        """What measures its steps, None where nobody asks."""
        ...


def timed(step: Callable[Concatenate[Timed, Rest], Result]) -> Callable[Concatenate[Timed, Rest], Result]:
    """Measure a step with the stopwatch of its desk, under the function's name."""

    @wraps(step)
    def measured(desk: Timed, *args: Rest.args, **named: Rest.kwargs) -> Result:
        stopwatch = desk.stopwatch
        if stopwatch is None:
            return step(desk, *args, **named)
        with stopwatch.measuring(step.__name__):
            return step(desk, *args, **named)

    return measured
