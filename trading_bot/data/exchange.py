"""The exchange's sessions: New York's clock as it is written down, no windows and no settings.

exchange_calendars knows them, but asking it costs every command more than a second, as pandas comes with it.
So what it says until 2036 is packaged as the few days that differ from all others, and the library itself is
asked where another version of it is installed than the one that was packaged, or a day lies beyond.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from trading_bot.domain.market import SessionAxis

NEW_YORK = ZoneInfo("America/New_York")
FIRST_DAY = date(1990, 1, 1)  # the packaged prices begin here
LAST_YEAR = 2036  # of what is packaged
OPENS, CLOSES = time(9, 30), time(16, 0)  # of a full day, in New York
PACKAGED = Path(__file__).parent / "packaged" / "xnys.json"
LIBRARY = "exchange_calendars"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Every session from 1990 on, and the few that do not last from half past nine to four."""

    sessions: SessionAxis  # ascending
    unusual: Mapping[date, tuple[time, time]]  # when such a session opens and closes, in New York
    _open: bytes = field(init=False, repr=False)  # a 1 for each day from 1990 on with a session: looking it up is quick

    def __post_init__(self) -> None:
        """Note which days have a session."""
        days = (self.sessions - np.datetime64(FIRST_DAY)).astype(np.intp)
        open_days = np.zeros(days.max(initial=-1) + 1, dtype=np.uint8)
        open_days[days] = 1
        object.__setattr__(self, "_open", open_days.tobytes())

    def has(self, day: date) -> bool:
        """Say whether there is a session on `day`."""
        number = day.toordinal() - FIRST_DAY.toordinal()
        return 0 <= number < len(self._open) and self._open[number] == 1

    def times_of(self, day: date) -> tuple[time, time]:
        """Return when a session opens and closes, in New York. Raises ValueError on a day without one."""
        if not self.has(day):
            raise ValueError(f"{day} is no session of the exchange")
        return self.unusual.get(day, (OPENS, CLOSES))


def exchange(*days: date) -> Exchange:
    """Return the sessions from 1990 to the last of `days` at least. Raises ValueError on a day before."""
    if min(days) < FIRST_DAY:
        raise ValueError(f"{min(days)} lies before {FIRST_DAY}, where the exchange's calendar begins")
    beyond = max(0, max(days).year - LAST_YEAR)
    return _through(LAST_YEAR + -(-beyond // 10) * 10)  # by decades: the library takes half a second for each answer


@cache
def _through(year: int) -> Exchange:
    known = packaged(version(LIBRARY)) if year == LAST_YEAR else None
    return known or ask_library(year)


def packaged(installed: str) -> Exchange | None:
    """Return what is packaged, or None where that was written by another version of the library than `installed`."""
    content = json.loads(PACKAGED.read_text(encoding="utf-8"))
    if content[LIBRARY] != installed:
        return None
    days = np.arange(np.datetime64(FIRST_DAY), np.datetime64(date(LAST_YEAR + 1, 1, 1)))
    sessions = days[np.is_busday(days, holidays=np.array(content["weekdays_off"], dtype="datetime64[D]"))]
    unusual = {date.fromisoformat(day): _times(span) for day, span in content["unusual_hours"].items()}
    return Exchange(sessions, unusual)


def _times(span: Iterable[str]) -> tuple[time, time]:
    opens, closes = map(time.fromisoformat, span)
    return opens, closes


def ask_library(year: int) -> Exchange:
    """Return what exchange_calendars says from 1990 to the end of `year`."""
    import exchange_calendars  # pyright: ignore[reportMissingTypeStubs]  # pandas comes with it

    with warnings.catch_warnings():
        # Under pandas 3.1 the library uses what pandas will drop in version 4; that is nothing to tell our users.
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_DAY.isoformat(), end=f"{year}-12-31")
    sessions = calendar.sessions.to_numpy().astype("datetime64[D]")
    spans = zip(map(_in_new_york, calendar.opens_nanos), map(_in_new_york, calendar.closes_nanos), strict=True)
    hours = {opens.date(): (opens.time(), closes.time()) for opens, closes in spans}
    return Exchange(sessions, {day: span for day, span in hours.items() if span != (OPENS, CLOSES)})


def _in_new_york(nanos: np.int64) -> datetime:
    return datetime.fromtimestamp(int(nanos) // 1_000_000_000, UTC).astimezone(NEW_YORK)  # on whole seconds
