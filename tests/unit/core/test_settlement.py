from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.trading import THIRD, Desk, EventfulClock, WallClock, change, open_desk
from trading_bot.core import cycle
from trading_bot.core.admission import admit
from trading_bot.core.bot import Bot
from trading_bot.core.settlement import settle, where_they_stand
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.errors import BrokerUnavailable, CycleSkipped, LeaseLost, NotSent
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OrderIntent, OrderStatus


class Sleepy:
    """The paper broker; whoever asks it for the portfolio sleeps, while others trade, before it is asked."""

    def __init__(self, real: Any, meanwhile: Callable[[], object]) -> None:
        self._real = real
        self._meanwhile = meanwhile

    def get_portfolio(self) -> Any:
        self._meanwhile()
        return self._real.get_portfolio()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Unreliable:
    """The paper broker, with `submit` replaced."""

    def __init__(self, real: Any, submit: Callable[..., Any]) -> None:
        self._real = real
        self.submit = submit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class DeafToCancels:
    """The paper broker, but it gives no clear answer when it is asked to cancel."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def cancel(self, *_: Any, **__: Any) -> Any:
        raise BrokerUnavailable("timeout")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def arrives_but_does_not_answer(desk: Desk) -> Bot:
    def submit(intent: Any, *, at: Any) -> Any:
        desk.bot.broker.submit(intent, at=at)
        raise BrokerUnavailable("504 Gateway Timeout")

    return replace(desk.bot, broker=Unreliable(desk.bot.broker, submit))  # pyright: ignore[reportArgumentType]


def never_arrives(desk: Desk, error: Exception) -> Bot:
    def submit(_intent: Any, *, at: Any) -> Any:
        raise error

    return replace(desk.bot, broker=Unreliable(desk.bot.broker, submit))  # pyright: ignore[reportArgumentType]


def test_an_order_that_arrived_without_an_answer_is_found_and_not_sent_again(desk: Desk):
    report = cycle.run_cycle(arrives_but_does_not_answer(desk), run_id="one")

    assert {order.status for order in report.orders} == {OrderStatus.ACCEPTED}
    fills = cycle.run_cycle(desk.bot, run_id="two").fills
    assert len(fills) == len(report.orders) == desk.paper_rows("SELECT count(*) FROM paper_orders")[0][0]


@pytest.mark.parametrize("error", [BrokerUnavailable("502"), NotSent("connection refused")])
def test_an_order_that_never_arrived_is_unknown_and_ended_by_the_next_cycle(desk: Desk, error: Exception):
    report = cycle.run_cycle(never_arrives(desk, error), run_id="one")

    assert {order.status for order in report.orders} == {OrderStatus.UNKNOWN}
    assert "Order problems on 2022-01-03" in desk.notices.titles()

    cycle.run_cycle(desk.bot, run_id="two")

    ended = desk.rows("SELECT DISTINCT status FROM orders WHERE client_order_id LIKE 'bb-20220103%'")
    assert ended == [("expired_unsent",)]


# ── what comes late ───────────────────────────────────────────────────────────────────────────────


def buys_held_up(desk: Desk) -> tuple[OrderIntent, ...]:
    """Trade a session whose orders stay on their way, and the next one, which gives them up and buys again."""
    cycle.run_cycle(never_arrives(desk, BrokerUnavailable("504")), run_id="one")
    cycle.run_cycle(desk.bot, run_id="two")
    return desk.bot.book.journal.intents("20220103T210000Z")


def arrive(desk: Desk, intents: Sequence[OrderIntent]) -> None:
    for intent in intents:
        desk.bot.broker.submit(intent, at=desk.clock.now())


def test_a_buy_that_comes_after_it_was_given_up_is_cancelled_before_it_fills(desk: Desk):
    arrive(desk, buys_held_up(desk))

    report = cycle.run_cycle(desk.bot, run_id="three")

    assert desk.rows("SELECT DISTINCT status FROM orders WHERE client_order_id LIKE 'bb-20220103%'") == [("canceled",)]
    assert sorted(fill.symbol for fill in report.fills) == ["AAPL", "AMD", "HD", "LLY", "RRC"]
    assert "The order to buy 22 AMD came after it was given up: it is canceled" in report.warnings
    assert desk.bot.book.control.read().state is TradingState.ACTIVE


def test_what_a_buy_that_came_late_has_filled_is_booked(desk: Desk):
    held_up = buys_held_up(desk)
    arrive(desk, held_up)
    desk.bot.broker.advance(desk.bot.data.get_market_state(desk.bot.hours.close_of(THIRD), THIRD))

    report = cycle.run_cycle(desk.bot, run_id="three")

    assert {intent.client_order_id for intent in held_up} <= {fill.client_order_id for fill in report.fills}
    assert desk.rows("SELECT DISTINCT status FROM orders WHERE client_order_id LIKE 'bb-20220103%'") == [("filled",)]
    assert "The order to buy 22 AMD came after it was given up: it is filled" in report.warnings
    assert desk.bot.book.control.read().state is TradingState.ACTIVE


def test_a_late_buy_whose_cancelling_is_not_confirmed_counts_as_open(desk: Desk):
    arrive(desk, buys_held_up(desk))
    deaf = replace(desk.bot, broker=DeafToCancels(desk.bot.broker))  # pyright: ignore[reportArgumentType]

    report = cycle.run_cycle(deaf, run_id="three")

    unsure = "it is accepted, and that it was cancelled is not confirmed"
    assert f"The order to buy 22 AMD came after it was given up: {unsure}" in report.warnings
    assert desk.rows("SELECT DISTINCT status FROM orders WHERE client_order_id LIKE 'bb-20220103%'") == [("filled",)]


@pytest.fixture
def leaving(desk: Desk) -> Desk:
    """A desk that holds five positions and whose order to sell AMD is on its way to the broker."""
    for number in range(2):
        cycle.run_cycle(desk.bot, run_id=f"run-{number}")
    desk.bot.book.control.set_state(TradingState.REDUCING, cause="careful", who="Ben")
    cycle.run_cycle(never_arrives(desk, BrokerUnavailable("504")), run_id="sells AMD")
    return desk


SALE = ("20220105T210000Z", "SELECT status FROM orders WHERE client_order_id = 'bb-20220105T210000Z-AMD-sell-exit'")


def test_a_sale_that_comes_late_is_kept_while_the_shares_are_there(leaving: Desk):
    ticket = cycle.admit(leaving.bot, run_id="gives up")
    market = cycle.update_market_data(leaving.bot, ticket)
    cycle.settle_orders(leaving.bot, ticket, market)
    assert leaving.rows(SALE[1]) == [("expired_unsent",)]
    arrive(leaving, leaving.bot.book.journal.intents(SALE[0]))

    settlement = cycle.settle_orders(leaving.bot, ticket, market)

    assert leaving.rows(SALE[1]) == [("accepted",)]
    assert settlement.warnings == ("The order to sell 22 AMD came after it was given up: it is accepted",)


def test_a_sale_that_comes_late_is_cancelled_when_another_one_sells_the_shares(leaving: Desk):
    cycle.run_cycle(never_arrives(leaving, BrokerUnavailable("504")), run_id="sells AMD again")
    arrive(leaving, leaving.bot.book.journal.intents(SALE[0]))

    report = cycle.run_cycle(leaving.bot, run_id="third sale")

    assert leaving.rows(SALE[1]) == [("canceled",)]
    assert report.warnings == ("The order to sell 22 AMD came after it was given up: it is canceled",)


# ── what may be on its way ────────────────────────────────────────────────────────────────────────

OPEN = datetime(2022, 3, 16, 14, 0, tzinfo=UTC)  # the market is open


def test_a_buy_that_may_be_on_its_way_is_not_bought_again(folder: Path):
    with open_desk(folder, WallClock(OPEN)) as desk:
        live = desk.live()
        first = cycle.run_cycle(replace(live, broker=never_arrives(desk, BrokerUnavailable("504")).broker), run_id="1")
        desk.clock.sleep(60)
        second = cycle.run_cycle(live, run_id="2")
        arrive(desk, desk.bot.book.journal.intents(first.cycle_id))
        desk.clock.sleep(60)
        third = cycle.run_cycle(live, run_id="3")
        desk.clock.sleep(24 * 3600)
        report = cycle.run_cycle(live, run_id="the day after")

    assert {order.status for order in first.orders} == {OrderStatus.UNKNOWN}
    assert (second.orders, third.orders, third.warnings) == ((), (), ())
    assert sorted(fill.symbol for fill in report.fills) == ["AMD", "HD", "LLY", "RRC"]
    assert report.portfolio.held(Symbol("RRC")) == 132


@pytest.mark.parametrize(("seconds", "status"), [(0, "unknown"), (300, "unknown"), (301, "expired_unsent")])
def test_an_order_is_given_up_when_it_is_not_there_five_minutes_after_it_was_sent(
    folder: Path, seconds: int, status: str
):
    with open_desk(folder, WallClock(OPEN)) as desk:
        ours = replace(desk.live(), broker=never_arrives(desk, BrokerUnavailable("504")).broker)
        first = cycle.run_cycle(ours, run_id="1")
        desk.clock.sleep(seconds)
        ticket = cycle.admit(desk.live(), run_id="2", scheduled=desk.clock.now() + timedelta(seconds=1))

        cycle.settle_orders(desk.live(), ticket, cycle.update_market_data(desk.live(), ticket))

        query = f"SELECT DISTINCT status FROM orders WHERE client_order_id LIKE 'bb-{first.cycle_id}%'"
        assert desk.rows(query) == [(status,)]


# ── both books ────────────────────────────────────────────────────────────────────────────────────


def test_settling_twice_changes_nothing(desk: Desk):
    cycle.run_cycle(desk.bot, run_id="one")
    ticket = cycle.admit(desk.bot, run_id="two")
    market = cycle.update_market_data(desk.bot, ticket)

    first = cycle.settle_orders(desk.bot, ticket, market)
    before = desk.rows("SELECT * FROM cash_ledger"), desk.rows("SELECT * FROM positions")
    second = cycle.settle_orders(desk.bot, ticket, market)

    assert len(first.fills) > 0
    assert (second.fills, second.updates) == ((), ())
    assert (desk.rows("SELECT * FROM cash_ledger"), desk.rows("SELECT * FROM positions")) == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE paper_account SET cash = '99999.99'", "cash: $"),
        ("UPDATE paper_positions SET quantity = '1' WHERE symbol = 'HD'", "HD: 4 shares in our book, 1 at the broker"),
        (
            "INSERT INTO paper_positions VALUES ('TSLA', '7', '1000')",
            "TSLA: 0 shares in our book, 7 at the broker",
        ),
    ],
)
def test_books_that_differ_let_exits_through_only_and_people_are_told(folder: Path, statement: str, said: str):
    with open_desk(folder) as desk:
        for number in range(2):
            cycle.run_cycle(desk.bot, run_id=f"run-{number}")
        change(desk.paper_file, statement)

        report = cycle.run_cycle(desk.bot, run_id="differs")

        level, message = desk.notices.told("Books differ")
        assert level == "warning"
        assert message.startswith("Exits only: the books differ: ")
        assert said in message
        assert any(said in warning for warning in report.warnings)
        assert report.state is TradingState.REDUCING
        assert {order.side for order in report.orders} == {"sell"}  # AMD is not wanted any more: exits still work


def test_a_cycle_that_slept_while_others_traded_takes_its_old_book_for_no_difference(folder: Path):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="one")

        def others_trade() -> None:
            desk.clock.sleep(desk.bot.settings.state.lease_seconds + 120)
            for run_id in ("buries the sleeping one", "trades its session", "trades the next"):
                with suppress(CycleSkipped):
                    cycle.run_cycle(desk.bot, run_id=run_id)
                desk.clock.sleep(120)

        sleepy = replace(desk.bot, broker=Sleepy(desk.bot.broker, others_trade))  # pyright: ignore[reportArgumentType]
        with pytest.raises(LeaseLost):
            cycle.run_cycle(sleepy, run_id="sleeps")

        assert desk.rows("SELECT session FROM cycles WHERE status = 'completed' ORDER BY 1")[-1] == ("2022-01-06",)
        assert desk.bot.book.control.read().state is TradingState.ACTIVE
        assert "Books differ" not in desk.notices.titles()


def test_books_that_still_differ_are_announced_once(folder: Path):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="one")
        change(desk.paper_file, "UPDATE paper_account SET cash = '1.00'")
        for number in range(3):
            assert cycle.run_cycle(desk.bot, run_id=f"run-{number}").warnings

        assert desk.notices.titles().count("Books differ") == 1


def test_books_that_differ_do_not_end_a_pause_that_comes_in_the_same_moment(folder: Path):
    clock = EventfulClock()
    with open_desk(folder) as owners, open_desk(folder, clock) as desk:
        ticket = admit(desk.bot, run_id="run")
        market = cycle.update_market_data(desk.bot, ticket)
        change(desk.paper_file, "UPDATE paper_account SET cash = '1.00'")

        def pause() -> None:
            clock.happens = lambda: None
            owners.bot.book.control.set_state(TradingState.PAUSED, cause="holiday", who="Ben")

        def pause_with_the_next_look_at_the_clock() -> None:
            clock.happens = pause

        bot = replace(desk.bot, broker=Sleepy(desk.bot.broker, pause_with_the_next_look_at_the_clock))
        settlement = settle(bot, ticket, market)
        control = desk.bot.book.control.read()

    difference = "Our book and the broker's differ. cash: $100,000.00 in our book, $1.00 at the broker"
    assert settlement.warnings == (difference,)
    assert (control.state, control.cause) == (TradingState.PAUSED, "holiday")
    assert desk.notices.titles() == []


def test_reducing_lasts_until_the_owner_resumes(folder: Path):
    with open_desk(folder) as desk:
        cycle.run_cycle(desk.bot, run_id="one")
        change(desk.paper_file, "UPDATE paper_account SET cash = '1.00'")
        cycle.run_cycle(desk.bot, run_id="two")
        change(desk.paper_file, "UPDATE paper_account SET cash = (SELECT '100000.00')")

        assert desk.bot.book.control.read().state is TradingState.REDUCING
        desk.bot.book.control.set_state(TradingState.ACTIVE, cause="found it", who="Ben")
        assert desk.bot.book.control.read().state is TradingState.ACTIVE


# ── how many questions ────────────────────────────────────────────────────────────────────────────


class Counted:
    """The paper broker, which counts what it is asked."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.asked: list[str] = []

    def find(self, order_id: Any) -> Any:
        self.asked.append("find")
        return self._real.find(order_id)

    def open_orders(self) -> Any:
        self.asked.append("list")
        return self._real.open_orders()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_many_orders_are_asked_for_with_one_question_and_what_has_ended_by_name(desk: Desk):
    report = cycle.run_cycle(desk.bot, run_id="one")
    ids = [order.client_order_id for order in report.orders]
    desk.bot.broker.cancel(ids[1], at=desk.clock.now())
    broker: Any = Counted(desk.bot.broker)

    answers = where_they_stand(broker, [*ids, ClientOrderId("never-seen")])

    assert len(ids) == 5
    assert broker.asked == ["list", "find", "find"]
    assert [answer and answer.client_order_id for answer in answers] == [*ids, None]
    assert [answer and answer.status for answer in answers] == [
        OrderStatus.ACCEPTED, OrderStatus.CANCELED, OrderStatus.ACCEPTED, OrderStatus.ACCEPTED, OrderStatus.ACCEPTED,
        None,
    ]  # fmt: skip


def test_a_few_are_asked_for_by_name(desk: Desk):
    report = cycle.run_cycle(desk.bot, run_id="one")
    broker: Any = Counted(desk.bot.broker)

    where_they_stand(broker, [order.client_order_id for order in report.orders[:3]])

    assert broker.asked == ["find", "find", "find"]
