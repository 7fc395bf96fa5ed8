"""A process that is killed while it trades at Alpaca, for real: the next one finds what it did, and doubles nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.alpaca_trading import MORNING, SECTIONS, Trading, Wants, bot_of, open_sandbox, trading_at_alpaca
from tests.faults.sweeping import SERVER
from tests.unit.brokers.sandboxes import connect
from tests.unit.core.trading import WallClock, open_desk
from trading_bot.core.cycle import run_cycle
from trading_bot.core.hours import TradingHours
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.sandbox.server import Sandbox

TICK = MORNING + timedelta(minutes=1)
KILLED = -9
NAME = "bb-20220103T150100Z-AAPL-buy-entry"


@dataclass
class Deadly:
    """A broker or a strategy that takes its process down with it at one call."""

    real: Any
    call: str
    after: bool = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)
        if not callable(real):
            return real

        def call(*args: Any, **named: Any) -> Any:
            if name == self.call and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = real(*args, **named)
            if name == self.call:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call


class DeadlyThought(Wants):
    """Dies while it thinks."""

    def opinion(self, history: MarketHistory) -> Opinion:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().opinion(history)


def trade(folder: Path, url: str, where: str) -> None:
    """Run the cycle of the tick and die on the way; this is the whole life of a forked process."""
    broker: Any = connect(url, calendar=TradingHours(), queue_for_open=False)
    thought = DeadlyThought if where == "thinking" else Wants
    if where in ("before sending", "after sending"):
        broker = Deadly(broker, "submit", after=where == "after sending")
    with open_desk(folder, WallClock(TICK), **SECTIONS) as desk:
        run_cycle(bot_of(desk, broker, thought(frozenset({"AAPL"}))), run_id="child", scheduled=TICK)


@dataclass
class Scene:
    """A sandbox whose clock can be turned, and a folder that processes die in."""

    folder: Path
    clock: WallClock
    sandbox: Sandbox
    held: Decimal = Decimal(0)  # after the last cycle

    def kill(self, where: str) -> None:
        SERVER.set_forkserver_preload(["tests.faults.sweep_server"])
        child = SERVER.Process(target=trade, args=(self.folder, self.sandbox.url, where))
        child.start()
        child.join(120)
        assert child.exitcode == KILLED

    def cycle(self, at: datetime, *, scheduled: datetime | None = None) -> Trading:
        """Run a cycle in this process at an instant, and return how things stand then."""
        self.clock.instant = at
        with trading_at_alpaca(self.folder, self.sandbox) as trading:
            trading.clock.instant = at
            trading.wants("AAPL").cycle(after=timedelta(0), scheduled=scheduled)
            self.held = trading.held()
        return trading

    def at_broker(self) -> list[tuple[str, str]]:
        return [(order.client_order_id, order.status) for order in self.sandbox.exchange.orders()]

    def statuses(self, trading: Trading) -> list[tuple[str, str]]:
        return sorted(trading.desk.rows("SELECT client_order_id, status FROM orders"))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    clock = WallClock(TICK)
    with open_sandbox(clock) as sandbox:
        yield Scene(tmp_path / "state", clock, sandbox)


def test_fault_01_killed_before_it_decided_nothing_was_sent_and_the_next_cycle_decides_afresh(scene: Scene):
    scene.kill("thinking")
    assert scene.at_broker() == []

    trading = scene.cycle(TICK + timedelta(minutes=1))
    later = "bb-20220103T150200Z-AAPL-buy-entry"
    assert scene.at_broker() == scene.statuses(trading) == [(later, "filled")]
    assert scene.held == 27


def test_fault_02_killed_before_it_sent_the_same_cycle_sends_under_the_same_name(scene: Scene):
    scene.kill("before sending")
    assert scene.at_broker() == []

    trading = scene.cycle(TICK + timedelta(seconds=10), scheduled=TICK)
    assert scene.at_broker() == scene.statuses(trading) == [(NAME, "filled")]
    assert scene.held == 27


def test_fault_02_killed_before_it_sent_a_later_cycle_gives_the_order_up(scene: Scene):
    scene.kill("before sending")

    trading = scene.cycle(TICK + timedelta(minutes=6))
    later = "bb-20220103T150700Z-AAPL-buy-entry"
    assert scene.at_broker() == [(later, "filled")]
    assert scene.statuses(trading) == [(NAME, "expired_unsent"), (later, "filled")]
    assert scene.held == 27


def test_fault_03_killed_after_the_broker_accepted_the_order_is_found_by_its_name(scene: Scene):
    scene.kill("after sending")

    trading = scene.cycle(TICK + timedelta(minutes=1))
    assert scene.at_broker() == scene.statuses(trading) == [(NAME, "filled")]
    assert scene.held == 27


def test_fault_18_killed_and_filled_in_parts_meanwhile_every_part_is_adopted(scene: Scene):
    scene.sandbox.exchange.behaviour = replace(scene.sandbox.exchange.behaviour, hold_fills=True)
    scene.kill("after sending")
    scene.sandbox.exchange.fill(NAME, Decimal(10))

    trading = scene.cycle(TICK + timedelta(minutes=1))
    assert (scene.held, scene.statuses(trading)) == (10, [(NAME, "partially_filled")])
    scene.sandbox.exchange.fill(NAME)
    trading = scene.cycle(TICK + timedelta(minutes=2))
    assert (scene.held, scene.statuses(trading)) == (27, [(NAME, "filled")])
