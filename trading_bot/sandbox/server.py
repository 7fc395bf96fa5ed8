"""The sandbox's sockets: HTTP on 127.0.0.1, one thread a connection."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from trading_bot.sandbox.control import control
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.faults import Fault, Faults
from trading_bot.sandbox.market import SandboxClock
from trading_bot.sandbox.routes import Answer, Request, answer
from trading_bot.sandbox.stream import Stream

log = logging.getLogger(__name__)

API_KEY, SECRET_KEY = "SANDBOX", "sandbox-secret"  # opens nothing but a sandbox on this machine
UNKNOWN_KEYS = Answer(401, {"code": 40110000, "message": "request is not authorized"})
LONGEST_LOG = 10_000  # requests


class Sandbox:
    """A broker on 127.0.0.1 for as long as the `with` lasts."""

    def __init__(
        self,
        exchange: SandboxExchange,
        clock: SandboxClock,
        *,
        port: int = 0,
        latency_seconds: float = 0,
        stream: bool = False,
    ) -> None:
        """Prepare to listen on `port`; 0 takes a free one. Every answer comes `latency_seconds` late.

        `stream`: order updates are told by a websocket, too, on a free port of its own.
        """
        self.exchange, self.clock, self.faults = exchange, clock, Faults()
        self.latency_seconds = latency_seconds
        self.requests: deque[str] = deque(maxlen=LONGEST_LOG)  # "POST /v2/orders", oldest first
        self.most_at_once = 0  # requests that were here and not answered yet
        self._here, self._counting = 0, threading.Lock()
        self.stream = Stream(exchange, (API_KEY, SECRET_KEY)) if stream else None
        self._port = port
        self._server: _Server | None = None

    @contextmanager
    def counted(self) -> Generator[None]:
        """Count one request as here while its answer is waited for."""
        with self._counting:
            self._here += 1
            self.most_at_once = max(self.most_at_once, self._here)
        try:
            yield
        finally:
            with self._counting:
                self._here -= 1

    @property
    def url(self) -> str:
        """Where it listens; http, as nothing leaves the machine."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.refuse()

    def listen(self) -> None:
        """Take connections, on the same port as before where there was one."""
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True).start()
        if self.stream is not None:
            self.stream.listen()

    def refuse(self) -> None:
        """Refuse connections until `listen` is called, and cut those there are."""
        if self.stream is not None:
            self.stream.refuse()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None

    def sent(self, method: str, path: str) -> int:
        """Return how many requests of this kind have come in."""
        return sum(1 for request in self.requests if request.partition("?")[0] == f"{method} {path}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # connections that come at once; the library's 5 would cut the others
    block_on_close = False

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            log.debug("A client at %s went away", client_address)
        else:
            super().handle_error(request, client_address)

    def cut(self) -> None:
        """Close every connection that is still open."""
        self.stopping.set()
        for connection in tuple(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("A connection was closed already")


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version, sys_version = "sandbox", ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the library's
        log.debug(format, *args)

    def _handle(self) -> None:
        request = self._read()
        if request.path.startswith("/control/"):
            self._send(control(self.server.sandbox, request))
            return
        sandbox = self.server.sandbox
        sandbox.requests.append(f"{request.method} {self.path}")
        with sandbox.counted():
            self._wait(sandbox.latency_seconds)
        if not self._knows_us():
            self._send(UNKNOWN_KEYS)
            return
        fault = sandbox.faults.take(request.method, request.path)
        given = answer(sandbox.exchange, request) if fault is None or fault.carried_out else None
        if fault is not None:
            self._go_wrong(fault)
        elif given is not None:
            self._send(given)

    do_GET = do_POST = do_DELETE = do_PATCH = _handle  # noqa: N815  # the library looks for these names

    def _read(self) -> Request:
        split = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body: dict[str, Any] = json.loads(raw) if raw else {}
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        return Request(self.command, split.path, query, body)

    def _knows_us(self) -> bool:
        given = (self.headers.get("APCA-API-KEY-ID"), self.headers.get("APCA-API-SECRET-KEY"))
        return given == (API_KEY, SECRET_KEY)

    def _go_wrong(self, fault: Fault) -> None:
        self._wait(fault.hang_seconds)
        if fault.drop:
            self.close_connection = True
            return
        self._write(fault.status, fault.body, fault.content_type, fault.headers)

    def _send(self, given: Answer) -> None:
        self._write(given.status, given.text, "application/json", {})

    def _write(self, status: int, body: str, content_type: str, headers: Mapping[str, str]) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _wait(self, seconds: float) -> None:
        if seconds:
            self.server.stopping.wait(seconds)
