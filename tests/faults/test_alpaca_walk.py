"""A long random walk at a broker where everything goes wrong now and then: no law is ever broken."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.faults.alpaca_trading import trading_at_alpaca, wrong
from tests.faults.sweeping import read
from tests.unit.brokers.sandboxes import connect
from trading_bot.alpaca.connect import Line
from trading_bot.alpaca.limits import Patience, RateLimit
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.core.comparing import compare
from trading_bot.core.hours import TradingHours
from trading_bot.core.reconcile import reconcile
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import BensBotError
from trading_bot.sandbox.faults import Fault, html_page, on_orders, rate_limited, refused

STEPS, WALKS = 100, 20  # steps of each walk: 2,000 in all
SYMBOLS = ("AAPL", "MSFT", "JPM")
MARKET = {"type": "market", "time_in_force": "day"}
FAULTS = (
    on_orders(status=504, body="", carried_out=True),
    on_orders(status=502),
    on_orders(drop=True),
    on_orders(drop=True, carried_out=True),
    rate_limited("1"),
    html_page(),
    refused(403, 40310000, "insufficient buying power", method="POST", path="/v2/orders"),
    Fault(method="GET", path="/v2/orders", status=500, times=4),
    Fault(method="GET", path="/v2/positions", drop=True),
    Fault(method="GET", path="/v2/account/activities", status=500, times=9),
    Fault(method="DELETE", path="/v2/orders", status=500, carried_out=True),
)
ALWAYS = {"hold_fills", "slow_cancel", "fills_twice", "shuffled", "late_executions", "late_activities"}


class Walk(RuleBasedStateMachine):
    """The bot, its broker, its owner and bad luck, one step after the other."""

    met: ClassVar[Counter[str]] = Counter()  # in the books at the end of all walks: orders by status, money by kind

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "state"
        self.trading = self.stack.enter_context(trading_at_alpaca(self.folder))
        self.trading.bot = replace(self.trading.bot, broker=self.hurried())
        self.trading.behave(fees="accrued")
        self.trading.wants().cycle()

    def hurried(self) -> AlpacaBroker:
        """Return an adapter that waits for nothing, not even for the limit of requests a minute."""
        line = Line(Patience(read_seconds=1), RateLimit(most=1_000_000), sleep=lambda _: None)
        broker = connect(self.trading.sandbox, line, calendar=TradingHours(), queue_for_open=False)
        self.stack.callback(broker.close)
        return broker

    @rule(wanted=st.sets(st.sampled_from(SYMBOLS)), minutes=st.sampled_from([1, 1, 7]))
    def cycle(self, wanted: set[str], minutes: int) -> None:
        with suppress(BensBotError):  # counted and told; what the book says afterwards is what matters
            self.trading.wants(*wanted).cycle(after=timedelta(minutes=minutes))

    @rule()
    def reconcile(self) -> None:
        with suppress(BensBotError):
            reconcile(self.trading.bot, run_id="walk")

    @rule(fault=st.sampled_from(FAULTS))
    def something_will_go_wrong(self, fault: Fault) -> None:
        if len(self.trading.sandbox.faults.waiting()) < 3:
            self.trading.sandbox.faults.add(fault)

    @rule()
    def luck_returns(self) -> None:
        self.trading.sandbox.faults.clear()

    @rule(name=st.sampled_from(sorted(ALWAYS)), on=st.booleans())
    def the_broker_changes_its_ways(self, name: str, on: bool) -> None:
        self.trading.behave(**{name: on})

    @rule(share=st.sampled_from([Decimal(1), Decimal(2), None]))
    def an_order_fills(self, share: Decimal | None) -> None:
        for order in self.trading.exchange.orders():
            if order.is_open and (share is None or share < order.remaining):
                with suppress(ValueError):
                    self.trading.exchange.fill(order.client_order_id, share)
                return

    @rule()
    def cancels_take_place(self) -> None:
        self.trading.exchange.finish_cancelling()

    @rule(dollars=st.sampled_from([Decimal("500.00"), Decimal("-300.00")]))
    def the_owner_moves_money(self, dollars: Decimal) -> None:
        self.tick()
        self.trading.exchange.deposit(dollars)

    @rule()
    def a_dividend_is_paid(self) -> None:
        self.tick()
        for symbol in self.trading.exchange.holdings():
            self.trading.exchange.pay_dividend(symbol, Decimal("0.25"))

    @rule()
    def the_owner_buys_by_hand(self) -> None:
        self.tick()
        with suppress(Exception):  # a refusal of the broker
            self.trading.exchange.submit({"symbol": "HD", "qty": "1", "side": "buy", **MARKET})

    @rule(seconds=st.sampled_from([20, 600]))
    def time_passes(self, seconds: int) -> None:
        self.trading.clock.instant += timedelta(seconds=seconds)

    @rule()
    def a_night_passes(self) -> None:
        self.trading.clock.instant = self.another_morning()

    @precondition(lambda self: self.trading.bot.book.control.read().state is not TradingState.ACTIVE)
    @rule()
    def the_owner_resumes(self) -> None:
        control = self.trading.bot.book.control
        control.set_state(TradingState.ACTIVE, cause="walk", who="owner", acknowledged=True)
        control.forget_failures()

    def another_morning(self) -> datetime:
        """Return ten o'clock in New York of the session after this day."""
        day = self.trading.clock.instant.date() + timedelta(days=1)
        while not TradingHours().is_session(day):
            day += timedelta(days=1)
        return datetime(day.year, day.month, day.day, 15, tzinfo=UTC)

    def tick(self) -> None:
        self.trading.clock.instant += timedelta(seconds=1)

    def teardown(self) -> None:
        """Let luck return for two cycles of another day: then every law holds, and both sides agree to the cent."""
        with self.stack:
            self.trading.sandbox.faults.clear()
            self.trading.behave(**dict.fromkeys(ALWAYS, False))
            self.trading.exchange.finish_cancelling()
            self.trading.clock.instant = self.another_morning()
            for _ in range(2):
                self.trading.bot.book.control.set_state(
                    TradingState.ACTIVE, cause="walk", who="owner", acknowledged=True
                )
                self.trading.bot.book.control.forget_failures()
                self.trading.wants().cycle(after=timedelta(minutes=7))
            for query in ("SELECT status FROM orders", "SELECT kind FROM cash_activities"):
                self.met.update(word for (word,) in read(self.folder / "bensbot.db", query))
            assert compare(self.trading.bot).differences == ()
            assert wrong(self.folder, self.trading.exchange) == []


@pytest.mark.slow
def test_no_law_is_broken_by_two_thousand_steps_at_a_broker_where_everything_goes_wrong():
    Walk.met.clear()
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )

    assert set(Walk.met) >= {"filled", "EXTERNAL", "TRANSFER", "DIVIDEND", "FEE"}, (
        "the walk met too little to prove much"
    )
