"""How often we may ask, and how long we wait."""

from __future__ import annotations

import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

AT_ONCE = 32  # requests that may wait for their answers at the same time
MOST_REQUESTS = 180  # in any minute; the broker's limit is 200
MINUTE = 60.0  # seconds
SHORTEST_WAIT = 0.001  # seconds; less may not move a clock at all, and then nobody would ever be through


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer is waited for, in seconds, and how often it is asked for again."""

    connect_seconds: float = 5
    read_seconds: float = 15
    waits: tuple[float, ...] = (0.5, 1, 2)  # between one attempt and the next
    longest_wait: float = 20  # the most that `Retry-After` may ask of us


class RateLimit:
    """Lets at most `most` requests through in any `seconds`; the next one waits until the oldest is that old."""

    def __init__(
        self,
        most: int = MOST_REQUESTS,
        seconds: float = MINUTE,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with nothing sent."""
        self._most, self._seconds = most, seconds
        self._monotonic, self._sleep = monotonic, sleep
        self._sent: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for a free place, and take it."""
        self._wait_for(1, taken=1)

    def make_way(self, requests: int) -> None:
        """Wait until as many, at most the limit, would pass at once. Takes no place."""
        self._wait_for(min(requests, self._most), taken=0)

    def _wait_for(self, places: int, *, taken: int) -> None:
        while (seconds := self._seconds_until(places, taken)) > 0:
            self._sleep(seconds)

    def _seconds_until(self, places: int, taken: int) -> float:
        """Return the seconds until so many places are free; when they are, take `taken` of them and return 0."""
        with self._lock:
            now = self._monotonic()
            while self._sent and now - self._sent[0] >= self._seconds:
                self._sent.popleft()
            too_many = len(self._sent) + places - self._most
            if too_many > 0:
                return max(self._seconds - (now - self._sent[too_many - 1]), SHORTEST_WAIT)
            self._sent.extend([now] * taken)
            return 0


def spread(wait: float, what: str) -> float:
    """Lengthen a wait by up to a quarter, each asker by another part: so that not all come back at once."""
    return wait * (1 + zlib.crc32(what.encode()) / 2**32 / 4)
