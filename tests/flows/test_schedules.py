"""The deployed schedules, expanded by Prefect itself, against the exchange's calendar."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from prefect.server.schemas.schedules import CronSchedule

from deployments.plan import TIMEZONE, TRADING_CYCLE, Timetable, plan
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.hours import TradingHours

HALF_DAY, DAY_AFTER_SPRING_DST, DAY_AFTER_AUTUMN_DST = date(2026, 11, 27), date(2026, 3, 9), date(2026, 11, 2)
WHOLE_DAYS = (date(2026, 3, 6), DAY_AFTER_SPRING_DST, date(2026, 10, 30), DAY_AFTER_AUTUMN_DST)


def dates_of(timetable: Timetable, day: date) -> list[datetime]:
    """Ask Prefect when the timetable ticks on a day of New York; it answers with 1,000 instants at the most."""
    midnight = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    return [tick for part in range(0, 24, 4) for tick in part_of(timetable, midnight + timedelta(hours=part), 4)]


def part_of(timetable: Timetable, begin: datetime, hours: int) -> list[datetime]:
    schedule = CronSchedule(cron=str(timetable.cron), timezone=TIMEZONE)
    end = begin + timedelta(hours=hours)
    found = asyncio.run(schedule.get_dates(n=1000, start=begin, end=end))
    return [instant.astimezone(UTC) for instant in found if instant < end]


def ticks(day: date, every: int) -> list[datetime]:
    settings = TradingBotSettings.model_validate({"orchestrator": {"loop_interval_seconds": every}})
    (cycle,) = (deployed for deployed in plan(settings) if deployed.flow == TRADING_CYCLE)
    clock_bound = [table for table in cycle.timetables if table.interval is None]
    return sorted(instant for table in clock_bound for instant in dates_of(table, day))


@pytest.mark.parametrize("day", WHOLE_DAYS, ids=str)
def test_a_whole_day_ticks_each_minute_from_after_the_open_to_the_close(day: date):
    found = ticks(day, 60)

    opens, closes = TradingHours().open_of(day), TradingHours().close_of(day)
    assert found == [opens + timedelta(minutes=n) for n in range(1, 391)]
    assert found[-1] == closes


@pytest.mark.parametrize("day", [DAY_AFTER_SPRING_DST, DAY_AFTER_AUTUMN_DST], ids=str)
def test_a_loop_of_seconds_ticks_all_day_on_both_sides_of_a_clock_change(day: date):
    found = ticks(day, 15)

    opens = TradingHours().open_of(day)
    assert found == [opens + timedelta(seconds=15 * n) for n in range(1, 1561)]


def test_on_a_half_day_the_gate_lets_only_the_ticks_before_the_early_close_through():
    hours = TradingHours()

    assert len(ticks(HALF_DAY, 60)) == 390
    assert sum(hours.is_trading_time(tick) for tick in ticks(HALF_DAY, 60)) == 210


def test_nothing_ticks_on_a_weekend():
    assert ticks(date(2026, 11, 28), 60) == ticks(date(2026, 11, 29), 15) == []
