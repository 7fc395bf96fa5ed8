"""Column types that lose nothing: every one is text that SQLite and PostgreSQL hold alike.

SQLite's own numbers would turn a `Decimal` into a float, -0.0 into 0 and NaN into NULL, and its
datetimes have no zone. Text keeps every digit, sorts by time, and reads well in any SQL shell.
"""
# ruff: noqa: ARG002  # the dialect is a parameter of SQLAlchemy's; these types are the same everywhere

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from trading_bot.domain.errors import StateCorrupt

Word = TypeVar("Word", bound=StrEnum)

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class DecimalText(TypeDecorator[Decimal]):
    """A finite `Decimal` in plain digits, trailing zeros kept: 12.50, never 1.25E+1."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write the digits. Raises ValueError for NaN and the infinities."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"{value} is no amount")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read the digits."""
        return None if value is None else Decimal(value)


class FloatText(TypeDecorator[float]):
    """A float as its shortest exact text, so that it comes back bit for bit."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> str | None:
        """Write the shortest text that reads back as the same float (numpy's floats too)."""
        return None if value is None else float.__repr__(float(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> float | None:
        """Read the text."""
        return None if value is None else float(value)


class InstantText(TypeDecorator[datetime]):
    """An aware instant in UTC, ISO 8601 with microseconds: text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write in UTC. Raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; wanted an aware UTC datetime")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read it as aware UTC."""
        return None if value is None else datetime.fromisoformat(value)


class DateText(TypeDecorator[date]):
    """A session, ISO 8601: 2024-01-31."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """Write the day. Raises ValueError for a datetime, whose day depends on a time zone."""
        if isinstance(value, datetime):
            raise ValueError(f"{value} is an instant; wanted a session")
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """Read the day."""
        return None if value is None else date.fromisoformat(value)


class JsonText(TypeDecorator[Any]):
    """Lists, mappings, text and numbers as JSON. Floats come back bit for bit."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write compact JSON, keys in the order given."""
        return None if value is None else _json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the JSON."""
        return None if value is None else json.loads(value)


class EnumText(TypeDecorator[Word], Generic[Word]):
    """One word of an enumeration."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        """Remember which words there are."""
        super().__init__()
        self.words = words
        self._by_text = {word.value: word for word in words}

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:
        """Write the word itself: drivers disagree about what an enumeration's text is."""
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:
        """Read the word. Raises StateCorrupt for one nobody knows."""
        if value is None:
            return None
        try:
            return self._by_text[value]
        except KeyError as error:
            raise StateCorrupt(f"The book says {value!r} where a {self.words.__name__} is wanted.") from error
