"""What goes wrong on purpose: answers that are lost, late, wrong or refused, for the next requests that match."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, for `times` requests after the first `skip` that match.

    `status` 0 with `drop` closes the connection without an answer. `carried_out`: the request is done before that, so
    an order is accepted although its sender never learns of it.
    """

    method: str = "*"  # GET, POST, DELETE; * is any
    path: str = "/"  # what the path begins with
    status: int = 500
    body: str = '{"code":50010000,"message":"internal server error occurred"}'
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    drop: bool = False
    hang_seconds: float = 0  # before the answer, or before the connection is closed
    carried_out: bool = False
    times: int = 1
    skip: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Say whether the fault is meant for this request."""
        return self.method in ("*", method) and path.startswith(self.path)


def on_orders(**terms: Any) -> Fault:
    """Return a fault of the next order that is sent."""
    return Fault(method="POST", path="/v2/orders", **terms)


def rate_limited(retry_after: str | None = None, **terms: Any) -> Fault:
    """Return an answer 429, with `Retry-After` (seconds or an HTTP date) where one is given."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(status=429, body='{"code":42910000,"message":"rate limit exceeded"}', headers=headers, **terms)


def refused(status: int, code: int, message: str, **terms: Any) -> Fault:
    """Return a refusal in the words of the broker."""
    return Fault(status=status, body=f'{{"code":{code},"message":"{message}"}}', **terms)


def html_page(status: int = 502, **terms: Any) -> Fault:
    """Return a page of some machine between us and the broker, with whatever status."""
    return Fault(status=status, body=HTML, content_type="text/html", **terms)


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        """Begin without any."""
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Let these happen to the next requests that match."""
        with self._lock:
            self._waiting += faults

    def add_documents(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Do the same with faults as JSON. Raises TypeError on a field there is not."""
        self.add(*(Fault(**document) for document in documents))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> tuple[Fault, ...]:
        """Return what has not happened yet."""
        with self._lock:
            return tuple(self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        """Return what goes wrong with this request, None when it goes well; each time counts."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    self._waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                left = replace(fault, times=fault.times - 1)
                self._waiting[place : place + 1] = [left] if left.times else []
                return fault
        return None
