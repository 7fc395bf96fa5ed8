"""How much memory each process takes over time."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.soaking.machine import memory, runs_of
from scripts.soaking.stack import Stack

EVERY = 5.0  # seconds
MB = 1024 * 1024


@dataclass
class Memory:
    """Resident bytes, sampled every five seconds: (pid, instant, bytes) of the services, the peak of each run."""

    services: dict[str, list[tuple[int, float, int]]] = field(default_factory=lambda: {"server": [], "serve": []})
    runs: dict[int, int] = field(default_factory=dict)  # by pid

    def sample(self, stack: Stack) -> None:
        """Look once."""
        for name, service in (("server", stack.server), ("serve", stack.serve)):
            if (pid := service.pid) and (size := memory(pid)):
                self.services[name].append((pid, time.time(), size))
        for run in runs_of(stack.folder):
            self.runs[run.pid] = max(self.runs.get(run.pid, 0), memory(run.pid))

    def last_life(self, name: str) -> list[tuple[float, int]]:
        """Return instants and bytes of the service's last life."""
        samples = self.services[name]
        return [(at, size) for pid, at, size in samples if pid == samples[-1][0]]

    def growth(self, name: str) -> Growth | None:
        """Return how a service grew in the second half of its last life, None where that was too short to tell.

        The median of the last sixth of its life against that of the fourth sixth: the first and the last third
        of the second half.
        """
        life = self.last_life(name) if self.services[name] else []
        half = life[len(life) // 2 :]
        third = len(half) // 3
        if third < 3:
            return None
        before = statistics.median(size for _, size in half[:third])
        after = statistics.median(size for _, size in half[-third:])
        return Growth(before / MB, after / MB, half[-1][0] - life[0][0])

    def of_runs(self) -> list[float]:
        """Return the MB of each run at its peak, in the order they were first seen."""
        return [size / MB for size in self.runs.values()]


@dataclass(frozen=True, slots=True)
class Growth:
    """Megabytes in the first and in the last third of the second half of a life, and its length in seconds."""

    before: float
    after: float
    life: float

    @property
    def share(self) -> float:
        """The growth as a fraction."""
        return self.after / self.before - 1


@contextmanager
def sampled(stack: Stack) -> Iterator[Memory]:
    """Sample in a thread until the block ends."""
    found, over = Memory(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            found.sample(stack)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
