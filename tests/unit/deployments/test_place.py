from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.place import Server, ServerRoom, find_server, server_room
from deployments.processes import Process, born, remember
from deployments.stack import FOREIGN, environment_of
from trading_bot.config.typed_settings import TradingBotSettings


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers like a Prefect server without a password."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps("3.8.8" if self.path.endswith("/version") else True).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """The port of a server that answers."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> TradingBotSettings:
    return TradingBotSettings.model_validate({"state": {"folder": tmp_path / "state"}})


@pytest.fixture
def room(settings: TradingBotSettings) -> ServerRoom:
    """What `bensbot up` leaves behind; this very process stands for its server."""
    made = server_room(settings)
    made.folder.mkdir(parents=True)
    made.address_file.write_text("http://127.0.0.1:9/api\n")
    made.auth_file.write_text("bensbot:hush-hush-hush\n")
    remember(Process(os.getpid(), born(os.getpid()) or ""), made.server_record)
    return made


def nobody(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"PREFECT_HOME": str(tmp_path), "PREFECT_SERVER_API_PORT": "9", **more}


def test_where_nobody_named_a_server_and_none_answers_there_is_none(settings: TradingBotSettings, tmp_path: Path):
    assert find_server(settings, nobody(tmp_path)) is None


def test_a_server_on_the_usual_port_was_not_named_by_anybody(settings: TradingBotSettings, tmp_path: Path, port: str):
    found = find_server(settings, nobody(tmp_path, PREFECT_SERVER_API_PORT=port))

    assert found == Server(f"http://127.0.0.1:{port}/api", None, answers=True, meant=False)


def test_the_address_in_the_environment_comes_first(
    settings: TradingBotSettings, tmp_path: Path, room: ServerRoom, port: str
):
    address = f"http://127.0.0.1:{port}/api"

    found = find_server(settings, nobody(tmp_path, PREFECT_API_URL=address, PREFECT_API_AUTH_STRING="me:secret"))

    assert found == Server(address, "me:secret")


def test_the_server_of_up_comes_before_the_profile(
    settings: TradingBotSettings, tmp_path: Path, room: ServerRoom, port: str
):
    profile = f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:{port}/api"\n'
    (tmp_path / "profiles.toml").write_text(profile)

    assert find_server(settings, nobody(tmp_path)) == Server(
        "http://127.0.0.1:9/api", "bensbot:hush-hush-hush", answers=False
    )
    room.server_record.unlink()
    assert find_server(settings, nobody(tmp_path)) == Server(f"http://127.0.0.1:{port}/api", None)


def test_the_password_of_up_is_for_its_own_server_only(
    settings: TradingBotSettings, tmp_path: Path, room: ServerRoom, port: str
):
    ours = find_server(settings, nobody(tmp_path, PREFECT_API_URL="http://127.0.0.1:9/api/"))
    other = find_server(settings, nobody(tmp_path, PREFECT_API_URL=f"http://127.0.0.1:{port}/api"))

    assert ours is not None
    assert ours.auth == "bensbot:hush-hush-hush"
    assert other is not None
    assert other.auth is None


def test_what_keeps_the_server_safe_cannot_be_switched_off_from_outside(room: ServerRoom):
    careless = {
        "PREFECT_SERVER_API_HOST": "0.0.0.0",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "true",
        "PREFECT_SERVER_API_AUTH_STRING": "",
        "PREFECT_API_URL": "http://elsewhere.invalid/api",
        **dict.fromkeys(FOREIGN, "theirs"),
    }

    found = environment_of(room, "http://127.0.0.1:4300/api", careless)

    assert found["PREFECT_SERVER_API_HOST"] == "127.0.0.1"
    assert found["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert found["PREFECT_SERVER_API_AUTH_STRING"] == found["PREFECT_API_AUTH_STRING"] == "bensbot:hush-hush-hush"
    assert found["PREFECT_API_URL"] == found["PREFECT_SERVER_UI_API_URL"] == "http://127.0.0.1:4300/api"
    assert found["PREFECT_SERVER_API_PORT"] == "4300"
    assert [name for name in FOREIGN if name in found] == []


def test_a_matter_of_taste_is_the_users(room: ServerRoom):
    chosen = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://127.0.0.1/prefect",
        "PREFECT_SERVER_LOGGING_LEVEL": "INFO",
    }

    found = environment_of(room, "http://127.0.0.1:4300/api", chosen)

    assert {name: found[name] for name in chosen} == chosen
    assert found["PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD"] == "1209600"
