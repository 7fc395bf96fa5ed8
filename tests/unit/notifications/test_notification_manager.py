"""Notices over the real Apprise, to a server on this machine."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trading_bot.domain.errors import SettingsError
from trading_bot.domain.secrets import MaskingFilter, Secrets
from trading_bot.notifications.manager import NotificationManager

PLANTED = "Xq7zPlanted9Secret"


@dataclass
class Inbox:
    """A server that keeps every notice and answers with `status`."""

    port: int = 0
    status: int = 200
    notices: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://bens:{PLANTED}@127.0.0.1:{self.port}/"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            box.notices.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(box.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield box
        server.shutdown()
        thread.join()


@pytest.fixture
def secrets(caplog: pytest.LogCaptureFixture) -> Iterator[Secrets]:
    """Secrets that the captured log masks, as the bot's own handlers do."""
    known = Secrets()
    masking = MaskingFilter(known)
    caplog.handler.addFilter(masking)
    yield known
    caplog.handler.removeFilter(masking)


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    notices = [record for record in caplog.records if record.name == "trading_bot.notices"]
    return [record.getMessage() for record in notices if record.getMessage().startswith("Not sent")]


def test_a_notice_arrives_with_title_message_and_details(inbox: Inbox):
    NotificationManager([inbox.url]).send_alert(level="info", title="Hello", message="All is well", details="really")

    (notice,) = inbox.notices
    assert (notice["title"], notice["message"], notice["type"]) == ("Hello", "All is well\n\nreally", "info")


@pytest.mark.parametrize(
    ("level", "kind"),
    [("info", "info"), ("warning", "warning"), ("error", "failure"), ("critical", "failure"), ("odd", "failure")],
)
def test_each_level_has_its_kind(inbox: Inbox, level: str, kind: str):
    NotificationManager([inbox.url]).send_alert(level=level, title="t", message="m")

    assert [notice["type"] for notice in inbox.notices] == [kind]


def test_every_channel_gets_the_notice(inbox: Inbox):
    NotificationManager([inbox.url, f"{inbox.url}second"]).send_alert(level="info", title="t", message="m")

    assert len(inbox.notices) == 2


def test_a_broken_channel_does_not_keep_the_others_from_hearing(inbox: Inbox, caplog: pytest.LogCaptureFixture):
    manager = NotificationManager(["json://127.0.0.1:1/", inbox.url])

    manager.send_alert(level="info", title="t", message="m")

    assert len(inbox.notices) == 1
    assert failures(caplog) == ["Not sent 't' to notification channel 1 (json://…): it did not take the message"]


def test_a_server_that_answers_500_is_logged_and_raises_nothing(inbox: Inbox, caplog: pytest.LogCaptureFixture):
    inbox.status = 500

    NotificationManager([inbox.url]).send_alert(level="info", title="t", message="m")

    assert failures(caplog) == ["Not sent 't' to notification channel 1 (json://…): it did not take the message"]


def test_an_empty_notice_is_logged_and_raises_nothing(inbox: Inbox, caplog: pytest.LogCaptureFixture):
    NotificationManager([inbox.url]).send_alert(level="info", title="", message="")

    assert inbox.notices == []
    assert len(failures(caplog)) == 1


def test_text_that_no_channel_can_encode_raises_nothing(inbox: Inbox):
    NotificationManager([inbox.url]).send_alert(level="info", title="t", message="half a letter: \ud800")


def test_a_notice_below_the_least_level_is_only_logged(inbox: Inbox, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "trading_bot.notices")
    manager = NotificationManager([inbox.url], min_level="error")

    manager.send_alert(level="warning", title="Careful", message="m")

    assert inbox.notices == []
    assert ("trading_bot.notices", logging.WARNING, "Careful: m") in caplog.record_tuples


def test_long_details_are_cut_and_keep_their_end(inbox: Inbox):
    manager = NotificationManager([inbox.url])

    manager.send_alert(level="error", title="t", message="m", details="x" * 9000 + "ValueError: the end")

    body = inbox.notices[0]["message"]
    assert body.startswith("m\n\n…x")
    assert body.endswith("xValueError: the end")
    assert len(body) == len("m\n\n") + 3500


def test_without_channels_every_notice_is_logged_at_its_level(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "trading_bot.notices")
    manager = NotificationManager([])

    for level in ("info", "warning", "error", "critical"):
        manager.send_alert(level=level, title="t", message="m")

    assert [record.levelno for record in caplog.records] == [20, 30, 40, 50]


def test_without_channels_apprise_is_not_imported():
    code = (
        "import sys; from trading_bot.notifications.manager import NotificationManager as M; "
        "M([]).send_alert(level='info', title='t', message='m'); sys.exit('apprise' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0


@pytest.mark.parametrize(
    "url", ["", PLANTED, f"nosuchservice://{PLANTED}", f"tgram://{PLANTED}", f"json://:{PLANTED}@"]
)
def test_a_wrong_address_is_refused_without_showing_it(url: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(1)

    with pytest.raises(SettingsError, match="notification channel 2") as refusal:
        NotificationManager(["json://127.0.0.1:1/", url])

    assert PLANTED not in str(refusal.value)
    assert PLANTED not in caplog.text


def test_an_unknown_least_level_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match=r"'loud'\. There are: info, warning, error, critical"):
        NotificationManager([], min_level="loud")


def test_secrets_in_a_notice_are_neither_sent_nor_logged(inbox: Inbox, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "trading_bot.notices")
    secrets = Secrets()
    secrets.register("broker-key-42")
    manager = NotificationManager([inbox.url], secrets=secrets)

    manager.send_alert(level="error", title="broker-key-42", message="no broker-key-42", details="at broker-key-42")

    assert inbox.notices[0]["title"] == "****"
    assert inbox.notices[0]["message"] == "no ****\n\nat ****"
    assert "broker-key-42" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        f"json://bens:{PLANTED}@127.0.0.1:1/",
        f"json://127.0.0.1:1/hooks/{PLANTED}",
        f"jsons://127.0.0.1:1/?+X-Token={PLANTED}",
    ],
)
def test_a_failing_channel_never_logs_its_secrets_at_any_level(
    url: str, secrets: Secrets, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(1)
    manager = NotificationManager([url], secrets=secrets)

    manager.send_alert(level="critical", title="t", message="m", details="d")

    assert len(failures(caplog)) == 1
    assert PLANTED not in caplog.text


def test_a_telegram_token_counts_as_a_secret_once_the_channel_is_open():
    secrets = Secrets()
    NotificationManager(["tgram://123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678/987654321/"], secrets=secrets)

    address = "https://api.telegram.org/bot123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678/sendMessage"

    assert "AbCdEfGh" not in secrets.mask(address)
