"""When cycles, rotation and the end of the day are due: clock times of New York, for whoever keeps a schedule.

A schedule knows weekdays, not holidays: on a day off and after an early close its ticks still come, and the
gate in `admission` skips them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from trading_bot.config.typed_settings import WindowSettings
from trading_bot.core.hours import (
    AFTER_HOURS_END,
    AFTER_HOURS_END_ON_HALF_DAYS,
    CLOSES,
    HALF_DAY_CLOSE,
    NEW_YORK,
    TradingHours,
    window_rules,
)
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.tournament import Frequency

MINUTE = 60  # seconds
DAY = 24 * 60 * MINUTE
LONGEST_BREAK = 14  # days; since its calendar begins the exchange was never closed for longer than six
LONGEST_MONTH = 31  # days
MINUTES_AFTER_THE_LAST_TICK = 5  # its cycle needs seconds, and nobody waits for the report


_PERIODS: Mapping[Frequency, Callable[[date], object]] = {
    Frequency.DAILY: lambda day: day,
    Frequency.WEEKLY: lambda day: day.isocalendar()[:2],  # Monday to Sunday
    Frequency.MONTHLY: lambda day: (day.year, day.month),
}


@dataclass(frozen=True, slots=True)
class DayTimes:
    """Clock times of Monday to Friday in New York: every combination of hours, minutes and seconds."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...] = (0,)


def tick_times(interval_seconds: int, windows: Sequence[str | WindowSettings]) -> tuple[DayTimes, ...]:
    """Return the ticks of a full day in as few groups as whole hours allow, each tick once.

    Ticks are counted from midnight. A tick at a window's open is none, one at its close is one: 60 seconds
    and the regular window give 390.

    Raises:
        SettingsError: the interval is neither a part of a minute nor whole minutes, or no tick lies in a window.
    """
    _require_even(interval_seconds)
    spans = [(_second_of(rule.opens), _second_of(rule.closes)) for rule in window_rules(windows)]
    counted = range(0, DAY, interval_seconds)
    ticks = [second for second in counted if any(opens < second <= closes for opens, closes in spans)]
    if not ticks:
        raise SettingsError(
            f"orchestrator.loop_interval_seconds is {interval_seconds}: counted from midnight, no tick lies in "
            "hours.windows. Write a shorter interval, like 60."
        )
    return _grouped(ticks)


def end_of_day_times(windows: Sequence[str | WindowSettings]) -> DayTimes:
    """Return when to ask whether the day is over: five minutes past the hour after the last tick.

    One of the two hours is that of half days, the other that of full ones.
    """
    latest = max(rule.closes for rule in window_rules(windows))
    ends = [HALF_DAY_CLOSE, CLOSES]
    if latest > CLOSES:
        ends = [min(latest, AFTER_HOURS_END_ON_HALF_DAYS), min(latest, AFTER_HOURS_END)]
    hours = {end.hour + (end.minute > 0) for end in ends}
    return DayTimes(tuple(sorted(hours)), (MINUTES_AFTER_THE_LAST_TICK,))


def rotation_due(
    hours: TradingHours, at: datetime, rotation_time: str, last: date | None, frequency: Frequency = Frequency.DAILY
) -> date | None:
    """Return the session whose rotation is due at `at`, None when there is none.

    After days without a run the newest session alone is due: one rotation catches up. A bot that has
    never rotated (`last` is None) begins with the session of its first day.
    """
    clock, today = time.fromisoformat(rotation_time), hours.day_of(at)
    days = (today - timedelta(days=back) for back in range(LONGEST_MONTH + LONGEST_BREAK))
    past = (day for day in days if hours.is_session(day) and at >= datetime.combine(day, clock, tzinfo=NEW_YORK))
    newest = next((day for day in past if ends_period(hours, day, frequency)), None)
    if newest is None or (last is None and newest != today) or (last is not None and newest <= last):
        return None
    return newest


def ends_period(hours: TradingHours, session: date, frequency: Frequency) -> bool:
    """Say whether no other session of the same day, week or month follows."""
    period = _PERIODS[frequency]
    rest = (session + timedelta(days=ahead) for ahead in range(1, LONGEST_MONTH))
    return not any(hours.is_session(day) for day in rest if period(day) == period(session))


def day_is_over(hours: TradingHours, day: date, at: datetime) -> bool:
    """Say whether the session's close and the last tick of our windows lie behind `at`; at 20:00 every day is."""
    latest = max((hours.close_of(day), *(window.closes for window in hours.windows_of(day))))
    return at > min(latest, datetime.combine(day, AFTER_HOURS_END, tzinfo=NEW_YORK))


def _require_even(interval_seconds: int) -> None:
    """Refuse what no clock time can express."""
    if interval_seconds < MINUTE and interval_seconds > 0 and MINUTE % interval_seconds == 0:
        return
    if interval_seconds >= MINUTE and interval_seconds % MINUTE == 0:
        return
    raise SettingsError(
        f"orchestrator.loop_interval_seconds is {interval_seconds}, which no schedule can keep. Write whole minutes "
        "like 60 or 300, or a part of a minute: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30."
    )


def _grouped(ticks: Iterable[int]) -> tuple[DayTimes, ...]:
    """Return the seconds of a day as groups: first by minutes with equal seconds, then by hours with equal minutes."""
    seconds: dict[int, list[int]] = {}
    for tick in ticks:
        seconds.setdefault(tick // MINUTE, []).append(tick % MINUTE)
    minutes: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for minute, within in seconds.items():
        minutes.setdefault((minute // 60, tuple(within)), []).append(minute % 60)
    hours: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
    for (hour, within), found in minutes.items():
        hours.setdefault((tuple(found), within), []).append(hour)
    return tuple(DayTimes(tuple(of), found, within) for (found, within), of in hours.items())


def _second_of(clock: time) -> int:
    return (clock.hour * 60 + clock.minute) * MINUTE
