"""Small hand-made days to report on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.unit.reporting.cycle_reports import AT, SESSION, curve, fill, order
from trading_bot.domain.cycle import ControlState, TradingState
from trading_bot.domain.day import BookedDay, DayCycles, DayDecisions, DayFill
from trading_bot.domain.market import Symbol
from trading_bot.domain.orders import ClientOrderId, OpenOrder, OrderIntent, OrderStatus, Purpose, Side
from trading_bot.domain.portfolio import Position
from trading_bot.reporting.day import DayReport, day_report


def control(state: TradingState = TradingState.ACTIVE) -> ControlState:
    return ControlState(state, "looks odd", "the owner", AT, 0, None)


def day_fill(
    symbol: str, quantity: int, price: str, decided_at: str | None = None, *, side: Side = Side.BUY, fee: str = "1.00"
) -> DayFill:
    return DayFill(fill(symbol, quantity, price, side=side, fee=fee), Decimal(decided_at) if decided_at else None)


def open_order(symbol: str, quantity: int, *, status: OrderStatus = OrderStatus.ACCEPTED, filled: int = 0) -> OpenOrder:
    name = ClientOrderId(f"bb-2012-01-04-{symbol}-buy-entry")
    wanted = OrderIntent(name, "2012-01-04", Symbol(symbol), Side.BUY, Purpose.ENTRY, Decimal(quantity))
    return OpenOrder(wanted, status, Decimal(filled))


def booked_day(**changes: Any) -> BookedDay:
    """A quiet first session, except for what is given."""
    fields: dict[str, Any] = {
        "session": SESSION,
        "opening_cash": Decimal("100000.00"),
        "equity_curve": curve("100000.00"),
        "fills": (),
        "fills_by_session": {},
        "positions": {},
        "open_orders": (),
        "troubled_orders": (),
        "decisions": DayDecisions(),
        "cycles": DayCycles(completed=1),
        "booked_late": 0,
    }
    return BookedDay(**{**fields, **changes})


def positions(**held: tuple[int, str]) -> dict[Symbol, Position]:
    return {Symbol(s): Position(Symbol(s), Decimal(n), Decimal(price)) for s, (n, price) in held.items()}


def quiet_day(**changes: Any) -> DayReport:
    return day_report(booked_day(**changes), control(), prices={})


def busy_day(**changes: Any) -> DayReport:
    """A session with something of everything."""
    fields: dict[str, Any] = {
        "equity_curve": curve("100000.00", "100300.00", "100195.70"),
        "fills": (
            day_fill("CVX", 50, "109.00", "108.90"),
            day_fill("CVX", 30, "109.60", "108.90"),
            day_fill("GE", 1200, "18.50", "18.60", side=Side.SELL, fee="0.48"),
        ),
        "fills_by_session": {date(2012, 1, 3): 4, SESSION: 3},
        "positions": positions(GE=(120, "18.8025"), CVX=(80, "109.225"), ZZ=(-3, "5")),
        "open_orders": (open_order("IBM", 53), open_order("AAPL", 49, status=OrderStatus.UNKNOWN, filled=9)),
        "troubled_orders": (order("F", 900, status=OrderStatus.REJECTED, reason="no borrow"),),
        "decisions": DayDecisions(3, 1, 6, (("max_open_trades", 5), ("max_sector", 1))),
        "cycles": DayCycles(
            completed=388,
            failed=1,
            begun_again=2,
            skipped=(("backing_off", 2), ("stale_tick", 1)),
            failures=("the source did not answer",),
        ),
        "booked_late": 2,
    }
    prices = {Symbol("CVX"): Decimal("110.00"), Symbol("GE"): Decimal("18.01")}
    return day_report(
        booked_day(**{**fields, **changes}),
        control(TradingState.REDUCING),
        prices=prices,
        after=date(2012, 1, 2),
        notes=("The price source does not know ZZ",),
    )
