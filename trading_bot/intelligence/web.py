"""Ask a provider of news over the web: bounded in time and size, and its key in no error and no log line."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from trading_bot.domain.errors import CredentialsRefused, DataError, SettingsError, SourceUnavailable
from trading_bot.domain.secrets import Secrets
from trading_bot.intelligence.cleaning import plain

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0  # for a connection, and for each part of an answer
WHOLE_SECONDS = 20.0  # for an answer from its first byte on, however slowly its parts come
LARGEST_ANSWER = 20_000_000  # bytes, unpacked
LONGEST_QUOTE = 300  # characters of what a provider says
TRIES = 2  # where the connection breaks; a provider that is slow is not asked again
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")

Document = Mapping[str, Any]


def web_address(text: str) -> str:
    """Return the address where a provider is asked. Raises ValueError: a key would travel in the open."""
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE):
        return text.rstrip("/")
    raise ValueError("write an address that begins with https://, or one on this machine like http://127.0.0.1:8000")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int  # HTTP
    body: bytes


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody who knows news. What it says is quoted in errors with its key masked."""

    name: str  # for people
    key: SecretStr | None = None
    key_variable: str = ""  # the environment variable that is the place for the key
    used_up: str = ""  # what to do when its requests are used up, in words
    largest: int = LARGEST_ANSWER  # bytes of an answer, unpacked
    _secrets: Secrets = field(default_factory=Secrets, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember what must not be shown."""
        if self.key is not None:
            self._secrets.register(self.key.get_secret_value())

    def key_text(self) -> str:
        """Return the key. Raises SettingsError: there is none."""
        if self.key is None or not self.key.get_secret_value().strip():
            raise SettingsError(
                f"{self.name} needs a key. Put it into the environment or into .env: {self.key_variable}."
            )
        return self.key.get_secret_value().strip()

    def document(self, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Document:
        """Return the JSON object that it answers with.

        Raises:
            SourceUnavailable: no answer in time, a broken connection, a server in trouble, or no requests left.
            CredentialsRefused: it does not know the key.
            DataError: the answer is no JSON object, or says that the question was wrong.
        """
        answer = self.get(url, query, headers)
        found = _object(answer.body)
        said = self.quoted("; ".join(_texts(found)) if found is not None else answer.body.decode("utf-8", "replace"))
        self.require_good(answer.status, said)
        if found is None:
            raise DataError(f"{self.name} answered with no JSON object but with {said!r}")
        return found

    def require_good(self, status: int, said: str) -> None:
        """Raise what an HTTP status means; `said` is what came with it. As `document`."""
        if status in (401, 403):
            raise self.refusal(said)
        if status == 429:
            raise self.exhausted(said)
        if status >= 500:
            raise SourceUnavailable(f"{self.name} is in trouble, HTTP {status}: {said}")
        if status != 200:
            raise DataError(f"{self.name} gives no news, HTTP {status}: {said}")

    def refusal(self, said: str) -> CredentialsRefused:
        """Return the error of a key that is not known."""
        return CredentialsRefused(f"{self.name} refuses the key of {self.key_variable}: {said}")

    def exhausted(self, said: str) -> SourceUnavailable:
        """Return the error of requests that are used up."""
        return SourceUnavailable(f"{self.name} has no requests left for us. {self.used_up} It says: {said}")

    def quoted(self, text: str) -> str:
        """Return what it says on one line, cut, and without the key: some repeat it."""
        return plain(self._secrets.mask(text), LONGEST_QUOTE)

    def get(self, url: str, query: Mapping[str, str], headers: Mapping[str, str], *, follow: bool = False) -> Answer:
        """Return what it answers, whatever the status; `follow` goes where it sends us.

        Raises:
            SourceUnavailable: no answer in time, or a broken connection twice.
            DataError: it is larger than `largest`, or not what its head says it is.
        """
        trouble = ""
        for _ in range(TRIES):
            with self._kept_out_of_logs():
                answer, trouble, again = self._once(url, query, headers, follow)
            if answer is not None:
                return answer
            if not again:
                break
        raise SourceUnavailable(f"{self.name} does not answer: {trouble}")  # not from httpx's error: it has the address

    def _once(
        self, url: str, query: Mapping[str, str], headers: Mapping[str, str], follow: bool
    ) -> tuple[Answer | None, str, bool]:
        import httpx

        timeout, wrong = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS), ""
        try:
            with (
                httpx.Client(timeout=timeout, verify=_trusted(), follow_redirects=follow, max_redirects=5) as client,
                client.stream("GET", url, params=dict(query) or None, headers=dict(headers)) as response,
            ):
                return Answer(response.status_code, self._body(response)), "", False
        except httpx.TimeoutException as slow:
            return None, f"not within {READ_SECONDS:.0f} s ({type(slow).__name__})", False
        except (httpx.NetworkError, httpx.ProtocolError, httpx.ProxyError) as broken:
            return None, self.quoted(f"{type(broken).__name__}: {broken}"), True
        except (httpx.DecodingError, httpx.TooManyRedirects, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            wrong = self.quoted(f"{type(error).__name__}: {error}")
        raise DataError(f"{self.name} answers with what cannot be read: {wrong}")

    def _body(self, response: httpx.Response) -> bytes:
        deadline, parts, size = time.monotonic() + WHOLE_SECONDS, list[bytes](), 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self.largest:
                raise DataError(f"{self.name} answers with more than {self.largest:,} bytes")
            if time.monotonic() > deadline:
                raise SourceUnavailable(f"{self.name} does not answer: not complete within {WHOLE_SECONDS:.0f} s")
        return b"".join(parts)

    @contextmanager
    def _kept_out_of_logs(self) -> Generator[None]:
        """Mask the key in what the HTTP library logs: it prints whole addresses, and some want the key there."""
        mask = _Mask(self._secrets)
        loggers = [logging.getLogger(name) for name in TALKATIVE]
        for logger in loggers:
            logger.addFilter(mask)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(mask)


@cache
def _trusted() -> ssl.SSLContext:
    """Return whom to believe, read once: doing so takes longer than a question."""
    import httpx

    return httpx.create_ssl_context()


class _Mask(logging.Filter):
    """Mask secrets in the message of a record."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._secrets.mask(record.getMessage()), None
        return True


def _object(body: bytes) -> Document | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # a body that is no UTF-8 is a ValueError, too
        return None
    return cast("Document", found) if isinstance(found, dict) else None


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a document, so that an error can be quoted wherever a provider puts it."""
    match value:
        case str():
            yield value
        case dict():
            for inner in cast("dict[str, object]", value).values():
                yield from _texts(inner)
        case list():
            for inner in cast("list[object]", value):
                yield from _texts(inner)
        case _:
            return


def text_of(fields: Document, name: str) -> str:
    """Return a field that is text, "" where it is not there. Raises ValueError: it is something else."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is no text but {type(value).__name__}")
    return value or ""
