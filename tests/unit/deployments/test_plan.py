"""What is deployed, and when: the table made from the settings."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.plan import Deployed, Timetable, plan
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.domain.errors import SettingsError


def planned(flow: str, **sections: dict[str, Any]) -> Deployed:
    found = {deployed.flow: deployed for deployed in plan(TradingBotSettings.model_validate(sections))}
    return found[flow]


def times(**sections: dict[str, Any]) -> dict[str, str | int | None]:
    """Return slug → when, of the trading cycle."""
    tables = planned("trading-cycle", **sections).timetables
    return {table.slug: table.cron or table.interval for table in tables}


def active(**sections: dict[str, Any]) -> set[str]:
    return {table.slug for table in planned("trading-cycle", **sections).timetables if table.active}


def test_every_flow_that_people_are_promised_is_deployed_once():
    paths = [deployed.path for deployed in plan(TradingBotSettings())]

    assert sorted(paths) == sorted(set(paths))
    promised = {"trading-cycle", "strategy-rotation", "end-of-day", "halt", "resume", "flatten"}
    assert {f"{flow}/bensbot" for flow in promised} <= set(paths)


def test_a_minute_in_the_regular_hours_is_three_cron_lines_without_the_open():
    assert times() == {
        "in-the-market-1": "31-59 9 * * 1-5",
        "in-the-market-2": "* 10-15 * * 1-5",
        "in-the-market-3": "0 16 * * 1-5",
        "around-the-clock": 60,
    }


def test_an_interval_below_a_minute_has_a_sixth_field_of_seconds():
    found = times(orchestrator={"loop_interval_seconds": 30})

    assert found == {
        "in-the-market-1": "30 9 * * 1-5 30",
        "in-the-market-2": "31-59 9 * * 1-5 0,30",
        "in-the-market-3": "* 10-15 * * 1-5 0,30",
        "in-the-market-4": "0 16 * * 1-5",
        "around-the-clock": 30,
    }


def test_history_ticks_around_the_clock_for_it_has_a_clock_of_its_own():
    assert active() == {"around-the-clock"}


def test_a_live_source_ticks_in_the_market(live_source: str):
    assert active(data={"source": live_source}) == {"in-the-market-1", "in-the-market-2", "in-the-market-3"}


def test_without_market_hours_a_live_source_ticks_around_the_clock(live_source: str):
    settings = {"data": {"source": live_source}, "orchestrator": {"market_hours_only": False}}

    assert active(**settings) == {"around-the-clock"}
    assert set(times(**settings)) == {"around-the-clock"}


def test_an_interval_that_fits_no_clock_says_what_to_write():
    with pytest.raises(SettingsError, match="loop_interval_seconds"):
        plan(TradingBotSettings.model_validate({"orchestrator": {"loop_interval_seconds": 45}}))


def test_the_end_of_day_comes_after_half_and_whole_days():
    assert planned("end-of-day").timetables == (Timetable("after-the-close", cron="5 13,16 * * 1-5"),)


def test_with_after_hours_the_end_of_day_comes_after_them():
    planned_late = planned("end-of-day", hours={"windows": ["regular", "after-hours"]})

    assert planned_late.timetables == (Timetable("after-the-close", cron="5 17,20 * * 1-5"),)


def test_the_rotation_is_asked_for_at_its_time_on_weekdays_where_prices_are_live(live_source: str):
    at_its_time = planned("strategy-rotation", data={"source": live_source})
    later = planned("strategy-rotation", data={"source": live_source}, orchestrator={"rotation_time": "17:05"})

    assert at_its_time.timetables == (Timetable("at-its-time", cron="30 16 * * 1-5"),)
    assert later.timetables == (Timetable("at-its-time", cron="5 17 * * 1-5"),)


def test_on_history_and_where_it_is_off_nobody_starts_the_rotation_by_schedule(live_source: str):
    off = {"data": {"source": live_source}, "orchestrator": {"enable_strategy_rotation": False}}

    assert [table.active for table in planned("strategy-rotation").timetables] == [False]
    assert [table.active for table in planned("strategy-rotation", **off).timetables] == [False]
