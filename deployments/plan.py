"""What is deployed, and when it runs: one table, made from the settings.

`serve.py` serves it, `manifest.py` writes it as `prefect.yaml`, `control.py` looks deployments up in it.
Prefect is not imported here: the command line asks this table, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import is_historical
from trading_bot.core.schedule import DayTimes, end_of_day_times, tick_times

NAME = "bensbot"  # of each flow's deployment, as in `trading-cycle/bensbot`
TAGS = ("bensbot",)
TIMEZONE = "America/New_York"
POOL = "bensbot"  # the work pool of `prefect.yaml`
RUNS_AT_ONCE = 8  # a cycle, those fetched ahead of their time, and room for a halt; the lease keeps cycles apart

TRADING_CYCLE = "trading-cycle"
END_OF_DAY = "end-of-day"
ROTATION = "strategy-rotation"
HALT, RESUME, FLATTEN = "halt", "resume", "flatten"
ALARM = "alarm"
BACKTEST = "backtest"

AFTER_THE_CLOSE = "after-the-close"  # of half days and of whole ones: the flow knows which one it is
AT_ITS_TIME = "at-its-time"
ALWAYS, IN_THE_MARKET = "around-the-clock", "in-the-market"


@dataclass(frozen=True, slots=True)
class Timetable:
    """One schedule of a deployment: either cron or interval is set."""

    slug: str
    active: bool = True
    cron: str | None = None  # New York time; a sixth field is seconds
    interval: int | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment: the flow, where it is found, and its timetables."""

    flow: str
    entrypoint: str  # module and function, with dots
    timetables: tuple[Timetable, ...] = field(default=())

    @property
    def path(self) -> str:
        """The name people and the API use: flow/deployment."""
        return f"{self.flow}/{NAME}"


def plan(settings: TradingBotSettings) -> tuple[Deployed, ...]:
    """Return everything that is deployed. Raises SettingsError when the interval fits no schedule."""
    after_the_close = _at_times(AFTER_THE_CLOSE, end_of_day_times(settings.hours.windows))
    return (
        Deployed(TRADING_CYCLE, "flows.cycle.trading_cycle", tuple(_ticks(settings))),
        Deployed(END_OF_DAY, "flows.end_of_day.end_of_day", (after_the_close,)),
        Deployed(ROTATION, "flows.rotation.strategy_rotation", (_rotation(settings),)),
        Deployed(HALT, "flows.control.halt"),
        Deployed(RESUME, "flows.control.resume"),
        Deployed(FLATTEN, "flows.control.flatten"),
        Deployed(ALARM, "flows.alarm.alarm"),
        Deployed(BACKTEST, "flows.backtest.backtest"),
    )


def _rotation(settings: TradingBotSettings) -> Timetable:
    """Ask each weekday; the flow knows the calendar and the frequency. A cycle that replays history rotates itself."""
    clock = time.fromisoformat(settings.orchestrator.rotation_time)
    active = settings.orchestrator.enable_strategy_rotation and not is_historical(settings)
    return _at_times(AT_ITS_TIME, DayTimes((clock.hour,), (clock.minute,)), active=active)


def _ticks(settings: TradingBotSettings) -> Iterator[Timetable]:
    """Give both ways to tick; the price source and `market_hours_only` say which one is active.

    History has its own clock: each tick trades its next day, whatever the time of day is here.
    """
    every, policy = settings.orchestrator.loop_interval_seconds, settings.orchestrator
    in_the_market = policy.market_hours_only and not is_historical(settings)
    if policy.market_hours_only:
        for number, times in enumerate(tick_times(every, settings.hours.windows), start=1):
            yield _at_times(f"{IN_THE_MARKET}-{number}", times, active=in_the_market)
    yield Timetable(ALWAYS, active=not in_the_market, interval=every)


def _at_times(slug: str, times: DayTimes, *, active: bool = True) -> Timetable:
    """Write the times as cron. An rrule could say seconds too, but expanding one takes Prefect's scheduler seconds."""
    cron = f"{_spans(times.minutes, 60)} {_spans(times.hours, 24)} * * 1-5"
    return Timetable(slug, active=active, cron=cron if times.seconds == (0,) else f"{cron} {_spans(times.seconds, 60)}")


def _spans(numbers: tuple[int, ...], count: int) -> str:
    """Return numbers as cron writes them: `*` for all of them, else spans like `31-59`."""
    if len(numbers) == count:
        return "*"
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ",".join("-".join(map(str, span)) for span in spans)
