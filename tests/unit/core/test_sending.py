"""Many orders at once: none lost, none doubled, exits before entries, and the book written by one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.state.books import MONDAY, approved, open_desk, signal, update
from trading_bot.core.sending import send
from trading_bot.domain.cycle import CycleTicket, TradingState
from trading_bot.domain.errors import BrokerUnavailable, CredentialsRefused, LeaseLost
from trading_bot.domain.orders import OrderIntent, OrderStatus, OrderUpdate, Purpose, Side
from trading_bot.state import StateManager

AT_ONCE = 4
AT = datetime(2024, 1, 8, 21, tzinfo=UTC)


@dataclass
class Crowd:
    """A broker that takes several orders at once: it answers only when as many as may come together are there."""

    most_at_once: int = AT_ONCE
    goes_wrong: dict[str, Exception] = field(default_factory=dict)
    arrived: list[OrderIntent] = field(default_factory=list)
    there: int = 0
    most_there: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    meeting: threading.Barrier | None = None
    on_arrival: Callable[[OrderIntent], object] = lambda _: None
    while_waiting: Callable[[int], object] = lambda _: None

    def make_way(self, orders: int) -> None:
        self.while_waiting(orders)

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        with self.lock:
            self.arrived.append(intent)
            self.there += 1
            self.most_there = max(self.most_there, self.there)
            self.on_arrival(intent)
        if self.meeting is not None:
            self.meeting.wait(timeout=10)
        with self.lock:
            self.there -= 1
        if (error := self.goes_wrong.get(intent.symbol)) is not None:
            raise error
        return update(intent.client_order_id, OrderStatus.ACCEPTED)


@dataclass
class Desk:
    broker: Any
    book: StateManager


class Scene:
    """A cycle whose intents are committed."""

    def __init__(self, path: Path, wanted: Sequence[tuple[str, Side]]) -> None:
        self.opened = open_desk(path)
        self.books = self.opened.__enter__()
        self.books.begin()
        decisions = [
            approved("10", signal(symbol, side=side, purpose=Purpose.ENTRY if side is Side.BUY else Purpose.EXIT))
            for symbol, side in wanted
        ]
        self.intents = self.books.decide(*decisions)
        self.ticket = CycleTicket("monday", AT, MONDAY, self.books.lease, TradingState.ACTIVE)

    def send(self, broker: Crowd | Counter) -> dict[str, str]:
        """Send all, and return what the book says of each symbol."""
        send(Desk(broker, self.books.book), self.ticket, self.intents)  # pyright: ignore[reportArgumentType]
        return self.statuses()

    def statuses(self) -> dict[str, str]:
        return {order.symbol: order.status.value for order in self.books.book.journal.order_updates("monday")}


Build = Callable[..., Scene]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Build]:
    opened: list[Scene] = []

    def build(buys: int, sells: int = 0) -> Scene:
        wanted = [*((f"B{n}", Side.BUY) for n in range(buys)), *((f"S{n}", Side.SELL) for n in range(sells))]
        opened.append(Scene(tmp_path / "book.db", wanted))
        return opened[-1]

    yield build
    for each in opened:
        each.opened.__exit__(None, None, None)


def test_orders_are_on_their_way_together_as_many_as_may_be_and_no_more(scene: Build):
    broker = Crowd(meeting=threading.Barrier(AT_ONCE))  # fewer at once would wait there for ever
    found = scene(buys=12).send(broker)

    assert broker.most_there == AT_ONCE
    assert sorted(intent.symbol for intent in broker.arrived) == sorted(f"B{n}" for n in range(12))
    assert set(found.values()) == {"accepted"}


def test_every_exit_is_answered_before_the_first_entry_leaves(scene: Build):
    broker = Crowd()
    scene(buys=6, sells=6).send(broker)

    assert [intent.side for intent in broker.arrived] == [Side.SELL] * 6 + [Side.BUY] * 6


def test_one_without_an_answer_is_unknown_and_holds_up_no_other(scene: Build):
    found = scene(buys=6).send(Crowd(goes_wrong={"B2": BrokerUnavailable("504")}))

    assert found == {**{f"B{n}": "accepted" for n in range(6)}, "B2": "unknown"}


def test_refused_keys_end_it_after_the_answers_of_the_same_wave_are_written_down(scene: Build):
    built, broker = scene(buys=6), Crowd(goes_wrong={"B1": CredentialsRefused("no")})
    with pytest.raises(CredentialsRefused):
        built.send(broker)

    assert built.statuses() == {
        **dict.fromkeys(("B0", "B2", "B3"), "accepted"),
        "B1": "unknown",
        **dict.fromkeys(("B4", "B5"), "intended"),
    }


def test_fault_48_a_lost_lease_is_noticed_before_every_wave(scene: Build):
    built = scene(buys=6)

    def taken_over(_intent: OrderIntent) -> None:
        built.books.break_with("UPDATE lease SET token = token + 1")

    broker = Crowd(on_arrival=taken_over)
    with pytest.raises(LeaseLost):
        built.send(broker)

    assert len(broker.arrived) == AT_ONCE  # the first wave had passed the gate; nothing follows
    assert set(built.statuses().values()) == {"unknown", "intended"}


def test_a_state_that_changes_between_two_waves_holds_the_entries_back(scene: Build):
    built = scene(buys=6, sells=1)

    def paused(_intent: OrderIntent) -> None:
        built.books.break_with("UPDATE control SET state = 'reducing'")

    found = built.send(Crowd(on_arrival=paused))

    assert found == {"S0": "accepted", **{f"B{n}": "intended" for n in range(6)}}


def test_what_changes_while_a_limit_of_requests_is_waited_for_is_seen_before_the_orders_leave(scene: Build):
    built, waited = scene(buys=6), list[int]()

    def paused(orders: int) -> None:
        waited.append(orders)
        built.books.break_with("UPDATE control SET state = 'reducing'")

    broker = Crowd(while_waiting=paused)
    found = built.send(broker)

    assert (broker.arrived, waited) == ([], [AT_ONCE, 2])
    assert set(found.values()) == {"intended"}


def test_a_broker_that_takes_one_at_a_time_gets_one_order_after_the_other(scene: Build):
    broker = Crowd(most_at_once=1)
    scene(buys=5).send(broker)

    assert (broker.most_there, len(broker.arrived)) == (1, 5)
    assert {thread.name for thread in threading.enumerate() if thread.name.startswith("order")} == set()


class Counter:
    """A broker that knows nothing of several at once."""

    def __init__(self) -> None:
        self.threads = list[str]()

    def submit(self, intent: OrderIntent, *, at: datetime) -> OrderUpdate:
        self.threads.append(threading.current_thread().name)
        return update(intent.client_order_id, OrderStatus.ACCEPTED)


def test_a_broker_that_does_not_say_so_gets_all_from_one_thread(scene: Build):
    broker = Counter()
    scene(buys=5).send(broker)

    assert broker.threads == [threading.current_thread().name] * 5
