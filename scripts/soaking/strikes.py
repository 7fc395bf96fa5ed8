"""The kinds of kill, and how each is struck on real processes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from scripts.soaking.database import PostgresServer
from scripts.soaking.laws import Books
from scripts.soaking.machine import RunProcess, is_alive, runs_of, send
from scripts.soaking.names import AMBUSH, BOOK_COMMIT, BOOK_COMMITTED, CAUGHT, PAPER_COMMIT
from scripts.soaking.stack import Stack

RUN, AMBUSHED, DATABASE, RUNNER, ALL, SERVER, ASLEEP = (
    "run",
    "run, ambushed",
    "database",
    "serve alone",
    "serve and its runs",
    "server",
    "run put to sleep",
)
KINDS = {
    RUN: "SIGKILL of a run's process, at any instant of its life",
    AMBUSHED: "SIGKILL of a run at a chosen call: of the broker, or after a commit",
    DATABASE: "the database under the book dies in mid-transaction",
    RUNNER: "SIGKILL of the runner; its runs go on as orphans",
    ALL: "SIGKILL of the runner and of all its runs",
    SERVER: "SIGKILL of the Prefect server",
    ASLEEP: "SIGSTOP of a run for longer than its lease, then SIGCONT",
}
# How often each comes among 20 kills. The first of each kind comes before the second of any.
SHARES = {RUN: 6, AMBUSHED: 4, DATABASE: 3, RUNNER: 2, ALL: 2, SERVER: 2, ASLEEP: 1}
PLACES = (
    "before prices",
    "before broker.account",
    "before broker.advance",
    "after broker.advance",
    "before broker.submit",
    "after broker.submit",
    "before broker.find",
    "before broker.get_portfolio",
    BOOK_COMMITTED,
    PAPER_COMMIT,
)
# So often, at least, a run comes by these places; by the others once, if at all.
TIMES = {BOOK_COMMIT: 8, BOOK_COMMITTED: 8, "before broker.submit": 2, "after broker.submit": 2}
AWAKE = ("before broker.submit", "before broker.get_portfolio", "after broker.advance")  # no transaction is open
PATIENCE = 30.0  # seconds until somebody falls into an ambush; on days without an order nobody comes by `submit`
LIFE = 6.0  # seconds that a run lives, about
TO_TRADE = 60.0  # seconds in which others take the lease of a sleeper and trade, at the longest


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill that was carried out."""

    kind: str
    at: float  # seconds since the epoch
    place: str = ""
    run_ids: tuple[str, ...] = ()  # runs that died or slept


def deck(count: int, random: Random) -> list[str]:
    """Return the kinds of `count` kills in random order, every kind among the first seven of them."""
    kinds = list(KINDS)
    random.shuffle(kinds)
    pool = [kind for kind, share in SHARES.items() for _ in range(share - 1)]
    rest: list[str] = []
    while len(rest) + len(kinds) < count:
        fresh = list(pool)
        random.shuffle(fresh)
        rest += fresh
    return (kinds + rest)[:count]


class Striker:
    """Carries strikes out."""

    def __init__(
        self, stack: Stack, random: Random, postgres: PostgresServer | None = None, *, patience: float = PATIENCE
    ) -> None:
        """Take the stack to strike at."""
        self._stack, self._random, self._postgres, self._patience = stack, random, postgres, patience
        self._how: dict[str, Callable[[], Strike | None]] = {
            RUN: self.run,
            AMBUSHED: self.ambushed,
            DATABASE: self.database,
            RUNNER: self.runner,
            ALL: self.everything,
            SERVER: self.server,
            ASLEEP: self.asleep,
        }

    def strike(self, kind: str) -> Strike | None:
        """Strike once. None: there was nothing to strike at in time."""
        return self._how[kind]()

    def run(self) -> Strike | None:
        """Kill a process that executes a flow run, whatever it does just now."""
        self._stack.until(self._patience, lambda: bool(self._runs()))
        self._stack.pause(self._random.uniform(0, LIFE))
        runs = sorted(self._runs(), key=lambda run: run.pid)
        if not runs:
            return None
        victim = self._random.choice(runs)
        return self._strike(RUN, [victim]) if send(victim.pid, signal.SIGKILL) else None

    def ambushed(self, place: str | None = None) -> Strike | None:
        """Kill a run at a chosen place."""
        return self._killed_at(place or self._random.choice(PLACES), AMBUSHED)

    def database(self) -> Strike | None:
        """Kill the database while a transaction of a run is open: PostgreSQL's own server, or SQLite's writer."""
        if self._postgres is None:
            return self._killed_at(BOOK_COMMIT, DATABASE)
        run = self._caught(BOOK_COMMIT)
        self._postgres.crash()
        if run is not None:
            self._let_go(run)
        self._postgres.start()
        return Strike(DATABASE, time.time(), "the postmaster", (run.run_id,) if run else ())

    def runner(self) -> Strike | None:
        """Kill the runner alone, while a run of it is at work."""
        if not self._stack.serve.pid:
            return None
        run = self._caught(self._random.choice(AWAKE[1:]))
        self._stack.serve.kill()
        if run is not None:
            self._stack.pause(self._random.uniform(0, 2))
            self._let_go(run)  # the orphan trades on
        return Strike(RUNNER, time.time(), "", (run.run_id,) if run else ())

    def everything(self) -> Strike | None:
        """Kill the runner and every process it has started."""
        if not self._stack.serve.pid:
            return None
        run = self._caught(self._random.choice(PLACES[2:]))
        self._stack.serve.kill()
        runs = sorted(self._runs(), key=lambda each: each != run)  # the one that was at work is named first
        for each in runs:
            send(each.pid, signal.SIGKILL)
        if run is not None:
            self._let_go(run)
        return self._strike(ALL, runs)

    def server(self) -> Strike | None:
        """Kill the Prefect server, while a run is at work."""
        if not self._stack.server.pid:
            return None
        run = self._caught(self._random.choice(AWAKE[1:]))
        self._stack.server.kill()
        if run is not None:
            self._let_go(run)
        return self._strike(SERVER, [])

    def asleep(self) -> Strike | None:
        """Stop a run that holds the lease for longer than the lease, then let it go on."""
        run = self._caught(self._random.choice(AWAKE))
        if run is None or not send(run.pid, signal.SIGSTOP):
            return None
        books = Books.of(self._stack.config)
        traded = len(books.sessions())
        self._stack.pause(self._stack.plan.lease_seconds)
        self._stack.until(max(TO_TRADE, self._patience), lambda: len(books.sessions()) > traded)
        self._let_go(run)
        send(run.pid, signal.SIGCONT)
        return self._strike(ASLEEP, [run])

    def _killed_at(self, place: str, kind: str) -> Strike | None:
        run = self._caught(place)
        if run is None:
            return None
        send(run.pid, signal.SIGKILL)
        self._let_go(run)
        return self._strike(kind, [run], place)

    def _caught(self, place: str) -> RunProcess | None:
        """Lay an ambush and return the run that falls into it, None when none does in time.

        A run comes by some places several times in its life; one of them is chosen.
        """
        ambush = self._stack.folder / AMBUSH
        fresh = ambush.with_suffix(".new")
        fresh.write_text(json.dumps({"place": place, "time": self._random.randint(1, TIMES.get(place, 1))}))
        fresh.rename(ambush)
        self._stack.until(self._patience, lambda: bool(self._in_the_trap()))
        ambush.unlink(missing_ok=True)
        pids = self._in_the_trap()
        return next((run for run in self._runs() if run.pid in pids), None)

    def _in_the_trap(self) -> list[int]:
        pids = [int(file.name.rpartition("-")[2]) for file in self._stack.folder.glob(f"{CAUGHT}-*")]
        return [pid for pid in pids if is_alive(pid)]

    def _let_go(self, run: RunProcess) -> None:
        (self._stack.folder / f"{CAUGHT}-{run.pid}").unlink(missing_ok=True)

    def _runs(self) -> list[RunProcess]:
        return runs_of(self._stack.folder)

    @staticmethod
    def _strike(kind: str, runs: list[RunProcess], place: str = "") -> Strike:
        return Strike(kind, time.time(), place, tuple(run.run_id for run in runs))
