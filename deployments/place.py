"""Where the loop's Prefect server is, and what `bensbot up` keeps about the one it started.

Looked for in this order: `PREFECT_API_URL`; the server that `bensbot up` started for this book; the active Prefect
profile; the default port of this machine. Prefect is not imported here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployments.processes import Process, remembered, write_private
from flows.server import LOOPBACK, address_in_profile, answers, is_compatible_prefect
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.terminal import hide

USER = "bensbot"
PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the way in."""

    address: str  # of its API, as http://127.0.0.1:4200/api
    auth: str | None  # user:password; None: Prefect's own settings say it
    answers: bool = True
    meant: bool = True  # somebody named it for us; False for whatever listens on the default port


@dataclass(frozen=True, slots=True)
class ServerRoom:
    """The folder in which `bensbot up` keeps what belongs to its two processes."""

    folder: Path

    @property
    def auth_file(self) -> Path:
        """User and password for the server, with a colon between them."""
        return self.folder / "auth"

    @property
    def address_file(self) -> Path:
        """The address of the server's API."""
        return self.folder / "address"

    @property
    def server_log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def loop_log(self) -> Path:
        """What `bensbot serve` and the runs say."""
        return self.folder / "serve.log"

    @property
    def server_record(self) -> Path:
        """Which process the server is."""
        return self.folder / "server.json"

    @property
    def loop_record(self) -> Path:
        """Which process serves."""
        return self.folder / "serve.json"

    @property
    def drained(self) -> Path:
        """There while the loop is paused because `bensbot down` lets it end, and for no other reason."""
        return self.folder / "drained"

    @property
    def server_process(self) -> Process | None:
        """The server, if it lives."""
        return remembered(self.server_record)

    @property
    def loop_process(self) -> Process | None:
        """The process that serves, if it lives."""
        return remembered(self.loop_record)

    def address(self) -> str | None:
        """Return the address of the server that was started last."""
        return self.address_file.read_text(encoding="utf-8").strip() if self.address_file.exists() else None

    def auth(self) -> str | None:
        """Return user:password, masked from now on wherever we write; None before the first `bensbot up`."""
        if not self.auth_file.exists():
            return None
        auth = self.auth_file.read_text(encoding="utf-8").strip()
        hide([auth, auth.partition(":")[2]])
        return auth

    def auth_made(self) -> str:
        """Return user:password, thought up the first time."""
        if self.auth() is None:
            write_private(self.auth_file, f"{USER}:{secrets.token_urlsafe(PASSWORD_BYTES)}\n")
        return self.auth() or ""


def server_room(settings: TradingBotSettings) -> ServerRoom:
    """Return the folder of the server that belongs to this book."""
    return ServerRoom(settings.state.folder.resolve() / "server")


def forget_drain(settings: TradingBotSettings) -> None:
    """Say that the pause of the loop is its owner's from now on, so that `bensbot up` leaves it alone."""
    server_room(settings).drained.unlink(missing_ok=True)


def find_server(settings: TradingBotSettings, environment: Mapping[str, str] = os.environ) -> Server | None:
    """Return the server that somebody named, or one that answers here; None when there is neither."""
    room = server_room(settings)
    ours = room.address() if room.server_process else None
    if named := environment.get("PREFECT_API_URL"):
        auth = environment.get("PREFECT_API_AUTH_STRING") or (room.auth() if _same(named, ours) else None)
        return Server(named, auth, answers=answers(named))
    if ours:
        return Server(ours, room.auth(), answers=answers(ours))
    auth = environment.get("PREFECT_API_AUTH_STRING")
    if profiled := address_in_profile(environment):
        return Server(profiled, auth, answers=answers(profiled))
    local = f"http://{LOOPBACK[0]}:{environment.get('PREFECT_SERVER_API_PORT', '4200')}/api"
    return Server(local, auth, meant=False) if is_compatible_prefect(local) else None


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.rstrip("/") == other.rstrip("/")
