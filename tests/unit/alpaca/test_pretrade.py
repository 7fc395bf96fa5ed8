"""What Alpaca would refuse is said here first, one message a rule, with what to write instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.brokers.exchanges import Weekdays
from trading_bot.alpaca.pretrade import Asset, too_late, wrong_asset, wrong_form
from trading_bot.alpaca.ticket import Class, Ticket, Times, body_of, on_the_tick
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OrderType, Side

BUY = Ticket(client_order_id=ClientOrderId("mine"), symbol=Symbol("AAA"), side=Side.BUY, quantity=Decimal(10))
TEN, NINE, ELEVEN = Decimal("10.00"), Decimal("9.00"), Decimal("11.00")
LIMIT = {"type": OrderType.LIMIT, "limit_price": TEN}
BRACKET = {"order_class": Class.BRACKET, "take_profit": ELEVEN, "stop_loss": NINE}
OCO = {"order_class": Class.OCO, "side": Side.SELL, "type": OrderType.LIMIT, "take_profit": ELEVEN, "stop_loss": NINE}


def ticket(**terms: Any) -> Ticket:
    return replace(BUY, **terms)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        LIMIT | {"time_in_force": Times.IOC},
        LIMIT | {"extended_hours": True, "time_in_force": Times.GTC},
        {"type": OrderType.STOP, "stop_price": TEN, "time_in_force": Times.GTC},
        {"type": OrderType.STOP_LIMIT, "stop_price": TEN, "limit_price": ELEVEN},
        {"type": OrderType.TRAILING_STOP, "trail_percent": Decimal("1.5"), "side": Side.SELL},
        {"type": OrderType.TRAILING_STOP, "trail_price": Decimal("0.50"), "side": Side.SELL},
        {"quantity": None, "notional": Decimal("500.25")},
        {"time_in_force": Times.CLS},
        BRACKET,
        LIMIT | BRACKET | {"time_in_force": Times.GTC, "stop_loss_limit": Decimal("8.50")},
        {"order_class": Class.OTO, "stop_loss": NINE},
        OCO,
    ],
)
def test_what_alpaca_takes_has_nothing_wrong(terms: dict[str, Any]):
    assert wrong_form(ticket(**terms)) == ""


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"quantity": None}, "an order is over shares or over dollars: write one of quantity and notional"),
        ({"notional": TEN}, "an order is over shares or over dollars: write one of quantity and notional"),
        ({"quantity": Decimal(0)}, "0 shares is no order"),
        (
            {"quantity": None, "notional": Decimal("0.50")},
            "$0.50 is no order: write dollars and whole cents, at least $1",
        ),
        (
            LIMIT | {"quantity": None, "notional": TEN},
            "an order over dollars is a market order for the day; write shares instead",
        ),
        (
            {"quantity": Decimal("1.5"), "time_in_force": Times.GTC},
            "parts of a share can be ordered for the day only, not good till cancelled",
        ),
        ({"type": OrderType.LIMIT}, "a limit order needs a limit price"),
        ({"limit_price": TEN}, "a market order has no limit price"),
        ({"type": OrderType.STOP_LIMIT, "limit_price": TEN}, "a stop limit order needs a stop price"),
        (
            {"type": OrderType.TRAILING_STOP},
            "a trailing stop order needs one of trail_price and trail_percent, and no other order has one",
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail_percent": Decimal(100)},
            "a trail of 100 % is none: write 1.5 for 1.5 %",
        ),
        ({"type": OrderType.TRAILING_STOP, "trail_price": Decimal(0)}, "a trail of $0 is none"),
        (
            {"type": OrderType.STOP, "stop_price": Decimal("10.001")},
            "a stop of $10.001 lies between two ticks",
        ),
        (
            {"type": OrderType.STOP, "stop_price": TEN, "time_in_force": Times.IOC},
            "a stop order works for the day or until it is cancelled: write day or gtc, not ioc",
        ),
        (
            {"extended_hours": True},
            "outside of regular hours only limit orders trade, day or gtc; this is a market order, day",
        ),
        (LIMIT | BRACKET | {"extended_hours": True}, "a bracket order trades in regular hours only"),
        ({"take_profit": ELEVEN}, "a simple order has neither take_profit nor stop_loss"),
        (BRACKET | {"stop_loss": None}, "a bracket order has take_profit and stop_loss, both"),
        (BRACKET | {"order_class": Class.OTO}, "an oto order has one of take_profit and stop_loss"),
        (
            {"order_class": Class.OTO, "take_profit": ELEVEN, "stop_loss_limit": NINE},
            "stop_loss_limit is the limit of a stop_loss, and there is none",
        ),
        (
            BRACKET | {"time_in_force": Times.FOK},
            "a bracket order works for the day or until it is cancelled: write day or gtc, not fok",
        ),
        (BRACKET | {"quantity": Decimal("1.5")}, "a bracket order is over whole shares"),
        (
            OCO | {"type": OrderType.MARKET},
            "the exits of an oco order are its take_profit and its stop_loss: write limit as its type",
        ),
        (
            BRACKET | {"type": OrderType.STOP, "stop_price": TEN},
            "the entry of a bracket order is a market or a limit order, not stop",
        ),
        (
            BRACKET | {"take_profit": NINE, "stop_loss": ELEVEN},
            "the prices are the wrong way round: wanted stop_loss < limit < take_profit",
        ),
        (
            LIMIT | BRACKET | {"side": Side.SELL},
            "the prices are the wrong way round: wanted take_profit < limit < stop_loss",
        ),
    ],
)
def test_what_alpaca_refuses_is_told_with_what_to_write_instead(terms: dict[str, Any], reason: str):
    assert wrong_form(ticket(**terms)) == reason


def test_dollars_buy_parts_of_a_share_so_the_stock_must_be_traded_in_parts():
    whole = Asset("AAA", tradable=True, fractionable=False, shortable=False)

    assert (
        wrong_asset(ticket(quantity=None, notional=TEN), whole) == "AAA is traded in whole shares only, not for $10.00"
    )


@pytest.mark.parametrize(
    ("times", "hour", "minute", "is_taken"),
    [
        (Times.OPG, 14, 28, True),  # the session begins at 14:30
        (Times.OPG, 14, 29, False),
        (Times.OPG, 23, 59, False),
        (Times.CLS, 20, 50, True),  # and ends at 21:00
        (Times.CLS, 20, 51, False),
        (Times.DAY, 20, 59, True),
    ],
)
def test_fault_30_orders_for_an_auction_are_taken_until_shortly_before_it(
    times: Times, hour: int, minute: int, is_taken: bool
):
    said = too_late(ticket(time_in_force=times), datetime(2024, 1, 9, hour, minute, tzinfo=UTC), Weekdays())

    assert (said == "") is is_taken
    assert is_taken or "are taken until" in said


def test_prices_are_rounded_so_that_a_limit_is_no_worse_and_a_stop_no_sooner():
    wanted = ticket(**LIMIT | BRACKET | {"limit_price": Decimal("10.009"), "take_profit": Decimal("11.001")})
    rounded = on_the_tick(replace(wanted, stop_loss=Decimal("9.009"), stop_loss_limit=Decimal("8.991")))

    assert (rounded.limit_price, rounded.take_profit) == (Decimal("10.00"), Decimal("11.01"))
    assert (rounded.stop_loss, rounded.stop_loss_limit) == (Decimal("9.00"), Decimal("9.00"))
    assert body_of(rounded) == {
        "symbol": "AAA",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "client_order_id": "mine",
        "qty": "10",
        "limit_price": "10.00",
        "order_class": "bracket",
        "take_profit": {"limit_price": "11.01"},
        "stop_loss": {"stop_price": "9.00", "limit_price": "9.00"},
    }
