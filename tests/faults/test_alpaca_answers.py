"""Orders at Alpaca whose answers are lost, late or wrong: one order, and a book that agrees with the broker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.alpaca_trading import Trading, trading_at_alpaca
from tests.unit.brokers.exchanges import buy
from trading_bot.domain.errors import BrokerUnavailable, CredentialsRefused, CycleSkipped, NotSent
from trading_bot.domain.orders import OrderStatus
from trading_bot.sandbox.faults import Fault, html_page, on_orders, rate_limited, refused

ORDERS = "/v2/orders"


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Trading]:
    with trading_at_alpaca(tmp_path / "state") as opened:
        yield opened


def bought_once(trading: Trading) -> None:
    """The wish was met by one order, and everybody knows."""
    (order,) = trading.at_broker()
    assert (order.status, order.quantity) == ("filled", 27)
    assert trading.in_book() == {"AAPL buy": "filled"}
    assert trading.held() == 27
    assert trading.state() == "active"


def test_an_order_that_goes_well_is_filled_and_booked_in_its_own_cycle(trading: Trading):
    report = trading.wants("AAPL").cycle()

    bought_once(trading)
    assert [fill.quantity for fill in report.fills] == [27]
    assert trading.sandbox.sent("POST", ORDERS) == 1


@pytest.mark.parametrize(
    "fault",
    [
        on_orders(status=500, carried_out=True),
        on_orders(status=503, carried_out=True),
        on_orders(drop=True, carried_out=True),
        html_page(502, method="POST", path=ORDERS, carried_out=True),
        html_page(200, method="POST", path=ORDERS, carried_out=True),
    ],
    ids=["500", "503", "cut", "html", "html with status 200"],
)
def test_fault_04_an_order_accepted_without_a_clear_answer_is_asked_for_by_name(trading: Trading, fault: Fault):
    trading.sandbox.faults.add(fault)
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_04_an_order_that_cannot_even_be_asked_for_stays_unknown_until_it_can(trading: Trading):
    trading.sandbox.faults.add(
        on_orders(status=500, carried_out=True), Fault(method="GET", path="/v2/orders:by", status=500, times=8)
    )
    with pytest.raises(BrokerUnavailable):
        trading.wants("AAPL").cycle()
    assert trading.in_book() == {"AAPL buy": "unknown"}

    trading.sandbox.faults.clear()
    trading.cycle()
    bought_once(trading)
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_05_a_504_after_accepting_ends_with_one_order(trading: Trading):
    trading.sandbox.faults.add(on_orders(status=504, carried_out=True, times=4))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_05_a_504_of_an_order_that_was_not_accepted_is_sent_again_under_its_name(trading: Trading):
    trading.sandbox.faults.add(on_orders(status=504))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.sandbox.sent("POST", ORDERS) == 2


def test_fault_06_a_refused_connection_means_that_nothing_was_sent(trading: Trading):
    trading.wants().cycle()
    trading.sandbox.refuse()
    with pytest.raises(NotSent):
        trading.bot.broker.account()

    trading.sandbox.listen()
    trading.wants("AAPL").cycle()
    bought_once(trading)


def test_fault_06_a_connection_cut_after_it_opened_is_not_taken_for_one_that_never_did(trading: Trading):
    trading.sandbox.faults.add(Fault(method="GET", path="/v2/account", drop=True, times=9))

    with pytest.raises(BrokerUnavailable):
        trading.bot.broker.account()


def test_fault_06_an_order_that_was_accepted_before_the_broker_went_away_is_not_called_unsent(trading: Trading):
    trading.exchange.listeners.append(lambda *_: trading.sandbox.refuse())  # it goes away as soon as it has the order
    with pytest.raises(BrokerUnavailable, match="may be at the broker"):
        trading.bot.broker.submit(buy(27, "AAPL", limit="100"), at=trading.clock.now())

    trading.exchange.listeners.clear()
    trading.sandbox.listen()
    answer = trading.bot.broker.submit(buy(27, "AAPL", limit="100"), at=trading.clock.now())
    assert (answer.status, len(trading.at_broker())) == (OrderStatus.ACCEPTED, 1)


def test_fault_07_an_order_whose_answer_never_comes_is_asked_for_by_name(trading: Trading):
    trading.sandbox.faults.add(on_orders(hang_seconds=5, carried_out=True))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_08_the_broker_says_for_how_long_to_wait_and_the_same_order_is_sent_then(trading: Trading):
    trading.sandbox.faults.add(rate_limited("7", method="POST", path=ORDERS))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.naps == [7]


def test_fault_08_a_date_to_wait_for_is_understood(trading: Trading):
    from datetime import UTC, datetime

    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    trading.sandbox.faults.add(rate_limited(soon, method="POST", path=ORDERS))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    (nap,) = trading.naps
    assert 0 < nap <= 9


def test_fault_08_nobody_waits_longer_than_the_cap(trading: Trading):
    trading.sandbox.faults.add(rate_limited("86400", method="POST", path=ORDERS))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.naps == [20]


def test_fault_09_without_a_word_about_it_each_wait_is_longer_than_the_one_before(trading: Trading):
    trading.sandbox.faults.add(rate_limited(method="POST", path=ORDERS, times=3))
    trading.wants("AAPL").cycle()

    bought_once(trading)
    half, one, two = trading.naps
    assert 0.5 <= half < 0.625
    assert 1 <= one < 1.25
    assert 2 <= two < 2.5


def test_fault_09_a_broker_that_never_has_time_gets_nothing_and_fails_nothing(trading: Trading):
    trading.sandbox.faults.add(rate_limited(method="POST", path=ORDERS, times=4))
    trading.wants("AAPL").cycle()
    assert trading.at_broker() == ()
    assert trading.in_book() == {"AAPL buy": "unknown"}

    trading.cycle(after=timedelta(minutes=6))  # the first one is given up, its wish is met anew
    assert trading.held() == 27
    assert len(trading.at_broker()) == 1


def test_fault_10_a_name_that_is_taken_means_that_the_order_is_there(trading: Trading):
    trading.sandbox.faults.add(
        on_orders(status=500, carried_out=True),
        Fault(
            method="GET",
            path="/v2/orders:by",
            status=404,
            times=4,
            body='{"code":40410000,"message":"order not found"}',
        ),
    )
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.sandbox.sent("POST", ORDERS) == 2  # the second one was told that the name is taken


@pytest.mark.parametrize(
    "fault",
    [
        refused(401, 40110000, "request is not authorized"),
        Fault(status=403, body='{"message":"forbidden."}'),
    ],
    ids=["401", "403"],
)
def test_fault_11_refused_keys_halt_trading_at_once_with_one_notice(trading: Trading, fault: Fault):
    trading.wants().cycle()
    trading.sandbox.faults.add(fault)
    with pytest.raises(CredentialsRefused):
        trading.cycle()

    assert trading.state() == "halted"
    assert [title for title in trading.notices.titles() if title == "EMERGENCY SHUTDOWN"] == ["EMERGENCY SHUTDOWN"]
    asked = len(trading.sandbox.requests)
    with pytest.raises(CycleSkipped):
        trading.cycle()
    assert len(trading.sandbox.requests) == asked


def test_fault_12_too_little_buying_power_is_a_refusal_with_its_reason(trading: Trading):
    trading.sandbox.faults.add(refused(403, 40310000, "insufficient buying power", method="POST", path=ORDERS))
    report = trading.wants("AAPL").cycle()

    (order,) = report.orders
    assert (order.status, order.reason) == ("rejected", "insufficient buying power")
    assert trading.sandbox.sent("POST", ORDERS) == 1
    assert trading.state() == "active"


@pytest.mark.parametrize("status", [403, 422])
def test_fault_14_a_wash_trade_is_refused_with_its_reason(trading: Trading, status: int):
    message = "potential wash trade detected. use complex orders"
    trading.sandbox.faults.add(refused(status, status * 100000, message, method="POST", path=ORDERS))
    report = trading.wants("AAPL").cycle()

    assert [(order.status, order.reason) for order in report.orders] == [("rejected", message)]
    assert trading.sandbox.sent("POST", ORDERS) == 1


def test_fault_16_a_status_we_do_not_know_is_unknown_and_not_the_end(trading: Trading, caplog: Any):
    trading.behave(status="dreaming", hold_fills=True)
    trading.wants("AAPL").cycle()
    assert trading.in_book() == {"AAPL buy": "unknown"}
    assert "'dreaming', which we do not know" in caplog.text

    trading.behave(status="", hold_fills=False)
    trading.cycle()
    bought_once(trading)


def test_one_unknown_word_in_an_account_or_a_position_fails_nothing(trading: Trading):
    trading.behave(fields={"status": "SOMETHING_NEW", "crypto_status": "NEWER", "surprise": {"deep": 1}})
    trading.wants("AAPL").cycle()

    bought_once(trading)
    assert trading.bot.broker.account().cash == Decimal("95128.39")
