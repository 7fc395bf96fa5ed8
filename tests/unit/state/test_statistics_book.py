from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.unit.state.books import (
    FRIDAY,
    MONDAY,
    NOON,
    RISING,
    TUESDAY,
    WEDNESDAY,
    Desk,
    approved,
    fill,
    fill_a_book,
    intent,
    rejected,
    signal,
)
from trading_bot.domain.cycle import CycleStatus, SkipReason
from trading_bot.domain.market import Coverage
from trading_bot.domain.orders import OrderStatus, Purpose, Side
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.statistics import Slippage, Statistics, StepDuration
from trading_bot.state import open_read_only


def counted(counts: Mapping[CycleStatus, int] | Mapping[OrderStatus, int]) -> dict[str, int]:
    """Return the words that came up."""
    return {word.value: count for word, count in counts.items() if count}


def trade(
    desk: Desk, side: Side, *, at: str | None, filled: tuple[tuple[str, str], ...], session: date = MONDAY
) -> None:
    """Decide on an order at a reference price, and fill it in parts of (shares, price)."""
    cycle_id = f"{session}-{side}-{at}"
    purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
    decision = approved("10", signal(side=side, purpose=purpose))
    wanted = replace(intent(decision, cycle_id), reference_price=Decimal(at) if at else None)
    desk.begin(cycle_id, session=session)
    desk.book.journal.commit_decisions(cycle_id, desk.lease, decisions=[decision], intents=[wanted], market_hash="m")
    desk.book.journal.mark_sending(wanted.client_order_id, desk.lease)
    fills = [fill(wanted.client_order_id, shares, price, side=side, session=session) for shares, price in filled]
    desk.book.ledger.book_fills(desk.lease, fills)


def test_a_new_book_has_nothing_to_count(desk: Desk):
    found = desk.book.statistics.read()

    assert found == Statistics(
        since=None,
        cycles=dict.fromkeys(CycleStatus, 0),
        skips={},
        failures=0,
        orders=dict.fromkeys(OrderStatus, 0),
        decisions={"approved": 0, "resized": 0, "rejected": 0},
        rejections={},
        steps=(),
        fills=0,
        fees=Decimal(0),
        slippage=None,
        coverage=None,
        first=None,
        newest=None,
    )


def test_a_book_that_is_only_read_counts_as_well(desk: Desk, path: Path):
    fill_a_book(desk)

    with open_read_only(f"sqlite:///{path}") as reader:
        assert reader.statistics.read() == desk.book.statistics.read()


def test_cycles_are_counted_by_how_they_ended_and_skips_by_their_reason(desk: Desk):
    for cycle_id, reason in (("a", SkipReason.PAUSED), ("b", SkipReason.PAUSED), ("c", SkipReason.MARKET_CLOSED)):
        desk.book.cycles.skip(cycle_id, session=MONDAY, scheduled_at=NOON, reason=reason, message="")
    for cycle_id in ("d", "e"):
        desk.begin(cycle_id)
        desk.complete(cycle_id)
    desk.begin("f")
    desk.book.control.record_failure("run-f", error="boom")

    found = desk.book.statistics.read()

    assert counted(found.cycles) == {"completed": 2, "skipped": 3, "failed": 1}
    assert found.skips == {"paused": 2, "market_closed": 1}


def test_a_run_that_failed_counts_also_when_its_cycle_was_tried_again(desk: Desk):
    desk.begin()
    desk.book.control.record_failure("run-monday", error="boom")
    desk.book.control.record_failure("before it had a cycle", error="no settings")
    desk.begin()
    desk.complete()

    found = desk.book.statistics.read()

    assert found.failures == 2
    assert counted(found.cycles) == {"completed": 1}


def test_failures_count_from_the_start_of_the_day_in_utc(desk: Desk):
    desk.clock.instant = datetime(2024, 1, 7, 23, 59, tzinfo=UTC)
    desk.book.control.record_failure("late on sunday", error="boom")
    desk.clock.instant = datetime(2024, 1, 8, 0, 0, tzinfo=UTC)
    desk.book.control.record_failure("early on monday", error="boom")

    assert desk.book.statistics.read(since=MONDAY).failures == 1


def test_orders_and_decisions_are_counted_by_what_became_of_them(desk: Desk):
    fill_a_book(desk)

    found = desk.book.statistics.read()

    assert counted(found.orders) == {"filled": 1, "unknown": 2}
    assert found.decisions == {"approved": 2, "resized": 1, "rejected": 1}
    assert found.fills == 4
    assert found.fees == Decimal("0.37")  # 0.02 were charged apart; a tenth of a cent was never paid


def test_rejections_are_counted_by_the_rule_that_refused(desk: Desk):
    desk.begin()
    coverage = replace(rejected("5", signal("IBM")), rule="coverage")
    desk.decide(rejected("20", signal("AAPL")), rejected("10", signal("MSFT")), coverage)

    assert desk.book.statistics.read().rejections == {"max_position": 2, "coverage": 1}


def test_what_lies_before_the_session_asked_for_does_not_count(desk: Desk):
    fill_a_book(desk)  # orders on Monday and Wednesday, both of cycles that Monday's session names

    assert desk.book.statistics.read(since=MONDAY).decisions == {"approved": 2, "resized": 1, "rejected": 1}

    found = desk.book.statistics.read(since=TUESDAY)
    assert found.decisions == {"approved": 0, "resized": 0, "rejected": 0}
    assert (counted(found.orders), counted(found.cycles), found.skips) == ({}, {"skipped": 1}, {"market_closed": 1})
    assert (found.fills, found.fees) == (1, Decimal("0.02"))
    assert (found.coverage, found.first) == (None, EquityPoint(TUESDAY, Decimal("9128.65"), Decimal("10008.65")))


def test_coverage_is_the_mean_share_of_completed_cycles(desk: Desk):
    for cycle_id, usable in (("monday", 19), ("tuesday", 10)):
        desk.begin(cycle_id)
        desk.book.cycles.complete(cycle_id, desk.lease, RISING, Coverage(20, usable))
    desk.begin("empty")
    desk.book.cycles.complete("empty", desk.lease, RISING, Coverage(0, 0))

    assert desk.book.statistics.read().coverage == pytest.approx(0.725)


def test_the_equity_curve_is_bounded_by_its_first_and_newest_point(desk: Desk):
    points = [EquityPoint(day, Decimal(10_000), Decimal(10_000), Decimal(0)) for day in (FRIDAY, MONDAY, TUESDAY)]
    for point in points:
        desk.book.ledger.mark_equity(desk.lease, point, "c")

    found = desk.book.statistics.read()

    assert (found.first, found.newest) == (points[0], points[2])


# ── durations of steps ────────────────────────────────────────────────────────────────────────────


def test_a_step_has_its_median_and_what_95_of_100_cycles_took_at_most(desk: Desk):
    for number in range(1, 101):
        desk.begin(f"cycle-{number}")
        desk.book.cycles.record_steps(f"cycle-{number}", {"settle_orders": number / 1000})

    assert desk.book.statistics.read().steps == (StepDuration("settle_orders", 100, 0.0505, 0.095),)


def test_steps_are_told_apart_and_cycles_without_durations_do_not_count(desk: Desk):
    for cycle_id, session in (("friday", FRIDAY), ("monday", MONDAY), ("tuesday", TUESDAY)):
        desk.begin(cycle_id, session=session)
    desk.book.cycles.record_steps("friday", {"b": 4.0, "a": 0.5})
    desk.book.cycles.record_steps("monday", {"a": 1e-05})

    everything, later = desk.book.statistics.read().steps, desk.book.statistics.read(since=MONDAY).steps

    assert [(step.step, step.count, step.p95) for step in everything] == [("a", 2, 0.5), ("b", 1, 4.0)]
    assert [(step.step, step.count, step.median) for step in later] == [("a", 1, 1e-05)]


# ── slippage ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("side", "price", "bps"),
    [(Side.BUY, "100.05", 5.0), (Side.BUY, "99.90", -10.0), (Side.SELL, "100.05", -5.0), (Side.SELL, "99.90", 10.0)],
)
def test_slippage_is_positive_where_the_fill_was_worse_for_us(desk: Desk, side: Side, price: str, bps: float):
    trade(desk, Side.BUY, at=None, filled=(("10", "100"),), session=FRIDAY)
    trade(desk, side, at="100", filled=(("10", price),))

    assert desk.book.statistics.read().slippage == Slippage(fills=1, bps=bps)


def test_slippage_is_weighted_by_dollars(desk: Desk):
    trade(desk, Side.BUY, at="100", filled=(("2", "101"), ("8", "100")))  # 2 dollars lost of 1,000
    trade(desk, Side.BUY, at="10", filled=(("10", "10.98"),), session=TUESDAY)  # 9.80 dollars lost of 100

    found = desk.book.statistics.read().slippage

    assert found is not None
    assert (found.fills, round(found.bps, 4)) == (3, 107.2727)  # 11.80 of 1,100


def test_a_fill_whose_order_has_no_reference_price_is_left_out_of_slippage(desk: Desk):
    trade(desk, Side.BUY, at=None, filled=(("10", "500"),))

    found = desk.book.statistics.read()

    assert (found.fills, found.slippage) == (1, None)


def test_slippage_counts_from_the_session_of_the_fill(desk: Desk):
    trade(desk, Side.BUY, at="100", filled=(("10", "110"),), session=MONDAY)
    trade(desk, Side.BUY, at="101", filled=(("10", "101"),), session=WEDNESDAY)

    assert desk.book.statistics.read(since=WEDNESDAY).slippage == Slippage(fills=1, bps=0.0)


# ── speed ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wanted", ["newest", "newest_completed"])
def test_the_newest_cycle_is_found_without_reading_the_others(desk: Desk, path: Path, wanted: str):
    asked: list[str] = []
    event.listen(desk.book.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    getattr(desk.book.cycles, wanted)()
    (query,) = [each for each in asked if each.startswith("SELECT")]

    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + query.replace("?", "'completed'"))]
    assert "USING INDEX cycles_by" in plan[0]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan  # within one session it may sort
