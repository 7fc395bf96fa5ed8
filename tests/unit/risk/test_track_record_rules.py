"""The rules that look at the days before: losses, stops, cooldowns, counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.risk.desks import buy, context, entry, manager, sell, way_out
from tests.unit.strategies.markets import FIRST_SESSION, history, holding, market
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import Purpose
from trading_bot.domain.ports import RiskContext
from trading_bot.domain.track_record import ClosedTrade, OrdersSent, TrackRecord, Worth
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import build_rules
from trading_bot.risk.rules.cooldown import Cooldown
from trading_bot.risk.rules.daily_loss import DailyLoss
from trading_bot.risk.rules.duplicate_order import DuplicateOrder
from trading_bot.risk.rules.low_profit import LowProfit
from trading_bot.risk.rules.monthly_loss import MonthlyLoss
from trading_bot.risk.rules.order_rate import OrderRate
from trading_bot.risk.rules.orders_per_cycle import OrdersPerCycle
from trading_bot.risk.rules.orders_per_day import OrdersPerDay
from trading_bot.risk.rules.stop_guard import StopGuard
from trading_bot.risk.rules.weekly_loss import WeeklyLoss

# Ten sessions: Monday 6 January to Friday 17 January 2020.
TEN_SESSIONS = market(history(np.full((10, 2), 10.0), ["AAA", "BBB"]))
TODAY = date(2020, 1, 17)


def worths(*equities: int | str) -> TrackRecord:
    days = [TODAY - timedelta(days=len(equities) - place) for place in range(len(equities))]
    return TrackRecord(worths=tuple(Worth(day, Decimal(equity)) for day, equity in zip(days, equities, strict=True)))


def closed(*trades: tuple[str, date, int], by_stop: bool = False) -> TrackRecord:
    return TrackRecord(
        closed=tuple(ClosedTrade(Symbol(name), day, Decimal(profit), by_stop) for name, day, profit in trades)
    )


def seen(record: TrackRecord, *, equity: int | str = 10_000) -> RiskContext:
    return replace(context(TEN_SESSIONS, equity=equity), record=record)


# ── losses of a day, a week, a month ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("equity", "refuses"), [("9700.01", False), ("9700", True), ("9000", True), ("11000", False)])
def test_nothing_is_bought_after_a_loss_of_three_percent_since_the_session_before(equity, refuses):
    ruling = DailyLoss().check(buy(1), seen(worths(12_000, 10_000), equity=equity))

    assert ruling.code == ("DAILY_LOSS_EXCEEDS_LIMIT" if refuses else "DAILY_LOSS_WITHIN_LIMIT")
    assert ruling.binds is refuses


def test_a_refusal_for_a_loss_says_how_much_since_when_and_what_ends_it():
    ruling = DailyLoss().check(buy(1), seen(worths(10_000), equity=9_500))

    assert (ruling.observed, ruling.limit, ruling.unit) == ("0.0500", "0.03", "share of the equity then")
    assert ruling.message == (
        "equity has fallen by 5.0% since 2020-01-16 (1 session), the limit is 3.0%: "
        "no entries until it recovers or the owner resumes with `bensbot resume`"
    )


@pytest.mark.parametrize(
    ("rule", "back", "limit"), [(DailyLoss(), 1, "0.03"), (WeeklyLoss(), 5, "0.05"), (MonthlyLoss(), 21, "0.10")]
)
def test_a_loss_is_counted_from_the_end_of_just_that_many_sessions_ago(rule, back, limit):
    now = 10_000 * (1 - Decimal(limit))
    of_old = worths(9_000, *[10_000] * back)  # the session before them was lower, and does not count

    assert rule.check(buy(1), seen(of_old, equity=str(now))).binds
    assert not rule.check(buy(1), seen(worths(10_000, *[9_000] * back), equity=str(now))).binds


@pytest.mark.parametrize("rule", [DailyLoss(), WeeklyLoss(), MonthlyLoss()])
def test_a_young_book_looks_back_as_far_as_it_can(rule):
    assert rule.check(buy(1), seen(worths(10_000), equity=8_000)).binds
    assert not rule.check(buy(1), seen(TrackRecord(), equity=1)).binds


@pytest.mark.parametrize("rule", [DailyLoss(), WeeklyLoss(), MonthlyLoss()])
def test_after_a_session_without_equity_nothing_is_bought(rule):
    assert rule.check(buy(1), seen(worths(0), equity=5_000)).binds


# ── stops that were hit ───────────────────────────────────────────────────────────────────────────

STOPS = [("AAA", date(2020, 1, 13), -5), ("BBB", date(2020, 1, 15), -5), ("CCC", date(2020, 1, 17), -5)]


def test_stops_one_after_the_other_lock_entries():
    ruling = StopGuard(3, 5).check(buy(1), seen(closed(*STOPS, by_stop=True)))

    assert (ruling.allowed, ruling.code, ruling.observed, ruling.limit) == (0, "TOO_MANY_STOPS", "3", "3")
    assert ruling.message.startswith("3 positions hit the stop with a loss within 5 sessions, 3 are the limit")


@pytest.mark.parametrize(
    ("rule", "record"),
    [
        (StopGuard(4, 5), closed(*STOPS, by_stop=True)),  # one too few
        (StopGuard(3, 4), closed(*STOPS, by_stop=True)),  # the first is five sessions old, this one included
        (StopGuard(3, 5), closed(*STOPS, by_stop=False)),  # the strategies wanted out
        (StopGuard(3, 5), closed(*((name, day, 5) for name, day, _ in STOPS), by_stop=True)),  # with a profit
        (StopGuard(0, 5), closed(*STOPS, by_stop=True)),
    ],
)
def test_fewer_older_or_happier_stops_lock_nothing(rule, record):
    assert not rule.check(buy(1), seen(record)).binds


# ── one stock ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sold", "cooling"), [(date(2020, 1, 17), True), (date(2020, 1, 16), True), (date(2020, 1, 15), False)]
)
def test_a_stock_that_was_sold_cools_down_for_some_sessions(sold, cooling):
    assert Cooldown(2).check(buy(1), seen(closed(("AAA", sold, 5)))).binds is cooling


def test_a_cooldown_says_how_long():
    ruling = Cooldown(2).check(buy(1), seen(closed(("AAA", date(2020, 1, 10), 5), ("AAA", date(2020, 1, 16), 5))))

    assert (ruling.code, ruling.observed, ruling.limit) == ("COOLING_DOWN", "1", "2")
    assert ruling.message == "AAA was sold on 2020-01-16, 1 session ago: no entry before 2 sessions have passed"
    today = Cooldown(1).check(buy(1), seen(closed(("AAA", date(2020, 1, 17), 5))))
    assert today.message == "AAA was sold on 2020-01-17, 0 sessions ago: no entry before 1 session has passed"


def test_another_stock_does_not_cool_down_and_none_where_it_is_off():
    record = closed(("BBB", date(2020, 1, 17), 5), ("AAA", date(2020, 1, 17), 5))

    assert not Cooldown(2).check(buy(1, symbol="CCC"), seen(record)).binds
    assert not Cooldown(0).check(buy(1), seen(record)).binds


THREE_LOSSES = [("AAA", date(2020, 1, 14), -50), ("AAA", date(2020, 1, 15), 20), ("AAA", date(2020, 1, 16), -30)]


def test_a_stock_whose_last_trades_lost_money_together_is_left_alone():
    ruling = LowProfit(3, 5).check(buy(1), seen(closed(*THREE_LOSSES)))

    assert (ruling.code, ruling.observed, ruling.limit) == ("SYMBOL_LOSES", "-60.00", "0")
    assert ruling.message == "the 3 trades in AAA of the last 5 sessions lost $60.00"


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        (LowProfit(4, 5), []),
        (LowProfit(3, 3), []),  # the first is older
        (LowProfit(3, 5), [("AAA", date(2020, 1, 17), 60)]),  # nothing lost, in all
        (LowProfit(0, 5), []),
    ],
)
def test_fewer_older_or_better_trades_keep_no_stock_out(rule, more):
    assert not rule.check(buy(1), seen(closed(*THREE_LOSSES, *more))).binds
    assert not rule.check(buy(1, symbol="BBB"), seen(closed(*THREE_LOSSES, *more))).binds


def test_an_entry_waits_for_the_order_of_the_same_stock_that_is_open():
    busy = replace(context(), on_their_way=frozenset({Symbol("AAA")}))
    ruling = DuplicateOrder().check(buy(1), busy)

    assert (ruling.allowed, ruling.code) == (0, "ORDER_ON_ITS_WAY")
    assert ruling.message == "an order for AAA is still open: it has to fill or end first"
    assert not DuplicateOrder().check(buy(1, symbol="BBB"), busy).binds


# ── how many orders ───────────────────────────────────────────────────────────────────────────────


def test_orders_of_the_day_count_with_those_of_this_cycle():
    today = replace(context(), record=TrackRecord(sent=OrdersSent(this_session=7)), approved=2)

    assert not OrdersPerDay(10).check(buy(1), today).binds
    ruling = OrdersPerDay(9).check(buy(1), today)
    assert (ruling.code, ruling.observed, ruling.limit) == ("TOO_MANY_ORDERS_TODAY", "9", "9")
    assert ruling.message == "9 orders of this session were decided before, 9 are the limit"


def test_a_cycle_approves_no_more_orders_than_it_may_and_exits_count():
    rules = manager({"orders_per_cycle": OrdersPerCycle(2)})
    signals = [way_out("BBB"), entry("AAA", strength=0.9), entry("CCC", strength=0.1)]
    decisions = rules.decide(signals, context(portfolio=holding(0, BBB=(5, 10))))

    assert [(d.signal.symbol, d.quantity > 0) for d in decisions] == [("BBB", True), ("AAA", True), ("CCC", False)]
    assert decisions[-1].reason == "2 orders of this cycle were decided before, 2 are the limit"


@pytest.mark.parametrize("order", [buy(1), sell(1), sell(1, stop=True)])
def test_nothing_at_all_is_sent_faster_than_the_broker_takes_it(order):
    busy = replace(context(), record=TrackRecord(sent=OrdersSent(9, last_minute=3)), approved=1)

    assert not OrderRate(5).check(order, busy).binds
    ruling = OrderRate(4).check(order, busy)
    assert (ruling.allowed, ruling.code) == (0, "TOO_MANY_ORDERS_A_MINUTE")
    assert ruling.message == "4 orders within a minute, 4 are the limit: the next cycle may send it"


# ── exits, and what has to be gathered ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.STOP])
def test_a_way_out_is_open_after_every_loss_and_beyond_every_count(purpose):
    bad = TrackRecord(
        worths=(Worth(FIRST_SESSION, Decimal(10**9)),),
        closed=closed(*STOPS * 9, *THREE_LOSSES * 9, ("AAA", TODAY, -9), by_stop=True).closed,
        sent=OrdersSent(this_session=10_000),
    )
    facts = replace(seen(bad, equity=1), portfolio=holding(0, AAA=(5, 10)), on_their_way=frozenset({Symbol("AAA")}))
    (decision,) = manager().decide([way_out(stop=purpose is Purpose.STOP)], replace(facts, approved=149))

    assert decision.quantity == 5
    (refused,) = manager().decide([entry()], replace(facts, approved=0))
    assert refused.quantity == 0


def test_the_manager_wants_to_see_as_many_sessions_as_the_rule_that_looks_back_furthest():
    settings = {"low_profit_sessions": 30, "stop_guard_sessions": 40, "cooldown_sessions": 2}

    assert RiskManager(build_rules(settings, {}), stop=ProtectiveStop()).sessions_back == 40
    off = {"low_profit_trades": 0, "stop_guard_stops": 0, "cooldown_sessions": 0}
    assert RiskManager(build_rules(off, {}), stop=ProtectiveStop()).sessions_back == 1
