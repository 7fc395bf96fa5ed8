"""Real processes are killed, one after the other, under a real server and a real runner. What became of it?

`scripts/soak.py` does the same for hours.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from scripts.soaking import ticks
from scripts.soaking.laws import Books, broken, different, undisturbed
from scripts.soaking.machine import runs_of
from scripts.soaking.names import BOOK_COMMIT
from scripts.soaking.plan import Plan
from scripts.soaking.stack import Stack
from scripts.soaking.strikes import ALL, AMBUSHED, ASLEEP, DATABASE, RUNNER, SERVER, Strike, Striker
from scripts.soaking.ticks import Run
from trading_bot.domain.errors import StateError

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(1800)]

KINDS = (AMBUSHED, ASLEEP, SERVER, DATABASE, RUNNER, ALL)
TRADES_AGAIN = 300.0  # seconds: a restart, what is left of the backoff, and a run
DIED = "was killed or its process died"


@dataclass
class Aftermath:
    """What was struck, and what was found when all was quiet again."""

    books: Books
    strikes: dict[str, Strike] = field(default_factory=dict)
    days_after: dict[str, int] = field(default_factory=dict)  # days traded between this strike and the next
    runs: dict[str, Run] = field(default_factory=dict)
    held_slots: int = 0

    def struck(self, kind: str) -> str:
        """Return the run that was struck first by a strike of this kind."""
        return self.strikes[kind].run_ids[0]

    def failures(self, kind: str) -> list[str]:
        """Return the errors under which the book has counted the struck run."""
        return [
            error for (error,) in self.books.ask(f"SELECT error FROM failures WHERE run_id = '{self.struck(kind)}'")
        ]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    stack = Stack(tmp_path_factory.mktemp("crashes"), Plan(interval=3600, lease_seconds=15, on_demand=True))
    try:
        stack.start()
        found = Aftermath(Books.of(stack.config))
        begun = datetime.now(UTC)
        assert stack.until(TRADES_AGAIN, lambda: len(days(found)) > 0), stack.last_lines("serve")
        striker = Striker(stack, Random(1), patience=TRADES_AGAIN)
        for kind in KINDS:
            strike_and_wait(stack, striker, kind, found)
        stack.plan = replace(stack.plan, on_demand=False)
        assert stack.until(TRADES_AGAIN, lambda: not runs_of(stack.folder)), "a run does not end"
        found.runs = {run.run_id: run for run in ticks.runs(stack, begun, datetime.now(UTC) + timedelta(minutes=1))}
        found.held_slots = ticks.held_slots(stack)
    finally:
        stack.stop()
    return found


def strike_and_wait(stack: Stack, striker: Striker, kind: str, found: Aftermath) -> None:
    strike = striker.ambushed("after broker.submit") if kind == AMBUSHED else striker.strike(kind)
    assert strike is not None, f"nothing to strike at: {kind}\n{stack.last_lines('serve')}"
    found.strikes[kind] = strike
    before = len(days(found))
    stack.until(TRADES_AGAIN, lambda: len(days(found)) > before)
    found.days_after[kind] = len(days(found)) - before


def days(found: Aftermath) -> list[str]:
    with suppress(StateError):  # the first run is making the book just now
        return found.books.sessions()
    return []


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_ticks_trade_on(aftermath: Aftermath, kind: str):
    assert aftermath.days_after[kind] > 0


def test_every_law_of_the_books_holds(aftermath: Aftermath):
    assert broken(aftermath.books) == []


def test_the_books_are_those_of_a_run_that_nobody_disturbed(aftermath: Aftermath):
    config = aftermath.books.paper.parents[1] / "config.json"

    calm = Books.of(undisturbed(config, len(aftermath.books.sessions())))

    assert different(aftermath.books, calm) == []


def test_a_killed_run_is_told_as_crashed_and_counted_once(aftermath: Aftermath):
    assert aftermath.runs[aftermath.struck(AMBUSHED)].outcome == "crashed"
    assert len(aftermath.failures(AMBUSHED)) == 1


def test_a_run_killed_inside_a_transaction_is_counted_once(aftermath: Aftermath):
    assert aftermath.strikes[DATABASE].place == BOOK_COMMIT
    assert len(aftermath.failures(DATABASE)) == 1


def test_a_run_that_died_with_its_runner_is_counted_once_though_no_hook_ran(aftermath: Aftermath):
    ((error,)) = aftermath.failures(ALL)

    assert error.endswith(DIED)
    assert aftermath.runs[aftermath.struck(ALL)].outcome == "running"  # the watchdog's rules end it, where they are


def test_a_run_without_a_runner_ends_and_is_counted_once_at_most(aftermath: Aftermath):
    assert aftermath.runs[aftermath.struck(RUNNER)].has_ended
    assert len(aftermath.failures(RUNNER)) <= 1


def test_a_run_that_slept_through_its_lease_may_not_trade_on(aftermath: Aftermath):
    ((error,)) = aftermath.failures(ASLEEP)

    assert error.endswith(DIED)
    assert aftermath.runs[aftermath.struck(ASLEEP)].outcome == "failed"
    assert "Lease" in aftermath.runs[aftermath.struck(ASLEEP)].message


def test_nobody_holds_lease_or_slot_afterwards(aftermath: Aftermath):
    assert aftermath.books.ask("SELECT owner FROM lease") == [(None,)]
    assert aftermath.held_slots == 0
