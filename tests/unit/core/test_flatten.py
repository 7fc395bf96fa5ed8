from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import FIRST, SECOND, THIRD, Desk, WallClock, open_desk
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.failures import handle_failure
from trading_bot.core.flatten import FlattenRequest, admit_flatten, cancel_and_settle, closing_signals, flatten
from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.errors import BrokerUnavailable, CycleSkipped, SettingsError
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Approved, OrderIntent, OrderStatus, Side
from trading_bot.state import check_ledger

WHY = FlattenRequest(because="the house burns", who="Ben")


@pytest.fixture
def invested(folder: Path) -> Iterator[Desk]:
    """A desk that holds the shares of two sessions' decisions, the third one's orders still open."""
    with open_desk(folder) as desk:
        for number in range(2):
            cycle.run_cycle(desk.bot, run_id=f"run-{number}")
        yield desk


def held(desk: Desk) -> set[str]:
    return set(desk.bot.book.ledger.portfolio().positions)


def sold(report: CycleReport) -> set[str]:
    return {order.symbol for order in report.orders if order.side is Side.SELL}


# ── everything goes ───────────────────────────────────────────────────────────────────────────────


def test_everything_held_is_sold_in_the_next_session(invested: Desk):
    before = held(invested)

    report = flatten(invested.bot, WHY, run_id="flat")

    assert before
    assert sold(report) == before
    assert (report.session, report.cycle_id) == (THIRD, "20220105T210000Z-flatten")
    assert {order.status for order in report.orders} == {OrderStatus.ACCEPTED}


def test_every_sale_is_a_signal_of_the_owner_that_the_rules_have_seen(invested: Desk):
    report = flatten(invested.bot, WHY, run_id="flat")

    assert {decision.signal.strategy for decision in report.decisions} == {"owner"}
    assert {decision.signal.reason for decision in report.decisions} == {
        "Ben wants the position closed, because the house burns"
    }
    assert all(isinstance(decision, Approved) and decision.rulings for decision in report.decisions)


def test_the_sales_fill_in_the_session_after_and_nothing_is_bought_again(invested: Desk):
    flatten(invested.bot, WHY, run_id="flat")

    report = cycle.run_cycle(invested.bot, run_id="after")

    assert held(invested) == set()
    assert {fill.side for fill in report.fills} == {Side.SELL}
    assert report.orders == ()
    assert report.portfolio.cash == report.equity
    assert check_ledger(invested.bot.book.engine) == ()


def test_flattening_twice_sells_nothing_twice(invested: Desk):
    flatten(invested.bot, WHY, run_id="flat")

    again = flatten(invested.bot, WHY, run_id="again")

    assert again.orders == again.decisions == ()
    assert held(invested) == set()
    assert check_ledger(invested.bot.book.engine) == ()


def test_only_the_named_symbols_are_sold(invested: Desk):
    report = flatten(invested.bot, replace(WHY, symbols=(Symbol("AMD"),)), run_id="flat")

    assert sold(report) == {"AMD"}
    assert len(held(invested)) > 1


def test_a_name_that_is_not_held_is_told(invested: Desk):
    report = flatten(invested.bot, replace(WHY, symbols=(Symbol("APPL"),)), run_id="flat")

    assert report.orders == ()
    assert report.warnings == ("Nothing to close, because it is not held: APPL",)


def test_an_entry_that_is_still_open_is_cancelled_before_it_can_fill(desk: Desk):
    entries = cycle.run_cycle(desk.bot, run_id="run").orders

    report = flatten(desk.bot, WHY, run_id="flat")

    assert report.session == SECOND
    assert {order.status for order in report.settled} == {OrderStatus.CANCELED}
    assert {order.symbol for order in report.settled} == {order.symbol for order in entries} != set()
    assert (report.fills, report.portfolio.cash) == ((), 100_000)


def test_an_order_that_sells_already_is_left_to_do_so(invested: Desk):
    invested.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")
    first = cycle.run_cycle(invested.bot, run_id="reducing").orders
    settled = closing_signals(invested.bot, WHY)

    assert {order.symbol for order in first} == {"AMD"}
    assert "AMD" not in {signal.symbol for signal in settled}


def test_nothing_held_is_no_trouble(desk: Desk):
    report = flatten(desk.bot, WHY, run_id="flat")

    assert (report.session, report.orders, report.warnings) == (FIRST, (), ())


# ── the switch ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.PAUSED])
def test_only_exits_are_let_through_from_now_on(invested: Desk, state: TradingState):
    invested.bot.book.control.set_state(state, cause="before", who="Ben")

    flatten(invested.bot, WHY, run_id="flat")

    control = invested.bot.book.control.read()
    assert (control.state, control.cause, control.changed_by) == (
        TradingState.REDUCING,
        "flatten, because the house burns",
        "Ben",
    )
    assert invested.notices.told("Flatten") == (
        "warning",
        "Ben closes every position, because the house burns. Nothing is bought until: bensbot resume",
    )


def test_a_halted_book_is_left_alone_without_an_acknowledgement(invested: Desk):
    invested.bot.book.control.set_state(TradingState.HALTED, cause="odd", who="Ben")

    with pytest.raises(
        SettingsError, match=r"Trading is halted since .*: odd\. When you know .*`bensbot flatten --ack`"
    ):
        flatten(invested.bot, WHY, run_id="flat")

    assert invested.bot.book.control.read().state is TradingState.HALTED
    assert invested.rows("SELECT COUNT(*) FROM cycles") == [(2,)]
    assert invested.rows("SELECT owner FROM lease") == [(None,)]


def test_a_halted_book_is_flattened_by_whoever_acknowledges_and_never_becomes_active(invested: Desk):
    for number in range(5):
        handle_failure(invested.bot, run_id=f"failed-{number}", error="boom")

    report = flatten(invested.bot, replace(WHY, ack=True), run_id="flat")

    assert sold(report)
    assert invested.bot.book.control.read().consecutive_errors == 0
    changes = invested.rows("SELECT old_state, new_state FROM state_changes ORDER BY number")
    assert changes == [("active", "halted"), ("halted", "reducing")]


def test_the_wait_after_a_failure_does_not_keep_the_owner_waiting(invested: Desk):
    handle_failure(invested.bot, run_id="failed", error="boom")

    assert sold(flatten(invested.bot, WHY, run_id="flat"))


def test_while_the_market_is_closed_nothing_is_sold_and_nothing_is_bought(folder: Path):
    with open_desk(folder) as desk:
        live, _ = desk.live(), desk.clock.sleep(12 * 3600)

        with pytest.raises(CycleSkipped, match=r"The market is closed .* Nothing was sold yet\. Trading is reducing"):
            flatten(live, WHY, run_id="flat")

        assert desk.bot.book.control.read().state is TradingState.REDUCING
        assert desk.rows("SELECT owner FROM lease") == [(None,)]


@pytest.mark.parametrize("state", [TradingState.PAUSED, TradingState.HALTED])
def test_while_the_market_is_closed_a_standstill_goes_on(folder: Path, state: TradingState):
    with open_desk(folder) as desk:
        desk.bot.book.control.set_state(state, cause="odd", who="Ben")
        live, _ = desk.live(), desk.clock.sleep(12 * 3600)

        with pytest.raises(CycleSkipped, match=rf"Nothing was sold yet\. Trading is {state}: nothing is bought"):
            flatten(live, replace(WHY, ack=True), run_id="flat")

        control = desk.bot.book.control.read()
        assert (control.state, control.cause) == (state, "odd")


def test_what_was_halted_stays_halted_when_the_broker_lets_nobody_in(invested: Desk):
    invested.bot.book.control.set_state(TradingState.HALTED, cause="odd", who="Ben")
    deaf = replace(invested.bot, broker=DeafToQuestions(invested.bot.broker))

    with pytest.raises(BrokerUnavailable):
        flatten(deaf, replace(WHY, ack=True), run_id="flat")

    assert invested.bot.book.control.read().state is TradingState.HALTED


# ── beside a running cycle ────────────────────────────────────────────────────────────────────────


def test_a_cycle_that_is_running_buys_nothing_any_more(desk: Desk):
    running = admit(desk.bot, run_id="running")
    market = cycle.update_market_data(desk.bot, running)
    signals = cycle.generate_signals(desk.bot, running, market)
    decisions = cycle.apply_risk_checks(desk.bot, running, market, signals)

    with pytest.raises(CycleSkipped, match=r"Another cycle is running: .* Nothing was sold yet\."):
        flatten(desk.bot, WHY, run_id="flat")

    sent = cycle.execute_signals(desk.bot, running, market, decisions)
    assert {(order.side, order.status) for order in sent} == {(Side.BUY, OrderStatus.INTENDED)}
    assert desk.bot.book.control.read().state is TradingState.REDUCING
    assert sum(desk.clock.slept) == 30


class EndsAfterAWhile(WallClock):
    """A clock during whose third wait the other cycle ends."""

    desk: Desk
    lease: Any

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if len(self.slept) == 3:
            self.desk.bot.book.control.release_lease(self.lease)


def test_a_cycle_that_ends_soon_is_waited_for(folder: Path):
    clock = EndsAfterAWhile()
    with open_desk(folder, clock) as desk:
        clock.desk, clock.lease = desk, desk.bot.book.control.acquire_lease("host:1:other", ttl_seconds=600)

        report = flatten(desk.bot, WHY, run_id="flat")

    assert report.session == FIRST
    assert clock.slept == [1, 1, 1]


# ── killed on the way ─────────────────────────────────────────────────────────────────────────────


def die_before_sending(desk: Desk, request: FlattenRequest = WHY) -> None:
    """Leave a flatten behind whose decisions are committed and whose orders were not sent."""
    ticket = admit_flatten(desk.bot, request, run_id="killed")
    market = cycle.update_market_data(desk.bot, ticket)
    cancel_and_settle(desk.bot, ticket, market, request)
    cycle.apply_risk_checks(desk.bot, ticket, market, closing_signals(desk.bot, request))
    desk.bot.book.control.release_lease(ticket.lease)  # as of a process that is seen to be dead


def test_after_a_kill_flattening_again_goes_on_with_the_same_orders(invested: Desk):
    before = held(invested)
    die_before_sending(invested)
    intended = invested.rows("SELECT client_order_id FROM intents WHERE cycle_id LIKE '%-flatten' ORDER BY 1")

    report = flatten(invested.bot, WHY, run_id="again")

    assert sold(report) == before
    assert sorted((order.client_order_id,) for order in report.orders) == intended
    assert invested.rows("SELECT run_id FROM failures") == [("killed",)]
    assert check_ledger(invested.bot.book.engine) == ()


def test_after_a_kill_the_next_cycle_goes_on_without_buying(invested: Desk):
    die_before_sending(invested)
    with pytest.raises(CycleSkipped, match="Backing off after 1 failed cycle"):
        cycle.run_cycle(invested.bot, run_id="too early")
    invested.clock.sleep(60)

    report = cycle.run_cycle(invested.bot, run_id="next")

    assert report.session == THIRD
    assert [order for order in report.orders if order.side is Side.BUY] == []
    assert sold(flatten(invested.bot, WHY, run_id="flat"))
    assert check_ledger(invested.bot.book.engine) == ()


def test_after_a_kill_of_a_flatten_for_one_symbol_everything_is_sold_when_everything_is_asked_for(invested: Desk):
    before = held(invested)
    die_before_sending(invested, replace(WHY, symbols=(Symbol("AMD"),)))

    report = flatten(invested.bot, WHY, run_id="again")

    assert sold(report) == before == {"AAPL", "AMD", "HD", "LLY", "RRC"}
    cycle.run_cycle(invested.bot, run_id="after")
    assert held(invested) == set()
    assert invested.paper_rows("SELECT count(*) FROM paper_orders WHERE side = 'sell'") == [(5,)]
    assert check_ledger(invested.bot.book.engine) == ()


def test_a_name_written_in_another_order_is_the_same_request(invested: Desk):
    die_before_sending(invested, replace(WHY, symbols=(Symbol("AMD"), Symbol("HD"))))
    intended = invested.rows("SELECT client_order_id FROM intents WHERE side = 'sell' ORDER BY 1")

    report = flatten(invested.bot, replace(WHY, symbols=(Symbol("HD"), Symbol("AMD"))), run_id="again")

    assert sold(report) == {"AMD", "HD"}
    assert sorted((order.client_order_id,) for order in report.orders) == intended


# ── a broker that does not answer ─────────────────────────────────────────────────────────────────


@dataclass
class DeafToCancels:
    """The desk's broker, but it gives no clear answer when it is asked to cancel."""

    broker: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.broker, name)

    def cancel(self, *_: Any, **__: Any) -> Any:
        raise BrokerUnavailable("timeout")


@dataclass
class DeafToQuestions:
    """The desk's broker, but it does not say whose account it is."""

    broker: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.broker, name)

    def account(self) -> Any:
        raise BrokerUnavailable("timeout")


@dataclass
class HeldUp:
    """The desk's broker, but an order stays on its way to it until a test lets it arrive."""

    broker: Any
    on_their_way: list[OrderIntent] = field(default_factory=list[OrderIntent])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.broker, name)

    def submit(self, intent: OrderIntent, *, at: datetime) -> Any:
        self.on_their_way.append(intent)
        raise BrokerUnavailable("timeout")

    def arrive(self, at: datetime) -> None:
        for intent in self.on_their_way:
            self.broker.submit(intent, at=at)


OPEN = datetime(2022, 3, 16, 14, 0, tzinfo=UTC)  # the market is open
BOUGHT = ["AMD", "HD", "LLY", "RRC"]  # what is bought then


def test_a_buy_that_comes_after_it_was_given_up_is_cancelled_and_told(folder: Path):
    with open_desk(folder, WallClock(OPEN)) as desk:
        held_up = HeldUp(desk.bot.broker)
        cycle.run_cycle(replace(desk.live(), broker=held_up), run_id="buys")
        desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")
        desk.clock.sleep(301)
        cycle.run_cycle(desk.live(), run_id="gives up")
        held_up.arrive(desk.clock.now())
        desk.clock.sleep(60)

        report = flatten(desk.live(), WHY, run_id="flat")

        assert desk.bot.broker.open_orders() == desk.bot.book.journal.open_orders() == ()
        assert [
            (update.symbol, update.status) for update in sorted(report.settled, key=lambda order: order.symbol)
        ] == [(symbol, OrderStatus.CANCELED) for symbol in BOUGHT]
        assert "The order to buy 132 RRC came after it was given up: it is canceled" in report.warnings


def test_a_buy_that_is_still_on_its_way_is_told_and_cancelled_when_it_comes(folder: Path):
    with open_desk(folder, WallClock(OPEN)) as desk:
        held_up = HeldUp(desk.bot.broker)
        cycle.run_cycle(replace(desk.live(), broker=held_up), run_id="buys")
        desk.clock.sleep(60)

        report = flatten(desk.live(), WHY, run_id="flat")
        held_up.arrive(desk.clock.now())
        desk.clock.sleep(60)
        after = cycle.run_cycle(desk.live(), run_id="after")

        unknown = "it was sent, and the broker does not know it yet. Should it arrive, the next cycle cancels it"
        patience = "resume no sooner than 5 minutes from now"
        assert f"The order to buy 132 RRC may still fill: {unknown}; {patience}" in report.warnings
        assert len(report.warnings) == 4
        assert {update.status for update in after.settled} == {OrderStatus.CANCELED}
        assert desk.bot.broker.open_orders() == ()


def test_a_sale_that_may_be_on_its_way_is_told_and_not_sent_under_another_name(folder: Path):
    with open_desk(folder, WallClock(OPEN)) as desk:
        cycle.run_cycle(desk.live(), run_id="buys")
        desk.clock.sleep(24 * 3600)
        assert {order.symbol for order in cycle.run_cycle(desk.live(), run_id="sells HD itself").orders} == {"HD"}
        desk.clock.sleep(60)
        flatten(replace(desk.live(), broker=HeldUp(desk.bot.broker)), WHY, run_id="sells")
        desk.clock.sleep(60)

        report = flatten(desk.live(), WHY, run_id="again")
        desk.clock.sleep(241)
        late = flatten(desk.live(), WHY, run_id="once more")

        unclear = "had no clear answer, and is not sent again. Flatten again in 5 minutes"
        assert report.orders == ()
        assert f"The order to sell 132 RRC {unclear}" in report.warnings
        assert len(report.warnings) == 3
        assert (sold(late), late.warnings) == ({"AMD", "LLY", "RRC"}, ())


def test_a_cancel_without_a_clear_answer_is_told_and_the_cycle_goes_on(desk: Desk):
    entries = cycle.run_cycle(desk.bot, run_id="run").orders
    deaf = replace(desk.bot, broker=DeafToCancels(desk.bot.broker))

    report = flatten(deaf, WHY, run_id="flat")

    unsure = "may still fill: that it was cancelled is not confirmed"
    told = {f"The order to buy {order.quantity} {order.symbol} {unsure}" for order in entries}
    assert told == set(report.warnings) != set()
    assert sold(report) == {order.symbol for order in entries}  # they filled, and go again
