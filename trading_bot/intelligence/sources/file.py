"""Stories from a file of your own: JSON Lines, one story a line."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, cast

from trading_bot.domain.errors import DataError, SettingsError
from trading_bot.domain.news import Delivery, RawStory, StoryId
from trading_bot.domain.symbols import Symbol
from trading_bot.intelligence.registry import news_source

log = logging.getLogger(__name__)

LARGEST_FILE = 100_000_000  # bytes
LONGEST_LINE = 100_000  # bytes
FIELDS = ("id", "source", "published", "headline", "summary", "url", "symbols")


@news_source("file")
@dataclass(frozen=True, slots=True)
class File:
    """Your own stories. The file is read once, and again when it changes.

    A line is a JSON object with `published` (ISO 8601 with a zone) and `headline`; `summary`, `url`, `source`, `id`
    and `symbols` (a list of tickers) may be left out. Without an id, the story is known by its other fields.
    """

    reads: ClassVar[bool] = True
    in_order: ClassVar[bool] = False  # a line may be added at any place

    file: Path | None = None

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return the stories of that time, about whatever stock, and every line that is none.

        Raises:
            SettingsError: no file is named.
            DataError: there is no such file, or it cannot be read.
        """
        del symbols
        everything, refused = self._everything()
        found = tuple(story for story in everything if since <= story.published <= until)
        return Delivery(found, refused, later=sum(story.published > until for story in everything))

    def _everything(self) -> tuple[tuple[RawStory, ...], tuple[str, ...]]:
        if self.file is None:
            raise SettingsError("news.source: file needs news.file, the JSON Lines file with your stories.")
        path = self.file.expanduser()
        try:
            stat = path.stat()
            if stat.st_size > LARGEST_FILE:
                raise DataError(f"{path} has {stat.st_size:,} bytes; a file of news may have {LARGEST_FILE:,}.")
            return _read(path, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. It is named by news.file.") from error


@lru_cache(maxsize=2)
def _read(path: Path, changed: int, size: int) -> tuple[tuple[RawStory, ...], tuple[str, ...]]:
    del changed, size  # what makes a change seen
    found: list[RawStory] = []
    refused: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(_story(line))
        except ValueError as error:
            refused.append(f"{path.name}, line {number}: {error}")
            log.warning("News: %s", refused[-1])
    return tuple(found), tuple(refused)


def _story(line: bytes) -> RawStory:
    """Return the story. Raises ValueError that says why the line is none."""
    if len(line) > LONGEST_LINE:
        raise ValueError(f"it has {len(line):,} bytes, and a line may have {LONGEST_LINE:,}")
    fields = _object(line)
    if (unknown := next((name for name in fields if name not in FIELDS), None)) is not None:
        raise ValueError(f"there is no field {unknown[:40]!r}. There are: {', '.join(FIELDS)}")
    texts = {name: _text(fields, name) for name in ("id", "source", "published", "headline", "summary", "url")}
    for name in ("published", "headline"):
        if not texts[name].strip():
            raise ValueError(f"{name} is missing")
    own = texts["id"] or hashlib.sha256(json.dumps(fields, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:16]
    return RawStory(
        story_id=StoryId(f"file:{own}"),
        source=texts["source"] or "file",
        published=_instant(texts["published"]),
        headline=texts["headline"],
        summary=texts["summary"],
        url=texts["url"],
        symbols=_symbols(fields.get("symbols")),
    )


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError(f"it is no JSON object but {type(fields).__name__}")
    return cast("dict[str, Any]", fields)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if name == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text but {type(value).__name__}")
    return value


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"published is {text[:40]!r}; write an instant like 2022-01-31T14:30:00Z") from None
    if found.tzinfo is None:
        raise ValueError(f"published is {text[:40]!r} without a time zone; write one, like 2022-01-31T14:30:00Z")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"published is {text[:40]!r}, which is no instant in UTC") from None


def _symbols(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in cast("list[object]", value)):
        raise ValueError('symbols is no list of tickers; write one like ["AAPL", "MSFT"]')
    return tuple(cast("list[str]", value))
