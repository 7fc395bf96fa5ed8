"""Where Alpaca is, and a client that is tame."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from trading_bot.alpaca.limits import Patience, RateLimit
from trading_bot.alpaca.wire import Wire
from trading_bot.domain.errors import SettingsError

PAPER_URL, LIVE_URL = "https://paper-api.alpaca.markets", "https://api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"
HERE = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Keys:
    """What Alpaca knows us by."""

    api_key: SecretStr
    secret_key: SecretStr


@dataclass(frozen=True, slots=True)
class Line:
    """How to talk to one of Alpaca's hosts; what a test would rather have otherwise."""

    patience: Patience = field(default_factory=Patience)
    limit: RateLimit = field(default_factory=RateLimit)
    sleep: Callable[[float], None] = time.sleep


DATA_LINE = Line()  # one limit of requests for all market data of this process


def keys_of(api_key: object, secret_key: object) -> Keys:
    """Return the keys. Raises SettingsError when one is missing."""
    if not isinstance(api_key, SecretStr) or not isinstance(secret_key, SecretStr):
        raise SettingsError(
            "Alpaca needs keys. Put them into the environment or into .env: BENSBOT_BROKER__API_KEY and "
            "BENSBOT_BROKER__SECRET_KEY."
        )
    return Keys(api_key, secret_key)


def trading_url(wanted: str | None, *, paper: bool) -> str:
    """Return where orders go. Raises SettingsError where the address is of the other kind of account."""
    other = LIVE_URL if paper else PAPER_URL
    if wanted is not None and urlsplit(wanted).hostname == urlsplit(other).hostname:
        raise SettingsError(
            f"broker.trading_url is {other}, which is not where a {'paper' if paper else 'live'} account is traded. "
            f"Take it out, or set broker.paper: {str(not paper).lower()}."
        )
    return wanted or (PAPER_URL if paper else LIVE_URL)


def account_at(settings: Mapping[str, Any]) -> tuple[Keys, str]:
    """Return the keys of the account in a `broker` section, and where it is traded. Raises SettingsError as both do."""
    keys = keys_of(settings.get("api_key"), settings.get("secret_key"))
    return keys, trading_url(settings.get("trading_url"), paper=settings.get("paper", True)).rstrip("/")


def trading_wire(keys: Keys, url: str, line: Line) -> Wire:
    """Return a wire to the account."""
    with _without_hints():
        from alpaca.trading.client import TradingClient

    return _wire(TradingClient, keys, url, line)


def data_wire(keys: Keys, url: str | None, line: Line) -> Wire:
    """Return a wire to the prices."""
    with _without_hints():
        from alpaca.data.historical.stock import StockHistoricalDataClient

    return _wire(StockHistoricalDataClient, keys, url or DATA_URL, line)


def news_wire(keys: Keys, url: str | None, line: Line) -> Wire:
    """Return a wire to the news."""
    with _without_hints():
        from alpaca.data.historical.news import NewsClient

    return _wire(NewsClient, keys, url or DATA_URL, line)


@contextmanager
def _without_hints() -> Generator[None]:
    """Keep to ourselves that alpaca-py's streams use what `websockets` has moved aside: our users cannot change it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _wire(kind: Callable[..., Any], keys: Keys, url: str, line: Line) -> Wire:
    from trading_bot.alpaca.session import tame

    api_key, secret_key = keys.api_key.get_secret_value(), keys.secret_key.get_secret_value()
    client = kind(api_key=api_key, secret_key=secret_key, raw_data=True, url_override=url)
    tame(client, line.patience, line.limit, ours=urlsplit(url).hostname in HERE)
    return Wire(client, line.patience, sleep=line.sleep)
