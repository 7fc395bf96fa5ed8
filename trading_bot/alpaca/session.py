"""The HTTP session under alpaca-py: with timeouts, which it has none of, and a limit of requests.

Imported late: `requests` comes with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests import Session
from requests.adapters import HTTPAdapter

from trading_bot.alpaca.limits import AT_ONCE, Patience, RateLimit
from trading_bot.domain.errors import PluginError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class TimedAdapter(HTTPAdapter):
    """Sends each request once, waits for a place first, and gives up after the timeouts."""

    def __init__(self, patience: Patience, limit: RateLimit) -> None:
        """Keep both; urllib3 tries nothing again."""
        super().__init__(max_retries=0, pool_maxsize=AT_ONCE)
        self.timeouts = (patience.connect_seconds, patience.read_seconds)
        self.limit = limit

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send it."""
        self.limit.wait()
        return super().send(request, *args, **{**options, "timeout": self.timeouts})


def tame(client: object, patience: Patience, limit: RateLimit, *, ours: bool) -> None:
    """Give the client timeouts and a limit, and take its own retries away: it sends orders again blindly.

    `ours`: the server is on this machine, so no proxy stands between.

    Raises:
        PluginError: this alpaca-py is built otherwise than the one we know, so neither can be promised.
    """
    session = getattr(client, "_session", None)
    if not isinstance(session, Session) or not isinstance(getattr(client, "_retry", None), int):
        raise PluginError("This alpaca-py has no session that timeouts can be given to. Install alpaca-py 0.44.")
    adapter = TimedAdapter(patience, limit)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    session.trust_env = not ours
    setattr(client, "_retry", 0)  # noqa: B010  # there is no public way; the constructor takes no 0 either
    if session.get_adapter("https://api.alpaca.markets") is not adapter:
        raise PluginError("This alpaca-py keeps our timeouts off its session. Install alpaca-py 0.44.")
