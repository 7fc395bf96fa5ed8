"""Providers of news on this machine, which answer what a test puts in and keep what they were asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "planted-key+of/the provider"  # looks otherwise in an address


@dataclass
class Asked:
    """One request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Answering:
    """A provider: gives its answers in turn, the last one for ever."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    by_path: dict[str, bytes] = field(default_factory=dict)

    def will_say(self, *bodies: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Put in what comes next: a text or bytes as they are, all else as JSON; None breaks the connection."""
        self.answers = [(0 if body is None else status, _bytes(body), headers or {}) for body in bodies]


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()


@contextmanager
def answering() -> Iterator[Answering]:
    """Open a provider."""
    provider = Answering()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(split.query).items()}
            provider.asked.append(Asked(split.path, query, dict(self.headers)))
            if split.path in provider.by_path:
                status, body, headers = 200, provider.by_path[split.path], {}
            else:
                status, body, headers = provider.answers[min(len(provider.asked), len(provider.answers)) - 1]
            if status:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def alphavantage_item(at: datetime, symbols: Sequence[str], title: str, **more: Any) -> dict[str, Any]:
    """Return an item as the documentation of NEWS_SENTIMENT shows it."""
    tags = [{"ticker": name, "relevance_score": "0.9", "ticker_sentiment_score": "0.1"} for name in symbols]
    return {
        "title": title,
        "url": f"https://news.example/{title.replace(' ', '-')}",
        "time_published": at.strftime("%Y%m%dT%H%M%S"),
        "authors": [],
        "summary": "",
        "source": "The Wire",
        "overall_sentiment_score": 0.1,
        "ticker_sentiment": tags,
        **more,
    }


def newsdata_item(at: datetime, title: str, **more: Any) -> dict[str, Any]:
    """Return an article as the documentation of the latest news shows it."""
    return {
        "article_id": title.lower().replace(" ", "-"),
        "title": title,
        "link": "https://news.example/a",
        "description": None,
        "content": "ONLY AVAILABLE IN PAID PLANS",
        "pubDate": at.strftime("%Y-%m-%d %H:%M:%S"),
        "pubDateTZ": "UTC",
        "source_id": "wire",
        "source_name": "The Wire",
        **more,
    }


def newsdata_page(*items: Any, following: str | None = None) -> dict[str, Any]:
    """Return a page of articles."""
    return {"status": "success", "totalResults": 999, "results": list(items), "nextPage": following}


def rss_feed(*items: tuple[datetime, str], more: str = "") -> bytes:
    """Return an RSS 2.0 feed; `more` stands behind the items."""
    entries = [
        f"<item><guid>{title}</guid><title>{title}</title><pubDate>{format_datetime(at)}</pubDate></item>"
        for at, title in items
    ]
    head = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Wire</title>'
    return f"{head}{''.join(entries)}{more}</channel></rss>".encode()
