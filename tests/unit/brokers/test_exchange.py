"""What an order gets in one session, as tables computed by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.brokers.exchange import Bar, Costs, Match, Working, match
from trading_bot.domain.money import cents
from trading_bot.domain.orders import OrderType, Side

PLENTY = Decimal(1_000_000)
FREE = Costs(slippage_bps=Decimal(0))


def bar(day_open: str, high: str | None = None, low: str | None = None, *, volume: int | None = None) -> Bar:
    first = Decimal(day_open)
    size = None if volume is None else Decimal(volume)
    return Bar(first, Decimal(high or day_open), Decimal(low or day_open), first, size)


def working(side: Side, quantity: int | str = 100, limit: str | None = None, *, untouched: bool = True) -> Working:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return Working(side, kind, Decimal(quantity), None if limit is None else Decimal(limit), untouched)


def trade(
    order: Working, session: Bar, *, cash: Decimal = PLENTY, held: Decimal = PLENTY, costs: Costs = FREE
) -> Match:
    return match(order, session, cash=cash, held=held, costs=costs)


# ── market orders ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("side", "day_open", "bps", "price"),
    [
        (Side.BUY, "100.00", "5", "100.05"),
        (Side.SELL, "100.00", "5", "99.95"),
        (Side.BUY, "10.01", "5", "10.02"),  # 10.015005, rounded up
        (Side.SELL, "10.01", "5", "10.00"),  # 10.004995, rounded down
        (Side.BUY, "0.5000", "5", "0.5003"),  # below a dollar the tick is a hundredth of a cent: 0.50025
        (Side.SELL, "0.5000", "5", "0.4997"),  # 0.49975
        (Side.BUY, "0.9999", "5", "1.01"),  # 1.00039995 has a tick of a cent
        (Side.BUY, "100.00", "0", "100.00"),
        (Side.SELL, "100.00", "1000", "90.00"),
    ],
)
def test_a_market_order_trades_at_the_open_and_slips_against_us(side, day_open, bps, price):
    got = trade(working(side), bar(day_open), costs=Costs(slippage_bps=Decimal(bps)))

    assert (got.price, got.quantity, got.reason) == (Decimal(price), 100, "")


# ── stop orders ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("side", "stop", "session", "price"),
    [
        (Side.SELL, "90.00", bar("100.00", "101.00", "90.01"), None),
        (
            Side.SELL,
            "90.00",
            bar("100.00", "101.00", "90.00"),
            "89.95",
        ),  # 89.955, rounded down
        (Side.SELL, "90.00", bar("80.00", "95.00", "80.00"), "79.96"),  # it opened below: nobody paid 90
        (Side.BUY, "110.00", bar("100.00", "109.99", "99.00"), None),
        (Side.BUY, "110.00", bar("100.00", "110.00", "99.00"), "110.06"),  # 110.055
        (Side.BUY, "110.00", bar("120.00", "120.00", "99.00"), "120.06"),
    ],
)
def test_a_stop_order_waits_for_its_price_and_is_a_market_order_then(side, stop, session, price):
    order = Working(side, OrderType.STOP, Decimal(100), None, True, Decimal(stop))
    got = trade(order, session, costs=Costs(slippage_bps=Decimal(5)))

    wanted = (0, 0, f"the stop of ${stop} was not reached") if price is None else (100, Decimal(price), "")
    assert (got.quantity, got.price, got.reason) == wanted


def test_what_is_left_of_a_stop_order_waits_for_no_price_again():
    order = Working(Side.SELL, OrderType.STOP, Decimal(40), None, False, Decimal("90.00"))

    assert trade(order, bar("95.00")).price == Decimal("95.00")


# ── limit orders ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("side", "limit", "session", "price"),
    [
        (Side.BUY, "50.00", bar("48.00", "52.00", "47.00"), "48.00"),  # opens better
        (Side.BUY, "50.00", bar("50.00", "52.00", "49.00"), "50.00"),
        (Side.BUY, "50.00", bar("51.00", "52.00", "49.00"), "50.00"),  # falls to the limit later
        (Side.BUY, "50.00", bar("51.00", "52.00", "50.00"), "50.00"),  # just reached
        (Side.BUY, "50.00", bar("51.00", "52.00", "50.01"), None),
        (Side.SELL, "50.00", bar("52.00", "53.00", "49.00"), "52.00"),
        (Side.SELL, "50.00", bar("50.00", "51.00", "49.00"), "50.00"),
        (Side.SELL, "50.00", bar("49.00", "51.00", "48.00"), "50.00"),
        (Side.SELL, "50.00", bar("49.00", "50.00", "48.00"), "50.00"),
        (Side.SELL, "50.00", bar("49.00", "49.99", "48.00"), None),
    ],
)
def test_a_limit_order_trades_at_its_limit_or_better_and_does_not_slip(side, limit, session, price):
    got = trade(working(side, limit=limit), session, costs=Costs())

    if price is None:
        assert (got.quantity, got.fee, got.reason) == (0, 0, "the limit of $50.00 was not reached")
    else:
        assert (got.quantity, got.price) == (100, Decimal(price))


# ── volume, cash and holdings ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("volume", "quantity"),
    [(None, 100), (1000, 100), (1001, 100), (999, 99), (19, 1), (9, 0), (0, 0)],
)
def test_only_a_share_of_the_volume_is_ours(volume, quantity):
    got = trade(working(Side.BUY), bar("10.00", volume=volume))

    assert got.quantity == quantity
    assert bool(got.reason) is (quantity < 100)


def test_the_reason_names_the_volume():
    assert trade(working(Side.BUY), bar("10.00", volume=500)).reason == "only 10% of the 500 shares traded may be ours"


@pytest.mark.parametrize(
    ("cash", "quantity"),
    [("1000.00", 100), ("999.99", 99), ("10.00", 1), ("9.99", 0), ("0", 0), ("-5", 0)],
)
def test_a_buy_takes_what_the_cash_pays_for(cash, quantity):
    got = trade(working(Side.BUY), bar("10.00"), cash=Decimal(cash))

    assert got.quantity == quantity
    assert bool(got.reason) is (quantity < 100)


@pytest.mark.parametrize(
    ("cash", "untouched", "quantity", "fee"),
    [
        # a hundred shares at 10.00, 0.02 dollars a share, at least 3.00 an order
        ("1003.00", True, 100, "3.00"),
        ("1002.99", True, 99, "3.00"),  # 990 + 3
        ("13.00", True, 1, "3.00"),
        ("12.99", True, 0, "0"),
        ("1002.00", False, 100, "2.00"),  # the minimum was paid with the first fill
        ("1001.99", False, 99, "1.98"),
        ("12.99", False, 1, "0.02"),
    ],
)
def test_the_cash_pays_for_the_commission_too(cash, untouched, quantity, fee):
    costs = Costs(slippage_bps=Decimal(0), commission_per_share=Decimal("0.02"), commission_minimum=Decimal(3))
    got = trade(working(Side.BUY, untouched=untouched), bar("10.00"), cash=Decimal(cash), costs=costs)

    assert (got.quantity, got.fee) == (quantity, Decimal(fee))


def test_the_reason_names_the_cash():
    got = trade(working(Side.BUY), bar("10.00"), cash=Decimal("55.50"))

    assert got.reason == "$55.50 of cash pay for 5 shares at $10.00"


@pytest.mark.parametrize(
    ("held", "quantity"), [("100", 100), ("101", 100), ("99", 99), ("0.5", Decimal("0.5")), ("0", 0), ("-3", 0)]
)
def test_a_sale_takes_what_is_held(held, quantity):
    got = trade(working(Side.SELL), bar("10.00"), held=Decimal(held))

    assert got.quantity == quantity
    assert got.reason == ("" if quantity == 100 else f"only {held} shares are held")


@pytest.mark.parametrize(
    ("quantity", "first", "fee"),
    [(100, True, "3.00"), (100, False, "2.00"), (150, True, "3.00"), (151, True, "3.02"), (1, False, "0.02")],
)
def test_the_commission_counts_per_share_and_its_minimum_once_an_order(quantity, first, fee):
    costs = Costs(commission_per_share=Decimal("0.02"), commission_minimum=Decimal(3))

    assert costs.fee(Decimal(quantity), first=first) == Decimal(fee)


@pytest.mark.parametrize(("price", "fee"), [("2.00", "1.00"), ("1.00", "1.00"), ("0.5000", "0.50"), ("0.0040", "0.00")])
def test_a_sale_never_costs_more_than_it_brings(price, fee):
    costs = Costs(slippage_bps=Decimal(0), commission_minimum=Decimal(1))
    got = trade(working(Side.SELL, 1), bar(price), cash=Decimal(0), costs=costs)

    assert (got.quantity, got.fee) == (1, Decimal(fee))


def test_a_bar_of_one_price_without_volume_is_a_close_only():
    assert bar("10.00").is_close_only
    assert not bar("10.00", volume=5).is_close_only
    assert not bar("10.00", "10.01").is_close_only


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def sessions(draw: st.DrawFn) -> Bar:
    low, inside, close, high = sorted(draw(st.lists(st.decimals("0.01", 900, places=2), min_size=4, max_size=4)))
    return Bar(inside, high, low, close, draw(st.none() | st.integers(0, 5000).map(Decimal)))


@st.composite
def orders(draw: st.DrawFn) -> Working:
    limit = draw(st.none() | st.decimals("0.01", 900, places=2))
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return Working(
        draw(st.sampled_from(Side)), kind, draw(st.decimals("0.01", 2000, places=2)), limit, draw(st.booleans())
    )


amounts = st.decimals(0, 100_000, places=2)
tariffs = st.builds(
    Costs,
    slippage_bps=st.integers(0, 100).map(Decimal),
    commission_per_share=st.decimals(0, 1, places=4),
    commission_minimum=st.decimals(0, 20, places=2),
    volume_share=st.decimals("0.01", 1, places=2),
)


@given(orders(), sessions(), amounts, amounts, tariffs)
def test_no_trade_overdraws_the_cash_or_the_holdings(order, session, cash, held, costs):
    got = trade(order, session, cash=cash, held=held, costs=costs)

    assert 0 <= got.quantity <= order.remaining
    assert cash - order.side.sign * cents(got.quantity * got.price) - got.fee >= 0
    assert held + order.side.sign * got.quantity >= 0
    assert got.fee >= 0


@given(orders(), sessions(), amounts, amounts, tariffs)
def test_less_than_all_has_a_reason_and_all_has_none(order, session, cash, held, costs):
    got = trade(order, session, cash=cash, held=held, costs=costs)

    assert bool(got.reason) is (got.quantity < order.remaining)


@given(orders(), sessions(), tariffs)
def test_no_price_is_better_than_the_open_and_no_limit_is_broken(order, session, costs):
    got = trade(order, session, costs=costs)

    if got.quantity and order.side is Side.BUY:
        assert got.price >= session.open if order.limit_price is None else got.price <= order.limit_price
    if got.quantity and order.side is Side.SELL:
        assert got.price <= session.open if order.limit_price is None else got.price >= order.limit_price
