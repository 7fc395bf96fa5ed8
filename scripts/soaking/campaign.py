"""One soak from start to end: trade on a schedule, strike, let it settle, and find out what held."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
from sqlalchemy.exc import SQLAlchemyError

from deployments.serve import FIRST_TICK
from scripts.soaking import ticks
from scripts.soaking.database import PostgresServer
from scripts.soaking.laws import Books, broken, different, undisturbed
from scripts.soaking.machine import runs_of
from scripts.soaking.memory import Growth, Memory, sampled
from scripts.soaking.names import SOFT_FAULTS
from scripts.soaking.plan import Plan
from scripts.soaking.stack import ROOT, Stack
from scripts.soaking.strikes import ALL, RUNNER, SERVER, Strike, Striker, deck
from scripts.soaking.ticks import Run
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import StateError
from trading_bot.state import open_read_only

STRUCK_PART = 0.6  # of the run; the rest shows how memory behaves in one long life
DIED_WITH_THE_RUNNER = timedelta(seconds=30)  # a run may have been started so long before its instant, or after it
TO_SEE_IT = timedelta(seconds=15)  # a runner that has just begun needs so long to be given the runs that are due
WANTED_GROWTH = 0.05  # of a service's memory over the second half of its last life
LONG_LIFE = 600.0  # seconds; a shorter one says nothing about growth
BENSBOT = "from trading_bot.cli import main; main()"  # of this folder, whichever one is installed
EVERY = 15.0  # seconds from one look at the trading state to the next


@dataclass(frozen=True, slots=True)
class Campaign:
    """What to do."""

    folder: Path
    plan: Plan
    cycles: int = 390
    kills: int = 50
    settle: float = 30.0  # seconds after the last tick
    postgres: bool = False


@dataclass
class Result:
    """What was done, and what came of it."""

    campaign: Campaign
    strikes: list[Strike] = field(default_factory=list)
    missed: int = 0  # strikes that found nothing to strike at
    resumes: int = 0  # halts that the soak ended
    first: datetime = FIRST_TICK
    last: datetime = FIRST_TICK
    runs: list[Run] = field(default_factory=list)
    lost: list[datetime] = field(default_factory=list)  # ticks without a run, or whose run never ended, unexplained
    unanswered: int = 0  # ticks without a run because server or runner were down
    left: list[Run] = field(default_factory=list)  # runs that died with their runner and never ended
    crashed: dict[str, int] = field(default_factory=dict)  # what ended the crashed runs: message → count
    days: int = 0
    failures: int = 0  # counted by the book
    soft_faults: dict[str, int] = field(default_factory=dict)
    ended_by_itself: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    held_slots: int = 0
    growth: dict[str, Growth | None] = field(default_factory=dict)
    run_memory: list[float] = field(default_factory=list)  # MB
    delays: list[float] = field(default_factory=list)  # seconds from the tick's instant to the first step
    sizes: dict[str, float] = field(default_factory=dict)  # kB for each completed cycle
    seconds: float = 0.0

    @property
    def verdicts(self) -> list[str]:
        """Return everything that should not be; nothing when all is well."""
        found = list(self.broken)
        found += [f"tick {tick:%H:%M:%S} was lost" for tick in self.lost]
        found += [f"{self.held_slots} concurrency slots are still held"] if self.held_slots else []
        for name, growth in self.growth.items():
            if growth is not None and growth.life > LONG_LIFE and growth.share > WANTED_GROWTH:
                found.append(f"the memory of {name} grew by {growth.share:.1%}")
        return found


def carry_out(campaign: Campaign, say: Callable[[str], None]) -> Result:
    """Do it all. Raises RuntimeError when the services cannot even be started."""
    result, began = Result(campaign), time.monotonic()
    random = Random(campaign.plan.seed)  # kills, not secrets
    postgres = PostgresServer() if campaign.postgres else None
    plan = replace(campaign.plan, book_url=postgres.url) if postgres else campaign.plan
    stack = Stack(campaign.folder, plan)
    try:
        stack.start()
        command(stack, "automations", "apply")
        with sampled(stack) as memory:
            _trade(stack, result, Striker(stack, random, postgres), random, say)
            _settle(stack, result, say)
        try:
            _look(stack, result, memory)
        except (RuntimeError, httpx.HTTPError) as error:  # what the books say is worth knowing all the same
            result.broken.append(f"the server could not be asked: {error}")
        stack.stop()
        _check(stack, result, say)
    finally:
        stack.stop()
        if postgres is not None:
            postgres.remove()
    result.seconds = time.monotonic() - began
    return result


def command(stack: Stack, *words: str) -> None:
    """Run a `bensbot` command on the soak's bot and server. Raises RuntimeError when it fails."""
    arguments = [sys.executable, "-c", BENSBOT, *words, "--config", str(stack.config)]
    done = subprocess.run(
        arguments, env=stack.server.environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"bensbot {' '.join(words)}: {done.stdout}{done.stderr}")


def first_tick(interval: int) -> datetime:
    """Return the next instant but one at which a tick is due."""
    passed = (datetime.now(UTC) - FIRST_TICK).total_seconds()
    return FIRST_TICK + timedelta(seconds=(math.ceil(passed / interval) + 1) * interval)


def _trade(stack: Stack, result: Result, striker: Striker, random: Random, say: Callable[[str], None]) -> None:
    """Let the ticks pass, and strike at random instants of the first part of the time."""
    campaign, interval = result.campaign, campaign_interval(result)
    result.first = first_tick(campaign.plan.interval)
    result.last = result.first + interval * (campaign.cycles - 1)
    span = (interval * campaign.cycles * STRUCK_PART).total_seconds()
    kinds = deck(campaign.kills, random)
    times = [result.first + timedelta(seconds=(n + random.random()) * span / len(kinds)) for n in range(len(kinds))]
    looked = 0.0
    while (now := datetime.now(UTC)) < result.last + interval * 0.6:
        stack.pause(0.2)
        if time.monotonic() - looked > EVERY:
            looked = time.monotonic()
            _end_a_halt(stack, result)
            if not times:
                say(_progress(stack, result))
        elif times and now >= times[0]:
            times.pop(0)
            kind = kinds.pop(0)
            struck = striker.strike(kind)
            if struck is None:
                result.missed += 1
                kinds.append(kind)  # tried again at the end of its time
                times.append(max(times[-1] if times else now, now) + interval)
            else:
                result.strikes.append(struck)
            say(f"kill {len(result.strikes)} of {campaign.kills}: {kind}{_at(struck)}; {_progress(stack, result)}")


def campaign_interval(result: Result) -> timedelta:
    """Return the time from one tick to the next."""
    return timedelta(seconds=result.campaign.plan.interval)


def _at(strike: Strike | None) -> str:
    if strike is None:
        return " found nothing"
    return f" {strike.place}" if strike.place else ""


def _progress(stack: Stack, result: Result) -> str:
    passed = (datetime.now(UTC) - result.first) / campaign_interval(result)
    tick = min(max(int(passed) + 1, 0), result.campaign.cycles)
    try:
        days = f"{len(Books.of(stack.config).sessions())} days traded"
    except (StateError, SQLAlchemyError) as error:  # there is none yet, or its server is being started
        days = f"no book: {error}"
    return f"tick {tick} of {result.campaign.cycles}, {days}"


def _end_a_halt(stack: Stack, result: Result) -> None:
    """Resume, as the owner would, when the bot has halted."""
    try:
        with open_read_only(Books.of(stack.config).url) as book:
            control = book.control.read()
    except (StateError, SQLAlchemyError):  # there is no book yet, or its server is being started
        return
    if control.state is TradingState.HALTED and stack.until(60.0, stack.answers):
        with suppress(RuntimeError):  # the next look tries again
            command(stack, "resume", "--ack")
            result.resumes += 1
            stack.was_halted(control.changed_at.timestamp())


def _settle(stack: Stack, result: Result, say: Callable[[str], None]) -> None:
    say("no further ticks; settling")
    stack.until(120.0, stack.answers)
    stack.hold_the_schedule()
    stack.until(60.0, lambda: not runs_of(stack.folder))
    stack.pause(result.campaign.settle)


def _look(stack: Stack, result: Result, memory: Memory) -> None:
    """Ask the server what became of the ticks, while it still runs."""
    result.runs = ticks.runs(stack, result.first, result.last)
    result.held_slots = ticks.held_slots(stack)
    account_for_every_tick(stack, result)
    first = ticks.first_steps(stack)
    result.delays = [(first[run.run_id] - run.due).total_seconds() for run in result.runs if run.run_id in first]
    result.growth = {name: memory.growth(name) for name in ("server", "serve")}
    result.run_memory = memory.of_runs()
    result.ended_by_itself = {service.name: service.ended_by_itself for service in (stack.server, stack.serve)}


def account_for_every_tick(stack: Stack, result: Result) -> None:
    """Find ticks that no run has answered though the services were up, and runs that never ended."""
    due = {run.due for run in result.runs}
    every = (result.first + campaign_interval(result) * n for n in range(result.campaign.cycles))
    missing = [at for at in every if at not in due]
    result.lost = [at for at in missing if stack.was_up((at - TO_SEE_IT).timestamp(), at.timestamp())]
    result.unanswered = len(missing) - len(result.lost)
    deaths = [datetime.fromtimestamp(s.at, UTC) for s in result.strikes if s.kind in (RUNNER, ALL, SERVER)]
    struck = {run_id for strike in result.strikes if strike.kind in (RUNNER, ALL) for run_id in strike.run_ids}
    for run in (run for run in result.runs if not run.has_ended):
        explained = run.run_id in struck or any(abs(death - run.due) < DIED_WITH_THE_RUNNER for death in deaths)
        if explained:
            result.left.append(run)
        else:
            result.lost.append(run.due)
    result.crashed = dict(
        Counter(run.message.partition(". ")[0] for run in result.runs if run.state == "CRASHED").most_common()
    )


def _check(stack: Stack, result: Result, say: Callable[[str], None]) -> None:
    """Check the books, now that nobody writes to them any more."""
    books = Books.of(stack.config)
    result.days = len(books.sessions())
    result.failures = int(books.ask("SELECT count(*) FROM failures")[0][0])
    result.broken += broken(books) if result.days else ["no day was traded"]
    by_reconciliation = books.ask("SELECT cause FROM state_changes WHERE changed_by = 'reconciliation'")
    result.broken += [f"the books differed once: {cause}" for (cause,) in by_reconciliation]
    soft = stack.folder / SOFT_FAULTS
    result.soft_faults = dict(Counter(soft.read_text().splitlines()).most_common()) if soft.exists() else {}
    result.sizes = _sizes(stack, max(result.days, 1), len(result.runs) or 1)
    if not stack.plan.soft_faults and result.days:
        say(f"trading the same {result.days} days without any fault")
        result.broken += different(books, Books.of(undisturbed(stack.config, result.days)))


def _sizes(stack: Stack, days: int, runs: int) -> dict[str, float]:
    files = {"book": (stack.state / "bensbot.db", days), "paper": (stack.state / "paper.db", days)}
    files["server"] = (stack.folder / "prefect" / "prefect.db", runs)
    return {name: file.stat().st_size / 1000 / count for name, (file, count) in files.items() if file.exists()}


def median(values: list[float]) -> float:
    """Return the median, 0 of nothing."""
    return statistics.median(values) if values else 0.0
