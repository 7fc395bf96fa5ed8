"""The few answers of a Prefect server that the commands ask for, without a server that takes seconds to start."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

LOOP, RUN, FLOW = (str(UUID(int=number)) for number in (1, 2, 3))


@dataclass
class FakePrefect:
    """What the server knows. Every deployment is the same one, and a run ends as soon as it is asked for."""

    address: str = ""
    paused: bool = False
    under_way: bool = False
    ends_as: Mapping[str, str] = field(default_factory=lambda: {"type": "COMPLETED", "name": "Completed"})
    ended: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])  # newest first
    sign_of_life: str | None = None  # when the newest event said that a cycle completed
    tables: dict[str, dict[str, str | None]] = field(default_factory=dict[str, dict[str, "str | None"]])
    asked_for: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def answer(self, path: str, body: Any) -> Any:
        """Do what is asked and return what the server would."""
        if "/csrf-token" in path:
            return {"client": "tests", "token": "made up", "expiration": "2100-01-01T00:00:00Z"}
        if "/deployments/" in path:
            return self._deployments(path, body)
        if path.endswith("/events/filter"):
            return {"events": [{"occurred": self.sign_of_life}] if self.sign_of_life else []}
        return self._artifacts(path, body) if "/artifacts" in path else self._runs(path, body)

    def _deployments(self, path: str, body: Any) -> Any:
        if path.endswith("/create_flow_run"):
            self.asked_for.append(body["parameters"]["params"])
            return self._run(self.ends_as)
        if body and "paused" in body:
            self.paused = body["paused"]
        polled = polled_at()
        known = {"id": LOOP, "name": "bensbot", "flow_id": FLOW, "paused": self.paused, "last_polled": polled}
        return [known] if path.endswith("/filter") else known

    def _artifacts(self, path: str, body: Any) -> Any:
        if path.endswith("/artifacts/"):
            self.tables[body["key"]] = {row["name"]: row["value"] for row in json.loads(body["data"])}
            return {"id": RUN, **body}
        if not path.endswith("/artifacts/filter"):
            return []
        rows = self.tables.get(body["artifacts"]["key"]["any_"][0], {})
        return [{"data": json.dumps([{"name": name, "value": value} for name, value in rows.items()])}]

    def _runs(self, path: str, body: Any) -> Any:
        if not path.endswith("/filter"):
            return self._run(self.ends_as)
        wanted = body["flow_runs"]["state"]
        if "COMPLETED" in wanted["type"]["any_"]:
            return [{**self._run(self.ends_as), **run} for run in self.ended]
        if "RUNNING" in wanted["type"]["any_"]:
            return [self._run({"type": "RUNNING", "name": "Running"})] if self.under_way else []
        late = "Late" in ((wanted["name"] or {}).get("any_") or ())
        planned = {**self._run({"type": "SCHEDULED", "name": "Scheduled"}), "expected_start_time": polled_at()}
        return [] if late else [planned]

    def _run(self, state: Mapping[str, str]) -> dict[str, Any]:
        return {"id": RUN, "name": "brave-owl", "flow_id": FLOW, "deployment_id": LOOP, "state": dict(state)}


def polled_at() -> str:
    """Return the present instant: somebody asks all the time, and the next run is due."""
    return datetime.now(UTC).isoformat()


@contextmanager
def fake_prefect() -> Generator[FakePrefect]:
    """Listen on a port of this machine until the end of the block."""
    known = FakePrefect()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
            """Say nothing."""

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            said = json.dumps(known.answer(self.path, json.loads(self.rfile.read(length) or "null"))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known.address = f"http://127.0.0.1:{server.server_port}/api"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield known
        finally:
            server.shutdown()
