from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.soaking.campaign import Campaign, Result, account_for_every_tick
from scripts.soaking.memory import MB, Growth, Memory
from scripts.soaking.plan import Plan
from scripts.soaking.stack import Stack
from scripts.soaking.strikes import ALL, KINDS, RUN, Strike, deck
from scripts.soaking.ticks import Run

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def run(number: int, state: str = "COMPLETED", *, name: str = "Completed", message: str = "") -> Run:
    due = NOON + timedelta(seconds=6 * number)
    return Run(f"run-{number}", due, due, None, state, name, message)


def up(*spans: tuple[float, float]) -> Any:
    """Stand in for the services, up in these spans of seconds after noon."""
    noon = NOON.timestamp()
    return SimpleNamespace(
        was_up=lambda since, until: any(noon + begin <= since and until <= noon + end for begin, end in spans)
    )


def result_of(*runs: Run, cycles: int, strikes: tuple[Strike, ...] = ()) -> Result:
    campaign = Campaign(Path("nowhere"), Plan(interval=6), cycles=cycles)
    return Result(campaign, strikes=list(strikes), first=NOON, runs=list(runs))


def test_every_kind_of_kill_comes_before_any_comes_twice():
    assert set(deck(7, Random(1))) == set(KINDS)


def test_a_long_deck_has_as_many_kills_as_asked():
    assert len(deck(50, Random(1))) == 50


def test_the_same_seed_gives_the_same_kills():
    assert deck(50, Random(3)) == deck(50, Random(3)) != deck(50, Random(4))


def test_a_tick_without_a_run_is_lost_when_the_services_were_up():
    result = result_of(run(0), run(1), run(3), cycles=4)

    account_for_every_tick(up((-60, 60)), result)

    assert result.lost == [NOON + timedelta(seconds=12)]
    assert result.verdicts == ["tick 12:00:12 was lost"]


def test_a_tick_without_a_run_is_not_lost_while_a_service_starts():
    result = result_of(run(0), run(1), run(3), cycles=4)

    account_for_every_tick(up((-60, 5), (8, 60)), result)

    assert (result.lost, result.unanswered) == ([], 1)


def test_a_halt_is_no_time_of_being_up(tmp_path: Path):
    stack = Stack(tmp_path, Plan())
    stack.up = [(100.0, 200.0), (210.0, 300.0)]

    stack.was_halted(250.0)
    for open_file in (stack.server.log, stack.serve.log, stack.api):
        open_file.close()

    assert stack.was_up(220.0, 250.0)
    assert not stack.was_up(240.0, 260.0)


def test_a_run_that_never_ends_is_a_lost_tick():
    result = result_of(run(0), run(1, "RUNNING", name="Running"), cycles=2)

    account_for_every_tick(up((-60, 60)), result)

    assert result.lost == [NOON + timedelta(seconds=6)]


def test_a_run_that_died_with_its_runner_is_no_lost_tick():
    dead = run(1, "RUNNING", name="Running")
    strike = Strike(ALL, NOON.timestamp() + 7, "", ("run-1",))
    result = result_of(run(0), dead, cycles=2, strikes=(strike,))

    account_for_every_tick(up((-60, 60)), result)

    assert (result.lost, result.left) == ([], [dead])


def test_a_killed_run_that_the_runner_lived_to_see_has_to_end():
    result = result_of(
        run(0, "RUNNING", name="Running"), cycles=1, strikes=(Strike(RUN, NOON.timestamp() + 1, "", ("run-0",)),)
    )

    account_for_every_tick(up((-60, 60)), result)

    assert result.lost == [NOON]


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Another cycle is running: the lease is held by h:1:x until 12:00.", "skipped: lease taken"),
        ("The cycle of 12:00:00 UTC comes 0:00:09 late; a newer one trades.", "skipped: too late"),
        ("Backing off after 1 failed cycle(s) in a row until 12:00:01 UTC.", "skipped: backing off"),
    ],
)
def test_a_skip_is_told_with_its_reason(message: str, outcome: str):
    assert run(0, name="Skipped", message=message).outcome == outcome


def samples(*megabytes: float) -> Memory:
    return Memory(services={"server": [(7, 5.0 * n, int(mb * MB)) for n, mb in enumerate(megabytes)], "serve": []})


def test_growth_compares_the_thirds_of_the_second_half_of_a_life():
    growth = samples(*[100] * 9, *[200] * 3, *[205] * 3, *[220] * 3).growth("server")

    assert growth == Growth(before=200.0, after=220.0, life=85.0)
    assert growth is not None
    assert f"{growth.share:.0%}" == "10%"


def test_a_life_too_short_to_tell_has_no_growth():
    assert samples(100, 110, 120).growth("server") is None


def test_only_the_last_life_counts():
    memory = samples(*[500] * 18)
    memory.services["server"] += [(8, 100.0 + n, 100 * MB) for n in range(18)]

    assert memory.growth("server") == Growth(before=100.0, after=100.0, life=17.0)
