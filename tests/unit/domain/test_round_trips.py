"""Trades from flat to flat, against profits computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bot.domain.backtest import Execution, SplitPaid
from trading_bot.domain.market import Symbol
from trading_bot.domain.money import cents
from trading_bot.domain.orders import Side
from trading_bot.domain.round_trips import RoundTrip, Trades, trades_of

SESSIONS = np.array(["2022-01-03", "2022-01-04", "2022-01-05", "2022-01-06", "2022-01-07"], dtype="datetime64[D]")
DAYS: list[date] = SESSIONS.tolist()
A = Symbol("A")


def fill(day: int, shares: str, price: str, *, fee: str = "0", symbol: str = "A", strategy: str = "trend") -> Execution:
    """A purchase, or a sale where the shares are negative."""
    signed = Decimal(shares)
    side = Side.BUY if signed > 0 else Side.SELL
    return Execution(DAYS[day], Symbol(symbol), side, abs(signed), Decimal(price), Decimal(fee), strategy, "because")


def split(day: int, ratio: str, *, remainder: str = "0", cash: str = "0") -> SplitPaid:
    return SplitPaid(A, DAYS[day], Decimal(ratio), Decimal(remainder), Decimal(cash))


def the_trade(*executions: Execution, splits: tuple[SplitPaid, ...] = ()) -> RoundTrip:
    found = trades_of(executions, SESSIONS, splits=splits)
    assert found.open == ()
    (trade,) = found.closed
    return trade


# ── one trade ─────────────────────────────────────────────────────────────────────────────────────


def test_a_purchase_and_its_sale_are_one_trade():
    assert the_trade(
        fill(0, "10", "20", fee="1"), fill(3, "-10", "25", fee="1", strategy="position_stop")
    ) == RoundTrip(
        symbol=A,
        side=Side.BUY,
        strategy="trend",
        opened=date(2022, 1, 3),
        closed=date(2022, 1, 6),
        sessions=3,
        shares=Decimal(10),
        entry_price=Decimal(20),
        exit_price=Decimal(25),
        exits=1,
        fees=Decimal(2),
        profit=Decimal(48),  # 250 - 200 - 2
        gain=0.24,
        ended_by="position_stop",
    )


def test_a_short_trade_gains_when_the_price_falls():
    trade = the_trade(fill(0, "-10", "20"), fill(1, "10", "15"))

    assert (trade.side, trade.profit, trade.gain) == (Side.SELL, Decimal(50), 0.25)
    assert (trade.entry_price, trade.exit_price) == (Decimal(20), Decimal(15))


def test_partial_exits_and_additions_belong_to_the_trade():
    trade = the_trade(fill(0, "10", "10"), fill(1, "10", "20"), fill(2, "-5", "30"), fill(3, "-15", "20"))

    assert (trade.shares, trade.exits) == (Decimal(20), 2)
    assert (trade.entry_price, trade.exit_price) == (Decimal(15), Decimal("22.5"))
    assert trade.profit == 150  # 150 + 300 - 300


def test_a_trade_within_a_day_was_held_for_no_session():
    assert the_trade(fill(2, "10", "10"), fill(2, "-10", "11")).sessions == 0


def test_who_began_a_trade_has_it():
    trade = the_trade(fill(0, "10", "10", strategy="a"), fill(1, "10", "10", strategy="b"), fill(2, "-20", "11"))

    assert trade.strategy == "a"


# ── many trades ───────────────────────────────────────────────────────────────────────────────────


def test_what_goes_through_zero_ends_one_trade_and_begins_another():
    found = trades_of([fill(0, "10", "10"), fill(1, "-30", "12", fee="3"), fill(2, "20", "11")], SESSIONS)

    long, short = found.closed
    assert (long.side, long.shares, long.profit, long.fees) == (Side.BUY, Decimal(10), Decimal(19), Decimal(1))
    assert (short.side, short.shares, short.profit, short.fees) == (Side.SELL, Decimal(20), Decimal(18), Decimal(2))
    assert found.open == ()


def test_symbols_do_not_mix_and_trades_come_in_the_order_they_ended():
    found = trades_of(
        [fill(0, "1", "10"), fill(1, "1", "50", symbol="B"), fill(2, "-1", "51", symbol="B"), fill(3, "-1", "12")],
        SESSIONS,
    )

    assert [(trade.symbol, trade.profit) for trade in found.closed] == [("B", Decimal(1)), ("A", Decimal(2))]


def test_the_same_symbol_can_be_traded_again():
    found = trades_of([fill(0, "1", "10"), fill(1, "-1", "11"), fill(2, "2", "9"), fill(4, "-2", "8")], SESSIONS)

    assert [(trade.opened, trade.profit) for trade in found.closed] == [(DAYS[0], Decimal(1)), (DAYS[2], Decimal(-2))]


def test_an_open_trade_is_valued_at_the_last_price():
    found = trades_of([fill(0, "10", "10", fee="1"), fill(2, "-4", "15", fee="1")], SESSIONS, prices={A: Decimal(20)})

    (trade,) = found.open
    assert found.closed == ()
    assert (trade.opened, trade.sessions, trade.quantity, trade.fees) == (DAYS[0], 4, Decimal(6), Decimal(2))
    assert trade.profit == 78  # -100 + 60 - 2 + 6 × 20


def test_an_open_trade_without_a_price_has_no_profit():
    (trade,) = trades_of([fill(0, "10", "10")], SESSIONS).open

    assert trade.profit is None


def test_no_execution_is_no_trade():
    assert trades_of([], SESSIONS) == Trades((), ())


def test_an_execution_between_the_sessions_is_an_error():
    stray = Execution(date(2022, 1, 8), A, Side.BUY, Decimal(1), Decimal(1), Decimal(0), "trend", "because")

    with pytest.raises(KeyError):
        trades_of([stray], SESSIONS)


# ── splits ────────────────────────────────────────────────────────────────────────────────────────


def test_a_split_in_between_neither_gains_nor_loses():
    trade = the_trade(fill(0, "10", "20"), fill(2, "-20", "10"), splits=(split(2, "2"),))

    assert (trade.profit, trade.shares, trade.entry_price) == (Decimal(0), Decimal(20), Decimal(10))


def test_the_remainder_of_a_split_is_part_of_the_trade():
    # 15 shares at 10 become 1.5 at 100: one is kept, half a one is paid out
    trade = the_trade(fill(0, "15", "10"), fill(3, "-1", "110"), splits=(split(1, "0.1", remainder="0.5", cash="50"),))

    assert trade.profit == 10  # 110 + 50 - 150
    assert trade.exit_price == pytest.approx(Decimal(160) / Decimal("1.5"))


def test_a_split_that_pays_everything_out_ends_the_trade():
    trade = the_trade(fill(0, "5", "10"), splits=(split(1, "0.1", remainder="0.5", cash="49"),))

    assert (trade.closed, trade.profit, trade.ended_by) == (DAYS[1], Decimal(-1), "split")


def test_a_split_of_a_stock_that_is_not_held_changes_nothing():
    trade = the_trade(fill(2, "10", "20"), fill(3, "-10", "21"), splits=(split(1, "2"),))

    assert trade.profit == 10


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────

orders = st.tuples(
    st.sampled_from(["A", "B"]), st.integers(-30, 30).filter(bool), st.integers(1, 9_999), st.integers(0, 300)
)


@given(st.lists(orders, max_size=30))
def test_profits_of_all_trades_are_the_cash_and_the_shares_they_left(asked: list[tuple[str, int, int, int]]):
    made = [
        fill(number * 5 // len(asked), str(shares), str(Decimal(price) / 100), fee=str(Decimal(fee) / 100), symbol=name)
        for number, (name, shares, price, fee) in enumerate(asked)
    ]
    prices = {Symbol("A"): Decimal("12.34"), Symbol("B"): Decimal("0.56")}

    found = trades_of(made, SESSIONS, prices=prices)

    cash = sum((-done.side.sign * cents(done.quantity * done.price) - done.fee for done in made), Decimal(0))
    worth = sum((done.side.sign * done.quantity * prices[done.symbol] for done in made), Decimal(0))
    assert sum(trade.profit for trade in found.closed) + sum(trade.profit or 0 for trade in found.open) == cash + cents(
        worth
    )
    assert sum(trade.fees for trade in (*found.closed, *found.open)) == sum(done.fee for done in made)
    assert all(trade.quantity for trade in found.open)
