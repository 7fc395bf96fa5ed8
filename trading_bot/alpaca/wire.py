"""Requests and answers, and what every kind of failure means.

| what came back | what it means |
|---|---|
| the connection never opened | `NotSent` |
| cut, timed out, 408, 5xx, no JSON | `BrokerUnavailable`: whether it was done is not known |
| 429 | not done: waited for and sent again, as often as `Patience.waits` has waits, then `NotSent` |
| 401, 403 that names no rule | `CredentialsRefused` |
| any other 4xx with the broker's words | `Refused`, a clear no |

Reading is tried again after waits; what changes something is sent once, and the caller decides.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar, cast

from trading_bot.alpaca.limits import Patience, spread
from trading_bot.domain.errors import BrokerError, BrokerUnavailable, CredentialsRefused, NotSent

log = logging.getLogger(__name__)

Got = TypeVar("Got")
LONGEST_QUOTE = 300  # characters of an answer in a message


class Refused(Exception):
    """A clear no, in the broker's words. It never leaves the adapter."""

    def __init__(self, status: int, code: int | None, message: str) -> None:
        """Keep what was said."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _RateLimited(Exception):
    """429: nothing was done. `seconds` is what Retry-After said, None when it said nothing."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Client(Protocol):
    """What alpaca-py's clients have in common: requests by method and path."""

    def get(self, path: str, data: dict[str, Any], *, api_version: str) -> Any:
        """Read."""
        ...

    def post(self, path: str, data: dict[str, Any]) -> Any:
        """Place."""
        ...

    def delete(self, path: str) -> Any:
        """Cancel."""
        ...


class Wire:
    """One alpaca-py client, its failures put into our words."""

    def __init__(self, client: Client, patience: Patience, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take a client that is tame (see `session.tame`)."""
        self._client, self.patience, self.sleep = client, patience, sleep

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, version: str = "v2") -> Any:
        """Read, again after waits where there was no clear answer. Raises BrokerError or Refused."""
        asked = dict(query or {})
        return self._again(path, lambda: self._once(lambda: self._client.get(path, asked, api_version=version)))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send once, again after 429 only. Raises BrokerError or Refused."""
        return self._after_the_rush(path, lambda: self._once(lambda: self._client.post(path, dict(body))))

    def delete(self, path: str) -> Any:
        """Send once, again after 429 only. Raises BrokerError or Refused."""
        return self._after_the_rush(path, lambda: self._once(lambda: self._client.delete(path)))

    def close(self) -> None:
        """Let go of the connections."""
        session = getattr(self._client, "_session", None)
        if session is not None:
            session.close()

    def _again(self, what: str, ask: Callable[[], Got]) -> Got:
        for wait in self.patience.waits:
            try:
                return self._after_the_rush(what, ask)
            except CredentialsRefused:
                raise
            except BrokerError as error:
                log.info("Asking again for %s: %s", what, error)
                self.sleep(spread(wait, what))
        return self._after_the_rush(what, ask)

    def _after_the_rush(self, what: str, ask: Callable[[], Got]) -> Got:
        """Ask, and where we ask too often wait as long as the broker wants us to, within the cap."""
        for wait in self.patience.waits:
            try:
                return ask()
            except _RateLimited as rush:
                seconds = spread(wait, what) if rush.seconds is None else rush.seconds
                log.info("Too many requests: waiting before %s", what)
                self.sleep(min(seconds, self.patience.longest_wait))
        try:
            return ask()
        except _RateLimited as rush:
            raise NotSent(f"Alpaca says that we ask too often, and did nothing about {what}") from rush

    def _once(self, call: Callable[[], Any]) -> Any:
        from alpaca.common.exceptions import APIError
        from requests.exceptions import RequestException

        try:
            return call()
        except APIError as error:
            raise _meaning(error) from None  # the request is kept in it, and our keys in the request
        except RequestException as error:
            raise _failure(error) from None
        except ValueError as error:  # an answer that is no JSON
            raise BrokerUnavailable(f"Alpaca's answer cannot be read: {error}") from None


def _failure(error: Exception) -> BrokerError:
    """Say whether a request that got no answer was sent at all."""
    from requests.exceptions import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    kind = type(error).__name__
    if isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError):
        return NotSent(f"Alpaca cannot be reached: no connection could be opened ({kind})")
    return BrokerUnavailable(f"Alpaca did not answer: the connection was cut or timed out ({kind})")


def _meaning(error: Any) -> Exception:
    """Return what an answer that is no success means."""
    status = int(error.status_code or 0)
    code, message = _words(str(error))
    if status == 429:
        return _RateLimited(_retry_after(error))
    if status == 401 or (status == 403 and message is not None and _is_about_keys(code, message)):
        return CredentialsRefused(f"Alpaca refuses our keys: {message or f'HTTP {status}'}")
    if status >= 500 or status == 408 or message is None:
        return BrokerUnavailable(f"Alpaca answered HTTP {status}: {str(error)[:LONGEST_QUOTE]}")
    return Refused(status, code, message)


def _is_about_keys(code: int | None, message: str) -> bool:
    """Tell "forbidden." from a rule of trading: that has a code, and says what it wants."""
    return code is None or message.casefold().startswith(("forbidden", "request is not authorized"))


def _words(text: str) -> tuple[int | None, str | None]:
    """Return the broker's code and message; no message where the answer is not the broker's, like an HTML page."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None, None
    if not isinstance(answer, dict):
        return None, None
    fields = cast("dict[str, Any]", answer)
    code, message = fields.get("code"), fields.get("message")
    return (code if isinstance(code, int) else None), (message if isinstance(message, str) else None)


def _retry_after(error: Any) -> float | None:
    """Return the seconds that `Retry-After` asks for: it holds seconds or a date."""
    response = error.response
    value: str | None = response.headers.get("Retry-After") if response is not None else None
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0)
    except (TypeError, ValueError):  # neither seconds nor a date; or a date without a zone
        return None
