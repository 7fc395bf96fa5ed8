"""The sweep: strike at the first boundary call, the second, the third … until nothing is left to strike.

The manner is that of SQLite's own tests (https://www.sqlite.org/testing.html, section 3, "Anomaly Testing"). After
every stroke the bot is started again, and must arrive where it would have arrived undisturbed.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from tests.faults.sweeping import GUARDED, STRUCK, Outcome, outcome_of, read, trade_in_processes
from tests.patience import EVERY
from trading_bot.domain.money import cents
from trading_bot.state import check_ledger, open_read_only

BEFORE = date(2022, 1, 13)
LAST = date(2022, 1, 18)  # on the 14th an exit and an entry are sent; on the 18th both fill, and another exit is sent
KILLED = -9
AT_ONCE = 4
BOOKS = ("bensbot.db", "paper.db")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books that were traded up to the eve of the sweep."""
    folder = tmp_path_factory.mktemp("sweep") / "start"
    assert trade_in_processes(folder, until=BEFORE) == [0]
    return folder


@pytest.fixture(scope="module")
def undisturbed(start: Path) -> Outcome:
    folder = start.parent / "undisturbed"
    shutil.copytree(start, folder)
    assert trade_in_processes(folder, until=LAST) == [0]
    return outcome_of(folder)


def test_the_sweep_has_something_to_strike(start: Path, undisturbed: Outcome):
    before, days = outcome_of(start), {session for *_, session in undisturbed.fills}

    assert "2022-01-18" in days
    assert {order_id.rsplit("-", 2)[-2] for order_id, _ in undisturbed.orders[len(before.orders) :]} == {"buy", "sell"}


@dataclass(frozen=True)
class Stroke:
    """One run that was struck: where, in which folder, how the process ended and how the one after it."""

    number: int
    folder: Path
    exit_code: int
    again: int = 0

    @property
    def place(self) -> str:
        return json.loads((self.folder / STRUCK).read_text())["place"]


def strike(start: Path, room: Path, until: date, kind: str, numbers: Sequence[int]) -> list[Stroke]:
    """Trade from `start` on, once for each number, and strike there; numbers without a boundary give nothing."""
    folders = [room / f"{kind}-{number}" for number in numbers]
    for folder in folders:
        shutil.copytree(start, folder)
    codes = trade_in_processes(*folders, until=until, kind=kind, strikes=numbers)
    strokes = [Stroke(*stroke) for stroke in zip(numbers, folders, codes, strict=True) if (stroke[1] / STRUCK).exists()]
    again = trade_in_processes(*(stroke.folder for stroke in strokes), until=until)
    return [replace(stroke, again=code) for stroke, code in zip(strokes, again, strict=True)]


def sweep(
    start: Path, room: Path, until: date, kind: str, check: Callable[[Stroke], list[str]], step: int = 1
) -> list[str]:
    """Strike everywhere, or at each `step`-th place, start again, check every run, and return the places struck."""
    places: list[str] = []
    for first in itertools.count(1, AT_ONCE * step):
        strokes = strike(start, room, until, kind, range(first, first + AT_ONCE * step, step))
        for stroke in strokes:
            wrong = [f"started again it ended with {stroke.again}"] if stroke.again else []
            assert [*wrong, *violations(stroke.folder), *check(stroke)] == [], f"stroke {stroke.number} {stroke.place}"
            places.append(stroke.place)
            shutil.rmtree(stroke.folder)
        if len(strokes) < AT_ONCE:
            break
    return places


def violations(folder: Path) -> list[str]:
    """Return what is wrong by itself: a law of the ledger, two orders for one intent, books that differ."""
    with open_read_only(f"sqlite:///{folder / 'bensbot.db'}") as book:
        found = [f"{v.law}: {v.subject}: {v.message}" for v in check_ledger(book.engine)]
        ours = book.ledger.portfolio()
    paper = read(folder / "paper.db", "SELECT symbol, quantity FROM paper_positions WHERE CAST(quantity AS REAL) <> 0")
    if sorted(paper) != sorted((p.symbol, f"{p.quantity:f}") for p in ours.positions.values()):
        found.append(f"positions: {paper} at the broker, {ours.positions} in the book")
    ((cash,),) = read(folder / "paper.db", "SELECT cash FROM paper_account")
    if cash != str(cents(ours.cash)):
        found.append(f"cash: {cash} at the broker, {ours.cash} in the book")
    sent = [order_id for (order_id,) in read(folder / "paper.db", "SELECT client_order_id FROM paper_orders")]
    intended = {order_id for (order_id,) in read(folder / "bensbot.db", "SELECT client_order_id FROM intents")}
    if len(sent) != len(set(sent)) or not set(sent) <= intended:
        found.append(f"orders: {sent} at the broker, {sorted(intended)} in the book")
    return found


def kill(start: Path, undisturbed: Outcome, tmp_path: Path, kind: str, step: int = 1) -> list[str]:
    def check(stroke: Stroke) -> list[str]:
        return ended_with(stroke, KILLED) + otherwise(undisturbed, stroke.folder)

    return sweep(start, tmp_path, LAST, kind, check, step)


def test_a_process_killed_at_some_changes_arrives_all_the_same(start: Path, undisturbed: Outcome, tmp_path: Path):
    assert len(kill(start, undisturbed, tmp_path, "killed", step=7)) > 8


@pytest.mark.slow
@EVERY
def test_a_process_killed_at_any_call_at_all_arrives_all_the_same(
    start: Path, undisturbed: Outcome, tmp_path: Path, step: int
):
    places = kill(start, undisturbed, tmp_path, "killed anywhere", step)

    assert len(places) > 100 // step
    places += kill(start, undisturbed, tmp_path, "killed at an order")  # so few that a sample may miss them
    assert {"before broker.submit", "after broker.submit"} <= set(places)
    assert {f"{when} commit {file}" for when in ("before", "after") for file in BOOKS} <= set(places)


@pytest.mark.endurance
@pytest.mark.parametrize(
    ("kind", "code", "step"),
    [("killed anywhere", KILLED, 3), ("killed at an order", KILLED, 1), ("broker unavailable", 0, 1)],
)
def test_stop_orders_that_come_and_go_are_never_doubled_and_never_in_the_way(
    tmp_path: Path, kind: str, code: int, step: int
):
    start = tmp_path / "start"
    start.mkdir()
    (start / GUARDED).touch()
    assert trade_in_processes(start, until=BEFORE) == [0]
    wanted = tmp_path / "undisturbed"
    shutil.copytree(start, wanted)
    assert trade_in_processes(wanted, until=LAST) == [0]
    undisturbed = outcome_of(wanted)
    assert any(order_id.endswith("-sell-stop") for order_id, _ in undisturbed.orders)

    def check(stroke: Stroke) -> list[str]:
        return ended_with(stroke, code) + (otherwise(undisturbed, stroke.folder) if code else [])

    places = sweep(start, tmp_path, LAST, kind, check, step=step)

    if step == 1:  # they are so few that a sample may miss them
        assert {"before broker.cancel", "after broker.cancel"} <= set(places)


@pytest.mark.endurance
def test_a_database_locked_at_any_boundary_changes_nothing(start: Path, undisturbed: Outcome, tmp_path: Path):
    def check(stroke: Stroke) -> list[str]:
        return ended_with(stroke, 0) + otherwise(undisturbed, stroke.folder)

    places = sweep(start, tmp_path, LAST, "database busy", check)

    assert set(places) == {f"begin {file}" for file in BOOKS}


@pytest.mark.endurance
def test_a_broker_without_a_clear_answer_at_any_call_doubles_nothing(start: Path, undisturbed: Outcome, tmp_path: Path):
    def check(stroke: Stroke) -> list[str]:
        if stroke.place == "before broker.submit":  # the order never arrived, and its cycle went on without it
            return ended_with(stroke, 0) + more_than_one_missing(stroke.folder)
        return ended_with(stroke, 0) + otherwise(undisturbed, stroke.folder)

    places = sweep(start, tmp_path, LAST, "broker unavailable", check)

    assert {"before broker.submit", "after broker.submit"} <= set(places)


@pytest.mark.endurance
def test_a_process_killed_while_it_makes_its_first_book_changes_nothing(tmp_path: Path):
    nothing, undisturbed, last = tmp_path / "nothing", tmp_path / "undisturbed", date(2022, 1, 6)
    nothing.mkdir()
    assert trade_in_processes(undisturbed, until=last) == [0]
    wanted = outcome_of(undisturbed)

    def check(stroke: Stroke) -> list[str]:
        return ended_with(stroke, KILLED) + otherwise(wanted, stroke.folder)

    assert len(sweep(nothing, tmp_path, last, "killed", check)) > 80


def ended_with(stroke: Stroke, wanted: int) -> list[str]:
    return [] if stroke.exit_code == wanted else [f"it ended with {stroke.exit_code}"]


def otherwise(undisturbed: Outcome, folder: Path) -> list[str]:
    """Return what ended otherwise than in the undisturbed run."""
    struck, wanted = asdict(outcome_of(folder)), asdict(undisturbed)
    return [f"{name}: {struck[name]} instead of {wanted[name]}" for name in wanted if struck[name] != wanted[name]]


def more_than_one_missing(folder: Path) -> list[str]:
    """Return what is wrong unless just one order is missing at the broker, and the book knows it."""
    at_broker = {order_id for (order_id,) in read(folder / "paper.db", "SELECT client_order_id FROM paper_orders")}
    missing = {order_id: status for order_id, status in outcome_of(folder).orders if order_id not in at_broker}
    known = [status for status in missing.values() if status in ("expired_unsent", "unknown")]
    return [] if len(missing) == len(known) == 1 else [f"orders that never arrived: {missing}"]
