"""Send notices to the channels people chose; the log gets every one of them.

A channel that fails fails nothing: trading goes on, and the log says so.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from trading_bot.domain.errors import SettingsError
from trading_bot.domain.secrets import Secrets

if TYPE_CHECKING:
    from apprise import Apprise

log = logging.getLogger("trading_bot.notices")

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}
MOST_DETAILS = 3500  # characters: a Telegram message holds 4,096, title and message included

_KINDS = {"info": "info", "warning": "warning", "error": "failure", "critical": "failure"}  # Apprise's words
_TOKEN_LENGTH = 16  # a part of an address that long, and no host name, is taken for a token
_DELIMITERS = re.compile(r"[/:@?&=,]+")


@dataclass(frozen=True, slots=True, eq=False)
class _Channel:
    name: str  # for logs: place and scheme, e.g. "notification channel 2 (tgram://…)"
    apprise: Apprise


class NotificationManager:
    """Tells people through Apprise, on every channel at once."""

    def __init__(self, urls: Sequence[str], *, min_level: str = "info", secrets: Secrets | None = None) -> None:
        """Open the channels. Without any, Apprise is not even imported.

        Args:
            urls: Apprise addresses, e.g. `tgram://TOKEN/CHAT`. They count as secrets.
            min_level: notices below it are logged only.
            secrets: what must not be sent or logged; the private parts of `urls` are added.

        Raises:
            SettingsError: an address or the level is not valid. The message does not show the address.
        """
        if min_level not in LEVELS:
            raise SettingsError(f"There is no notice level {min_level!r}. There are: {', '.join(LEVELS)}.")
        self._least = LEVELS[min_level]
        self._secrets = secrets or Secrets()
        self._channels = tuple(_open(url, place, self._secrets) for place, url in enumerate(urls, start=1))

    def send_alert(self, *, level: str, title: str, message: str, details: str = "") -> None:
        """Log the notice and send it to every channel; wait until each has answered or given up.

        Never raises. Details go to the channels only, cut to 3,500 characters: from their end the
        last lines are kept, because a traceback names its error there. An unknown level counts as error.
        """
        weight = LEVELS.get(level, logging.ERROR)
        title, message, details = (self._secrets.mask(text) for text in (title, message, details))
        log.log(weight, "%s: %s", title, message)
        if weight < self._least or not self._channels:
            return
        body = f"{message}\n\n{_shortened(details)}" if details else message
        try:
            self._tell_all(title=title, body=body, kind=_KINDS.get(level, "failure"))
        except RuntimeError as error:  # no thread can be started any more: the process is ending
            log.error("Not sent %r: %s", title, error)

    def _tell_all(self, *, title: str, body: str, kind: str) -> None:
        with ThreadPoolExecutor(max_workers=len(self._channels)) as pool:
            answers = [
                (channel, pool.submit(_deliver, channel.apprise, title=title, body=body, kind=kind))
                for channel in self._channels
            ]
        for channel, answer in answers:
            # Apprise turns a service's failures into False; whatever still gets out of it is logged all the same.
            if (error := answer.exception()) is not None:
                words = self._secrets.mask(f"{type(error).__name__}: {error}")
                log.error("Not sent %r to %s: %s", title, channel.name, words)
            elif not answer.result():
                log.error("Not sent %r to %s: it did not take the message", title, channel.name)


def _deliver(channel: Apprise, *, title: str, body: str, kind: str) -> bool | None:
    """Return True when the service took the notice, False when not, None when there is no service."""
    from apprise import NotifyType

    return channel.notify(body=body, title=title, notify_type=NotifyType(kind), body_format="text")


def _open(url: str, place: int, secrets: Secrets) -> _Channel:
    from apprise import Apprise

    scheme, separator, _ = url.strip().partition("://")
    named = bool(separator) and scheme.isalnum()
    name = f"notification channel {place} ({scheme if named else '?'}://…)"
    channel = Apprise()
    # Apprise names no types inside the dictionaries it also takes.
    with _silence():
        service = Apprise.instantiate(url.strip())  # pyright: ignore[reportUnknownMemberType]
    if service is None or not channel.add(service):  # pyright: ignore[reportUnknownMemberType]
        raise SettingsError(
            f"The address of {name} is not valid. It should look like tgram://TOKEN/CHAT, "
            "mailto://USER:PASSWORD@HOST or json://HOST/PATH; Apprise's documentation lists every service."
        )
    public = service.url(privacy=True)  # pyright: ignore[reportUnknownMemberType]
    for part in _private_parts(url, public):
        secrets.register(part)
    return _Channel(name, channel)


def _private_parts(url: str, public: str) -> Iterator[str]:
    """Yield the whole address, what Apprise leaves out when it shows it, and what looks like a token in a path."""
    yield url
    shown = set(_DELIMITERS.split(unquote(public)))
    for part in _DELIMITERS.split(url):
        if unquote(part) not in shown or (len(part) >= _TOKEN_LENGTH and "." not in part):
            yield part
            yield unquote(part)


def _shortened(details: str) -> str:
    if len(details) <= MOST_DETAILS:
        return details
    return f"…{details[-(MOST_DETAILS - 1) :]}"


@contextmanager
def _silence() -> Generator[None]:
    # Apprise logs an address that it cannot read as it is, secrets and all; and while it loads its services
    # it imports modules that Python is about to drop, which is nothing our users could change.
    apprise = logging.getLogger("apprise")
    was = apprise.disabled
    apprise.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        apprise.disabled = was
