"""Exits that protect a position: where they lie, which one wins, and what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.risk.desks import buy, context, manager, way_out
from tests.unit.strategies.markets import FIRST_SESSION, history, market
from trading_bot.domain.market import MarketState, Symbol
from trading_bot.domain.orders import Purpose
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.protected import Exit
from trading_bot.risk.manager import ProtectiveStop
from trading_bot.risk.protection import levels
from trading_bot.risk.rules.portfolio_heat import PortfolioHeat
from trading_bot.risk.rules.risk_per_trade import RiskPerTrade
from trading_bot.risk.stop_distance import true_range

AAA = Symbol("AAA")
OFF = ProtectiveStop(enabled=False)
SECOND_SESSION = date(2020, 1, 7)


def closes(*prices: float) -> MarketState:
    return market(history([[price] for price in prices], ["AAA"]))


def held(paid: str = "100", opened: date | None = FIRST_SESSION, shares: int = 5) -> Portfolio:
    return Portfolio(Decimal(0), {AAA: Position(AAA, Decimal(shares), Decimal(paid), opened)})


def sold(stop: ProtectiveStop, seen: MarketState, portfolio: Portfolio) -> tuple[str, Purpose, str] | None:
    signals = manager(stop=stop).protective_exits(seen, portfolio)
    return (signals[0].strategy, signals[0].purpose, signals[0].reason) if signals else None


def test_every_exit_but_the_stop_loss_is_off_by_default():
    assert [level.exit for level in levels(held().positions[AAA], Decimal(95), closes(95), ProtectiveStop())] == [
        Exit.STOP_LOSS
    ]


@pytest.mark.parametrize(("price", "hit"), [(108.01, False), (108.0, True)])
def test_a_trailing_stop_follows_the_highest_close_since_the_position_was_opened(price, hit):
    stop = replace(OFF, trailing=Decimal("0.10"))
    seen = closes(150, 110, 120, 115, price)  # 150 was before it was held

    assert (sold(stop, seen, held(opened=SECOND_SESSION)) is not None) is hit


def test_a_trailing_stop_says_what_it_follows():
    assert sold(replace(OFF, trailing=Decimal("0.10")), closes(120, 107), held()) == (
        "trailing_stop",
        Purpose.STOP,
        "$107.00 is at or below the trailing stop of $108.00, 10.0% below the high of $120.00 since 2020-01-06",
    )


def test_a_trailing_stop_begins_at_the_price_paid():
    stop = replace(OFF, trailing=Decimal("0.10"))

    assert sold(stop, closes(95, 90), held()) is not None
    assert sold(stop, closes(95, 90.01), held()) is None


def test_a_trailing_stop_needs_to_know_since_when():
    assert sold(replace(OFF, trailing=Decimal("0.10"), sessions=1), closes(120, 50), held(opened=None)) is None


@pytest.mark.parametrize(("price", "hit"), [(119.99, False), (120.0, True), (150.0, True)])
def test_a_target_that_is_reached_sells(price, hit):
    found = sold(replace(OFF, take_profit=Decimal("0.2")), closes(price), held())

    assert (found is not None) is hit
    if price == 120:
        assert found == (
            "take_profit",
            Purpose.EXIT,
            "$120.00 is at or above the target of $120.00, +20.0% from the $100.00 paid",
        )


@pytest.mark.parametrize(("limit", "hit"), [(3, True), (4, False)])
def test_a_position_is_held_for_some_sessions_only(limit, hit):
    found = sold(replace(OFF, sessions=limit), closes(100, 101, 102, 103, 104), held(opened=SECOND_SESSION))

    assert (found is not None) is hit
    if hit:
        assert found == (
            "time_stop",
            Purpose.EXIT,
            "held for 3 sessions since 2020-01-07, 3 are the limit, +4.0% from the $100.00 paid",
        )


def test_the_strongest_exit_that_is_hit_sells():
    tenth = Decimal("0.1")
    every = ProtectiveStop(distance=Decimal("0.2"), trailing=tenth, take_profit=tenth, sessions=1)
    markets = (closes(200, 80), closes(200, 150), closes(119, 120), closes(101, 102))

    found = [sold(every, seen, held()) for seen in markets]
    assert [each and each[0] for each in found] == ["position_stop", "trailing_stop", "take_profit", "time_stop"]


def test_a_short_position_is_left_alone():
    assert sold(ProtectiveStop(sessions=1), closes(100, 50), held(shares=-5)) is None


# ── by how much a stock usually moves ─────────────────────────────────────────────────────────────

WIDE = history(np.full((20, 1), 100.0), ["AAA"])
WIDE = replace(WIDE, high=np.full((20, 1), 102.0), low=np.full((20, 1), 99.0))


def test_the_true_range_is_the_widest_of_three_distances():
    jumpy = history([[100.0], [110.0], [104.0]], ["AAA"])
    jumpy = replace(jumpy, high=np.array([[100.0], [111.0], [105.0]]), low=np.array([[100.0], [108.0], [103.5]]))

    assert true_range(WIDE, AAA, 14) == 3
    assert true_range(jumpy, AAA, 2) == Decimal("8.75")  # the mean of 111 - 100 and 110 - 103.50
    assert true_range(jumpy, AAA, 1, 2) == 11
    assert true_range(jumpy, AAA, 3) is None  # the first session has none before
    assert true_range(history([[1.0], [np.nan], [1.0]], ["AAA"]), AAA, 1) is None


def test_a_stop_by_the_range_lies_some_ranges_below_the_price_paid():
    stop = ProtectiveStop(by="atr", atr_sessions=14)
    seen, opened = market(WIDE), WIDE.sessions[-2].astype(object)
    (level,) = levels(held(opened=opened).positions[AAA], Decimal(95), seen, stop)

    assert (level.price, level.is_hit) == (91, False)
    assert level.words == "$95.00 is above the stop of $91.00, -5.0% from the $100.00 paid (3 x a true range of $3.00)"


def test_where_the_range_is_not_known_the_per_cent_count_and_it_says_so():
    (level,) = levels(held().positions[AAA], Decimal(89), closes(89), ProtectiveStop(by="atr"))

    assert (level.price, level.is_hit) == (90, True)
    assert level.words.endswith("-11.0% from the $100.00 paid (10.0%, for the true range is not known)")


def test_the_risk_of_a_trade_follows_the_range():
    seen = context(market(WIDE), equity=10_000)
    rule = RiskPerTrade(position_stop_by="atr")

    assert rule.check(buy(100, 100), seen).allowed.quantize(Decimal("0.001")) == Decimal("11.111")  # 1 % / (3 x $3)
    assert rule.check(buy(100, 100), context(closes(100), equity=10_000)).allowed == 1  # not known: all of it


def test_the_heat_counts_each_position_with_its_own_range():
    two = history(np.full((20, 2), 100.0), ["AAA", "BBB"])
    two = replace(two, high=np.full((20, 2), [102.0, 101.0]), low=np.full((20, 2), [99.0, 100.0]))
    portfolio = Portfolio(Decimal(0), {Symbol("BBB"): Position(Symbol("BBB"), Decimal(500), Decimal(100))})
    seen = context(market(two), portfolio, equity=10_000)

    ruling = PortfolioHeat(position_stop_by="atr").check(buy(200, 100), seen)
    assert ruling.allowed.quantize(Decimal("0.001")) == Decimal("111.111")  # 2,500 less 500 x 3 x $1, by 3 x $3


def test_an_exit_by_a_level_is_decided_like_any_other():
    (decision,) = manager().decide([way_out(stop=True)], context(portfolio=held(paid="10")))

    assert decision.quantity == 5
