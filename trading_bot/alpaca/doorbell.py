"""Alpaca's stream of order updates, used as a doorbell: it says when to look, never what there is to see.

So a stream that is dead, mute, doubled, out of order or that lies changes nothing but how soon somebody looks. It is
spoken here by `websockets` itself: alpaca-py's stream tries refused keys for ever, in an event loop of its own.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from trading_bot.alpaca.connect import HERE, Keys

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

log = logging.getLogger(__name__)

UPDATES = "trade_updates"
WAITS = (1.0, 2.0, 5.0, 15.0)  # seconds before connecting again; after that always the last
OPEN_SECONDS, ANSWER_SECONDS, PING_SECONDS = 5, 10, 20  # a socket that answers no ping is mute, and is opened anew
LARGEST = 1 << 20  # bytes of one message

# The library writes down what is sent, and that holds our keys. A filter, as `dictConfig`, which Prefect calls, enables
# again what is merely disabled.
_wire_log = logging.getLogger(f"{__name__}.wire")
_wire_log.addFilter(lambda _record: False)


class _KeysRefused(Exception):
    """The stream does not know our keys."""


class Doorbell:
    """Rings when Alpaca tells of an order. It begins to listen when somebody waits for the first time."""

    def __init__(self, url: str, keys: Keys, *, waits: tuple[float, ...] = WAITS) -> None:
        """Keep where to listen: wss, or ws on this machine. Nothing is sent yet."""
        self._url, self._keys, self._waits = url, keys, waits
        self._rung, self._closed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._socket: Connection | None = None

    def wait(self, seconds: float) -> bool:
        """Wait for at most `seconds`, and say whether it has rung since somebody waited before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="doorbell", daemon=True)
            self._thread.start()
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        if self._socket is not None:
            self._socket.close()
        if self._thread is not None:
            self._thread.join(OPEN_SECONDS)

    def _listen(self) -> None:
        from websockets.exceptions import WebSocketException

        for wait in itertools.chain(self._waits, itertools.repeat(self._waits[-1])):
            try:
                self._hear()
            except _KeysRefused as no:
                log.error("%s. Orders are asked for as without a stream", no)  # no traceback: it is no bug
                return
            except (OSError, WebSocketException) as error:
                log.info("The stream of order updates is away: %s", type(error).__name__)
            if self._closed.wait(wait):
                return

    def _hear(self) -> None:
        """Listen until the connection ends."""
        from websockets.sync.client import connect

        ours = urlsplit(self._url).hostname in HERE
        terms: dict[str, Any] = {
            "ping_interval": PING_SECONDS,
            "ping_timeout": PING_SECONDS,
            "max_size": LARGEST,
            "open_timeout": OPEN_SECONDS,
            "close_timeout": 1,
            "logger": _wire_log,
            "proxy": None if ours else True,
        }
        with connect(self._url, **terms) as socket:
            self._socket = socket
            self._introduce(socket)
            self._rung.set()  # what happened before we listened was told to nobody
            for message in socket:
                if self._closed.is_set():
                    return
                if _stream_of(message) == UPDATES:
                    self._rung.set()

    def _introduce(self, socket: Connection) -> None:
        api_key, secret_key = self._keys.api_key.get_secret_value(), self._keys.secret_key.get_secret_value()
        data = {"key_id": api_key, "secret_key": secret_key}
        socket.send(json.dumps({"action": "authenticate", "data": data}))
        if _data_of(socket.recv(ANSWER_SECONDS)).get("status") != "authorized":
            raise _KeysRefused("Alpaca's stream of order updates refuses our keys")
        socket.send(json.dumps({"action": "listen", "data": {"streams": [UPDATES]}}))


def _message(raw: str | bytes) -> dict[str, Any]:
    """Return a message; what is none is empty."""
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _stream_of(raw: str | bytes) -> object:
    return _message(raw).get("stream")


def _data_of(raw: str | bytes) -> dict[str, Any]:
    data = _message(raw).get("data")
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}
