from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import TradingCalendar


@dataclass(frozen=True, slots=True)
class Weekdays:
    """An exchange that opens from Monday to Friday, never has a holiday: 14:30 to 21:00 UTC."""

    def open_of(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)

    def is_session(self, day: date) -> bool:
        return day.weekday() < 5

    def close_of(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)

    def sessions_between(self, first: date, last: date) -> SessionAxis:
        days = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + np.timedelta64(1, "D"))
        return days[np.is_busday(days)]

    def newest_session(self, at: datetime) -> date:
        return at.date() - timedelta(days=max(at.weekday() - 4, 0))


@pytest.fixture(scope="session")
def weekdays() -> TradingCalendar:
    return Weekdays()
