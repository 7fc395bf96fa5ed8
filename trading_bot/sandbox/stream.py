"""The sandbox's stream of order updates, as docs.alpaca.markets/docs/websocket-streaming describes it.

A client authenticates, says that it listens to `trade_updates`, and is told of each event in a binary frame.
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from trading_bot.sandbox.documents import stream_document

if TYPE_CHECKING:
    from websockets.sync.server import Server, ServerConnection

    from trading_bot.sandbox.exchange import SandboxExchange
    from trading_bot.sandbox.orders import Execution, SandboxOrder

PATH = "/stream"
UPDATES = "trade_updates"
LOOK_SECONDS = 1.0  # orders work only when somebody looks, and who listens does not ask

_log = logging.getLogger(__name__)
_log.addFilter(lambda _record: False)  # what the library writes down holds the client's keys


class Stream:
    """The websocket of one sandbox, on a port of its own."""

    def __init__(self, exchange: SandboxExchange, keys: tuple[str, str]) -> None:
        """Keep what is told, and who may hear it."""
        self._exchange, self._keys = exchange, keys
        self._listening: set[ServerConnection] = set()
        self._server: Server | None = None
        self.port = 0
        self.heard = threading.Event()  # set once somebody listens

    @property
    def url(self) -> str:
        """Where it listens; ws, as nothing leaves the machine."""
        return f"ws://127.0.0.1:{self.port}{PATH}"

    def listen(self) -> None:
        """Take connections, on the same port as before where there was one."""
        from websockets.sync.server import serve

        self._server = serve(self._talk, "127.0.0.1", self.port, logger=_log)
        self.port = int(self._server.socket.getsockname()[1])
        threading.Thread(target=self._server.serve_forever, name="sandbox-stream", daemon=True).start()
        self._exchange.listeners.append(self._tell)

    def refuse(self) -> None:
        """Take none any more, and cut those there are."""
        if self._server is None:
            return
        self._exchange.listeners.remove(self._tell)
        self._server.shutdown()
        self._server = None
        self.cut()

    def cut(self) -> None:
        """Cut everybody off who listens; they may come again."""
        self.heard.clear()
        for connection in tuple(self._listening):
            connection.close()

    def send(self, message: str | bytes) -> None:
        """Send everybody who listens a message, whatever it is."""
        from websockets.exceptions import ConnectionClosed

        for connection in tuple(self._listening):
            with suppress(ConnectionClosed):
                connection.send(message)

    def _tell(self, event: str, order: SandboxOrder, execution: Execution | None) -> None:
        message = json.dumps(stream_document(event, order, execution)).encode()
        behaviour = self._exchange.behaviour.stream
        for _ in range({"": 1, "twice": 2}.get(behaviour, 0)):
            self.send(message)

    def _talk(self, connection: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        if connection.request is None or connection.request.path != PATH:
            return
        with suppress(ConnectionClosed, ValueError):
            authorized = self._knows(json.loads(connection.recv()))
            status = {"status": "authorized" if authorized else "unauthorized", "action": "authenticate"}
            connection.send(json.dumps({"stream": "authorization", "data": status}).encode())
            while authorized:
                try:
                    self._answer(connection, json.loads(connection.recv(LOOK_SECONDS)))
                except TimeoutError:
                    self._exchange.orders()
        self._listening.discard(connection)

    def _knows(self, message: dict[str, Any]) -> bool:
        """Say whether these are our keys: `authenticate` has them in its data, the newer `auth` beside its action."""
        data = cast("dict[str, Any]", message.get("data") or {})
        given = (data.get("key_id", message.get("key")), data.get("secret_key", message.get("secret")))
        return message.get("action") in ("authenticate", "auth") and given == self._keys

    def _answer(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        if message.get("action") != "listen":
            return
        wanted = cast("dict[str, list[str]]", message.get("data") or {}).get("streams", [])
        streams = [name for name in wanted if name == UPDATES]
        connection.send(json.dumps({"stream": "listening", "data": {"streams": streams}}).encode())
        if streams:
            self._listening.add(connection)
            self.heard.set()
        else:
            self._listening.discard(connection)
