"""Stop orders at the broker in a bot on packaged prices: one for each position, of its size, at its level."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.core.trading import Desk, open_desk, settings_in
from tests.unit.strategies.markets import history, market
from trading_bot.core.again import decide_again
from trading_bot.core.bot import require_stop_orders
from trading_bot.core.cycle import run_cycle
from trading_bot.core.positions import protected
from trading_bot.core.story import why
from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import (
    ClientOrderId,
    OpenOrder,
    OrderIntent,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    TimeInForce,
)
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.reporting.positions import positions_as_text
from trading_bot.reporting.story import headline
from trading_bot.risk.protection import ProtectiveStop
from trading_bot.risk.stop_orders import stop_orders
from trading_bot.state.audit import check_ledger

TIGHT = {"protective_orders": "broker", "position_stop_pct": "0.03", "trailing_stop_pct": "0.03"}
AAA = Symbol("AAA")
AT_BROKER = ProtectiveStop(at_broker=True)


def resting(desk: Desk) -> list[OpenOrder]:
    return [order for order in desk.bot.book.journal.open_orders() if order.rests]


def cycles(desk: Desk, number: int) -> list[CycleReport]:
    return [run_cycle(desk.bot, run_id=f"run {count}") for count in range(number)]


def test_at_every_close_a_position_has_at_most_one_stop_order_of_its_size_and_every_decision_can_be_taken_again(
    folder: Path,
):
    sold: Counter[str] = Counter()
    with open_desk(folder, risk=TIGHT) as desk:
        for count in range(8):
            report = run_cycle(desk.bot, run_id=f"run {count}")
            guards = {order.intent.symbol: order.remaining for order in resting(desk)}
            sold.update(fill.symbol for fill in report.fills if fill.client_order_id.endswith("-sell-stop"))

            assert len(guards) == len(resting(desk))
            assert all(shares <= report.portfolio.held(symbol) for symbol, shares in guards.items())
            assert decide_again(desk.bot.book.recordings.read(report.cycle_id), report.decisions) == report.decisions
            assert report.warnings == ()
        assert check_ledger(desk.bot.book.engine) == ()
        told = headline(why(desk.bot.book, Symbol("AAPL"), "2022-01-04"))

    assert sold == {"AMD": 1, "AAPL": 1, "HD": 1, "LLY": 1}
    assert told == "Sell 9 AAPL once it falls to $172.88: 9 filled at $170.42."


def test_one_that_the_settings_want_no_more_is_withdrawn(folder: Path):
    with open_desk(folder, risk=TIGHT) as desk:
        cycles(desk, 2)
        assert len(resting(desk)) == 5
    with open_desk(folder, risk=TIGHT | {"protective_orders": "bot"}) as desk:
        cycles(desk, 1)
        ends = "SELECT DISTINCT status FROM orders JOIN intents USING (client_order_id) WHERE type = 'stop'"

        assert resting(desk) == []
        assert desk.rows(ends) <= [("canceled",), ("filled",)]


def test_a_broker_that_holds_none_is_refused_with_what_to_write_instead():
    with pytest.raises(SettingsError, match=r"and paper does not\. Write risk\.protective_orders: bot"):
        require_stop_orders(settings_in(Path("nowhere"), risk=TIGHT), object)
    require_stop_orders(settings_in(Path("nowhere")), object)


# ── which ones are missing ────────────────────────────────────────────────────────────────────────


def guard(quantity: str, stop: str, status: OrderStatus = OrderStatus.ACCEPTED) -> OpenOrder:
    intent = OrderIntent(
        ClientOrderId(f"bb-1-AAA-{stop}"),
        "1",
        AAA,
        Side.SELL,
        Purpose.STOP,
        Decimal(quantity),
        OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=Decimal(stop),
    )
    return OpenOrder(intent, status, Decimal(0))


def held(quantity: str) -> Portfolio:
    position = Position(AAA, Decimal(quantity), Decimal("100.00"), date(2020, 1, 7))
    return Portfolio(Decimal(0), {AAA: position})


PRICES = market(history([[100.0], [110.0], [105.0]], ["AAA"]))


@pytest.mark.parametrize(
    ("quantity", "there", "wanted"),
    [
        ("10", [], ["90.00"]),
        ("10", [guard("10", "90.00")], []),
        ("10", [guard("10", "89.60")], []),  # less than half a per cent away
        ("10", [guard("10", "89.50")], ["90.00"]),
        ("10", [guard("9", "90.00")], ["90.00"]),
        ("10", [guard("10", "90.00"), guard("10", "90.01")], ["90.00"]),  # two are one too many
        ("10.5", [guard("10", "90.00")], []),  # the half is checked in each cycle
        ("0.5", [], []),
        ("-10", [], []),
    ],
)
def test_an_order_is_wanted_where_none_of_the_right_size_is_near_its_level(
    quantity: str, there: list[OpenOrder], wanted: list[str]
):
    found = stop_orders(PRICES, held(quantity), AT_BROKER, resting=there, busy=())

    assert [str(signal.stop_price) for signal in found] == wanted


def test_the_higher_one_of_two_levels_counts_and_none_where_one_is_hit():
    trailing = replace(AT_BROKER, trailing=Decimal("0.08"))
    fallen = market(history([[100.0], [110.0], [101.0]], ["AAA"]))

    (found,) = stop_orders(PRICES, held("10"), trailing, resting=(), busy=())
    assert (found.stop_price, found.strategy, found.purpose) == (Decimal("101.20"), "trailing_stop", Purpose.STOP)
    assert stop_orders(fallen, held("10"), trailing, resting=(), busy=()) == ()


def test_nothing_is_wanted_while_something_else_is_on_its_way_or_by_a_bot_that_checks_alone():
    assert stop_orders(PRICES, held("10"), AT_BROKER, resting=(), busy={AAA}) == ()
    assert stop_orders(PRICES, held("10"), ProtectiveStop(), resting=(), busy=()) == ()


# ── what is shown ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("quantity", "orders", "line"),
    [
        ("10", [guard("10", "90.00")], "10 at $90.00, at the broker"),
        ("10", [], "none yet: the next cycle places it; until then exits are checked in each cycle only"),
        (
            "0.5",
            [],
            "none for 0.5 of a share: parts cannot rest at the broker, so they are checked in each cycle only",
        ),
        (
            "10",
            [guard("10", "90.00", OrderStatus.UNKNOWN)],
            "10 at $90.00, unknown: whether the broker has it is not known yet",
        ),
    ],
)
def test_positions_say_what_rests_at_the_broker_and_what_does_not(quantity: str, orders: list[OpenOrder], line: str):
    text = positions_as_text(protected(held(quantity), PRICES, AT_BROKER, orders=orders))

    assert f"  stop order     {line}" in text.splitlines()


def test_a_position_of_which_an_exit_is_hit_says_whether_it_is_being_sold():
    target = replace(AT_BROKER, take_profit=Decimal("0.05"))
    sale = OrderIntent(ClientOrderId("bb-1-AAA-sell"), "1", AAA, Side.SELL, Purpose.EXIT, Decimal(10))
    sent = OpenOrder(sale, OrderStatus.ACCEPTED, Decimal(0))

    before, after = (
        positions_as_text(protected(held("10"), PRICES, target, orders=orders)).splitlines()[-1]
        for orders in ([], [sent])
    )

    assert before == "  stop order     none: an exit is hit, and the next cycle sells"
    assert after == "  stop order     none: an exit is hit, and an order is on its way"


def test_a_refusal_by_the_broker_is_shown_in_its_words():
    text = positions_as_text(protected(held("10"), PRICES, AT_BROKER, refusals={AAA: "not now"}))

    assert "none, for the broker refused it: not now; until then exits are checked in each cycle only" in text
