"""What the book says about earlier days, and that a backtest's book in memory says the same."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.state.books import (
    FRIDAY,
    MONDAY,
    NOON,
    TUESDAY,
    WEDNESDAY,
    Desk,
    approved,
    fill,
    intent,
    open_desk,
    signal,
)
from trading_bot.backtest.memory_book import MemoryBook
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import Split, Symbol
from trading_bot.domain.orders import Purpose, Side
from trading_bot.domain.portfolio import EquityPoint, Portfolio
from trading_bot.domain.track_record import ClosedTrade, OrdersSent, Worth
from trading_bot.state.trades import PAGE

AAPL = Symbol("AAPL")
BUY, SELL = Side.BUY, Side.SELL


def mark(desk: Desk, session: date, equity: str) -> None:
    cash = desk.book.ledger.portfolio().cash
    desk.book.ledger.mark_equity(desk.lease, EquityPoint(session, cash, Decimal(equity)), "monday")


# ── what it was worth ─────────────────────────────────────────────────────────────────────────────


def test_the_newest_sessions_before_this_one_are_returned_oldest_first(desk: Desk):
    for session, equity in ((FRIDAY, "9000"), (MONDAY, "9100"), (TUESDAY, "9200"), (WEDNESDAY, "9300")):
        mark(desk, session, equity)

    assert desk.book.ledger.worths_before(WEDNESDAY, 2) == (
        Worth(MONDAY, Decimal(9100)),
        Worth(TUESDAY, Decimal(9200)),
    )
    assert desk.book.ledger.worths_before(FRIDAY, 5) == ()


def test_a_resume_opens_a_new_chapter_of_losses(desk: Desk):
    mark(desk, FRIDAY, "9000")
    mark(desk, MONDAY, "8000")
    desk.book.control.set_state(TradingState.ACTIVE, cause="I know why", who="owner")
    mark(desk, TUESDAY, "7900")

    assert desk.book.ledger.worths_before(WEDNESDAY, 5) == (
        Worth(MONDAY, Decimal(8000)),
        Worth(TUESDAY, Decimal(7900)),
    )


# ── which trades ended ────────────────────────────────────────────────────────────────────────────


def test_a_trade_ends_when_nothing_is_left_and_its_profit_is_what_came_in_less_what_went_out(desk: Desk):
    desk.trade(BUY, "3", "100", session=FRIDAY, fee="1")
    desk.trade(BUY, "1", "110", session=MONDAY)
    desk.trade(SELL, "2", "120", session=TUESDAY)
    assert desk.book.ledger.closed_trades(FRIDAY) == ()
    desk.trade(SELL, "2", "121", session=WEDNESDAY, fee="0.50")

    ended = ClosedTrade(AAPL, WEDNESDAY, Decimal("70.50"), by_stop=False)  # 240 + 241.50 - 301 - 110
    assert desk.book.ledger.closed_trades(FRIDAY) == (ended,)
    assert desk.book.ledger.closed_trades(WEDNESDAY) == (ended,)
    assert desk.book.ledger.closed_trades(WEDNESDAY + timedelta(days=1)) == ()


def test_a_trade_that_a_stop_ended_says_so(desk: Desk):
    desk.trade(BUY, "3", "100", session=FRIDAY)
    stopped = approved("3", signal(side=SELL, purpose=Purpose.STOP))
    order = desk.order(stopped, "stop")
    desk.book.ledger.book_fills(desk.lease, [fill(order, "3", "80", side=SELL, session=MONDAY)])

    assert desk.book.ledger.closed_trades(MONDAY) == (ClosedTrade(AAPL, MONDAY, Decimal(-60), by_stop=True),)


def test_a_long_trade_is_followed_to_its_beginning_and_not_beyond(desk: Desk):
    desk.trade(BUY, "1", "500", session=FRIDAY)
    desk.trade(SELL, "1", "100", session=FRIDAY)  # another trade, long over
    for number in range(PAGE + 6):
        desk.trade(BUY, "1", f"10.{number:02d}", session=MONDAY)
    desk.trade(SELL, str(PAGE + 6), "11", session=WEDNESDAY)

    (ended,) = desk.book.ledger.closed_trades(WEDNESDAY)
    assert ended.profit == Decimal("45.85")  # 70 x 11 - 70 x 10 - (0.00 + 0.01 + … + 0.69)


def test_a_split_multiplies_shares_and_its_remainder_is_income(desk: Desk):
    desk.trade(BUY, "5", "30", session=FRIDAY)
    desk.book.ledger.apply_splits(desk.lease, [(Split(AAPL, MONDAY, Decimal("1.5")), Decimal(20))])
    desk.trade(SELL, "7", "21", session=WEDNESDAY)

    assert desk.book.ledger.closed_trades(WEDNESDAY) == (
        ClosedTrade(AAPL, WEDNESDAY, Decimal(7), by_stop=False),  # 147 + half a share at 20 - 150
    )


Move = tuple[Side, int, int, bool]
DAYS = (FRIDAY, MONDAY, TUESDAY, WEDNESDAY)
moves = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 6), st.integers(5, 20), st.booleans()), max_size=4
)


def opened(portfolio: Portfolio) -> list[date | None]:
    return [position.opened for position in portfolio.positions.values()]


def trade_both(desk: Desk, memory: MemoryBook, cycle_id: str, day: date, move: Move) -> None:
    side, shares, price, stop = move
    quantity = min(Decimal(shares), desk.book.ledger.portfolio().held(AAPL)) if side is SELL else Decimal(shares)
    if not quantity:
        return
    purpose = Purpose.ENTRY if side is BUY else Purpose.STOP if stop else Purpose.EXIT
    decision = approved(str(quantity), signal(side=side, purpose=purpose))
    wanted = intent(decision, cycle_id)
    order = desk.order(decision, cycle_id)
    memory.journal.commit_decisions(cycle_id, desk.lease, decisions=[decision], intents=[wanted], market_hash="")
    for book in (desk.book, memory):
        book.ledger.book_fills(desk.lease, [fill(order, str(quantity), str(price), side=side, session=day, fee="0.1")])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(moves, min_size=4, max_size=4), ratio=st.sampled_from(["2", "1.5", "0.1", "0.3"]))
def test_the_book_in_memory_says_the_same(
    days: list[list[Move]], ratio: str, empty_book: Path, tmp_path_factory: pytest.TempPathFactory
):
    path = tmp_path_factory.mktemp("both") / "book.db"
    shutil.copy(empty_book, path)
    with open_desk(path) as desk:
        memory = MemoryBook(Decimal(10_000))
        for day, wanted in zip(DAYS, days, strict=True):
            if day == TUESDAY:
                for book in (desk.book, memory):
                    book.ledger.apply_splits(desk.lease, [(Split(AAPL, day, Decimal(ratio)), Decimal("33.33"))])
            for number, move in enumerate(wanted):
                trade_both(desk, memory, f"{day}-{number}", day, move)

        assert memory.ledger.portfolio() == desk.book.ledger.portfolio()
        assert opened(memory.ledger.portfolio()) == opened(desk.book.ledger.portfolio())
        for day in DAYS:
            assert memory.ledger.closed_trades(day) == desk.book.ledger.closed_trades(day)


# ── how many orders ───────────────────────────────────────────────────────────────────────────────


def test_orders_are_counted_for_the_session_and_for_the_last_minute(desk: Desk):
    for cycle, seconds, session in (("a", -60, MONDAY), ("b", -59, MONDAY), ("c", 0, MONDAY), ("d", 0, TUESDAY)):
        desk.book.cycles.begin(
            cycle,
            session=session,
            scheduled_at=NOON + timedelta(seconds=seconds),
            lease=desk.lease,
            run_id=cycle,
            settings_hash="settings",
            state=TradingState.ACTIVE,
        )
        desk.decide(approved("1"), approved("1", signal("IBM")), cycle_id=cycle)

    assert desk.book.journal.orders_sent(MONDAY, NOON) == OrdersSent(this_session=6, last_minute=4)
    assert desk.book.journal.orders_sent(WEDNESDAY, NOON) == OrdersSent(0, 0)
