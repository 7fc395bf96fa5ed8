"""When the exchange is open, as Alpaca has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from trading_bot.alpaca.orders import text
from trading_bot.domain.errors import BrokerUnavailable

NEW_YORK = ZoneInfo("America/New_York")


def session_times_of(days: Iterable[dict[str, Any]]) -> Mapping[date, tuple[datetime, datetime]]:
    """Return when each session opens and closes, aware, in UTC. Raises BrokerUnavailable on a day without times."""
    return dict(_session(day) for day in days)


def _session(fields: dict[str, Any]) -> tuple[date, tuple[datetime, datetime]]:
    day, opens, closes = (text(fields, name) for name in ("date", "open", "close"))
    try:
        return date.fromisoformat(day), (_instant(day, opens), _instant(day, closes))
    except ValueError:
        raise BrokerUnavailable(f"Alpaca's calendar has a session on {day} from {opens} to {closes}") from None


def _instant(day: str, in_new_york: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{in_new_york}").replace(tzinfo=NEW_YORK).astimezone(UTC)
