"""A process that is killed at the worst moment leaves a book that can be trusted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.state.books import TurnedClock
from trading_bot.domain.orders import OrderStatus
from trading_bot.state import StateManager, check_ledger

CHILD = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from tests.unit.state.books import approved, fill, open_desk
from trading_bot.state.schema import positions

moment = sys.argv[2]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def die_at(statement):
    @event.listens_for(desk.book.engine, "after_cursor_execute")
    def _(connection, cursor, text, *rest):
        if text.startswith(statement):
            die()

with open_desk(Path(sys.argv[1])) as desk:
    desk.begin()
    if moment == "inside the commit of decisions":
        die_at("INSERT INTO intents")
    (wanted,) = desk.decide(approved("10"))
    desk.book.journal.mark_sending(wanted.client_order_id, desk.lease)
    if moment == "after the order was marked as sending":
        die()
    if moment == "between shares and cash of a fill":
        die_at("INSERT INTO cash_ledger")
    desk.book.ledger.book_fills(desk.lease, [fill(wanted.client_order_id)])
    die()
"""

INSIDE_DECIDING = "inside the commit of decisions"
SENDING = "after the order was marked as sending"
INSIDE_BOOKING = "between shares and cash of a fill"


def kill_at(moment: str, path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), moment], env=environment, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize(
    ("moment", "decided", "statuses", "cash"),
    [
        (INSIDE_DECIDING, False, [], "10000"),
        (SENDING, True, [OrderStatus.UNKNOWN], "10000"),
        (INSIDE_BOOKING, True, [OrderStatus.UNKNOWN], "10000"),
    ],
)
def test_a_killed_process_leaves_a_sound_book(
    path: Path, moment: str, decided: bool, statuses: list[OrderStatus], cash: str
):
    kill_at(moment, path)

    clock = TurnedClock()
    clock.sleep(601)  # the dead owner's lease ends by itself
    with StateManager.open(f"sqlite:///{path}", clock=clock) as book:
        assert check_ledger(book.engine) == ()
        assert [cycle.cycle_id for cycle in book.cycles.unfinished()] == ["monday"]
        assert [order.status for order in book.journal.open_orders()] == statuses
        assert bool(book.journal.decisions("monday")) is decided
        assert book.control.acquire_lease("next", ttl_seconds=60) is not None
        assert book.ledger.portfolio().cash == Decimal(cash)
