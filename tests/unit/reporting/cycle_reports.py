"""Small hand-made cycles to report on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.market import Coverage, MarketHistory, MarketState, Regime, Symbol, Trend, Volatility
from trading_bot.domain.orders import (
    Approved,
    ClientOrderId,
    ExecutionId,
    Fill,
    OrderStatus,
    OrderType,
    OrderUpdate,
    Purpose,
    Rejected,
    Resized,
    Ruling,
    Side,
    Signal,
)
from trading_bot.domain.portfolio import EquityPoint, Portfolio, Position

SESSION = date(2012, 1, 4)
AT = datetime(2012, 1, 4, 21, 0, tzinfo=UTC)
REASON = "20-day mean 411.20 is above the 50-day mean 390.15"


def signal(symbol: str, *, side: Side = Side.BUY, reason: str = REASON, strategy: str = "sma_cross") -> Signal:
    purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
    return Signal(Symbol(symbol), side, purpose, 0.1, 0.8, strategy, reason, {"fast": 411.2, "slow": float("nan")})


def ruling(rule: str, asked: int, allowed: int, message: str) -> Ruling:
    return Ruling(rule, rule.upper(), Decimal(asked), Decimal(allowed), "0.20", "0.10", "share of equity", message)


def approved(symbol: str, quantity: int, *, side: Side = Side.BUY, reason: str = REASON) -> Approved:
    shares = Decimal(quantity)
    return Approved(signal(symbol, side=side, reason=reason), shares, shares, "", "", ())


def trimmed(symbol: str, asked: int, allowed: int, *, message: str = "at most 10 % of equity in one stock") -> Resized:
    rulings = (ruling("max_position", asked, allowed, message),)
    return Resized(signal(symbol), Decimal(asked), Decimal(allowed), "max_position", message, rulings)


def refused(
    symbol: str,
    quantity: int = 10,
    *,
    rule: str = "max_open_trades",
    message: str = "5 of 5 positions are taken",
    reason: str = REASON,
) -> Rejected:
    rulings = (ruling(rule, quantity, 0, message),)
    return Rejected(signal(symbol, reason=reason), Decimal(quantity), Decimal(0), rule, message, rulings)


def order(
    symbol: str,
    quantity: int,
    *,
    status: OrderStatus = OrderStatus.ACCEPTED,
    side: Side = Side.BUY,
    reason: str = "",
    limit: str | None = None,
    filled: int = 0,
) -> OrderUpdate:
    return OrderUpdate(
        client_order_id=ClientOrderId(f"bb-2012-01-04-{symbol}-{side}-entry"),
        broker_order_id=f"p-{symbol}",
        symbol=Symbol(symbol),
        side=side,
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        quantity=Decimal(quantity),
        filled=Decimal(filled),
        status=status,
        reason=reason,
        updated_at=AT,
        limit_price=Decimal(limit) if limit else None,
    )


def fill(symbol: str, quantity: int, price: str, *, side: Side = Side.BUY, fee: str = "1.00") -> Fill:
    return Fill(
        execution_id=ExecutionId(f"e-{symbol}"),
        client_order_id=ClientOrderId(f"bb-2012-01-03-{symbol}-{side}-entry"),
        symbol=Symbol(symbol),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        session=SESSION,
        filled_at=AT,
    )


def market(**changes: Any) -> MarketState:
    empty = np.empty((0, 0))
    history = MarketHistory(np.array([], dtype="datetime64[D]"), (), *(empty.copy() for _ in range(5)))
    fields: dict[str, Any] = {
        "at": AT,
        "session": SESSION,
        "history": history,
        "regime": Regime(Trend.RISING, Volatility.CALM, "The market is rising and calm"),
        "coverage": Coverage(20, 19),
    }
    return MarketState(**{**fields, **changes})


def portfolio(cash: str = "100000.00", **held: tuple[int, str]) -> Portfolio:
    positions = {Symbol(s): Position(Symbol(s), Decimal(n), Decimal(price)) for s, (n, price) in held.items()}
    return Portfolio(Decimal(cash), positions)


def curve(*worth: str) -> tuple[EquityPoint, ...]:
    """Points that end on SESSION."""
    days = range(SESSION.day - len(worth) + 1, SESSION.day + 1)
    return tuple(
        EquityPoint(SESSION.replace(day=day), Decimal("50000.00"), Decimal(equity))
        for day, equity in zip(days, worth, strict=True)
    )


def cycle_report(**changes: Any) -> CycleReport:
    """A quiet first session, except for what is given."""
    fields: dict[str, Any] = {
        "cycle_id": "2012-01-04",
        "session": SESSION,
        "market": market(),
        "decisions": (),
        "orders": (),
        "settled": (),
        "fills": (),
        "portfolio": portfolio(),
        "prices": {},
        "equity": Decimal("100000.00"),
        "equity_curve": curve("100000.00"),
        "state": TradingState.ACTIVE,
    }
    return CycleReport(**{**fields, **changes})


def busy_report(**changes: Any) -> CycleReport:
    """A session with something of everything."""
    fields: dict[str, Any] = {
        "decisions": (
            approved("IBM", 53),
            trimmed("AAPL", 98, 49),
            approved("GE", 120, side=Side.SELL, reason="the close 18.01 fell below the 50-day mean 18.64"),
            *(refused(symbol) for symbol in ("MSFT", "JNJ", "PG", "KO", "WMT")),
            refused("XOM", 60, rule="max_sector", message="Energy would be 34 % of equity, at most 30 %"),
        ),
        "orders": (order("IBM", 53), order("AAPL", 49), order("GE", 120, side=Side.SELL)),
        "settled": (order("CVX", 80, status=OrderStatus.FILLED), order("F", 900, status=OrderStatus.EXPIRED)),
        "fills": (fill("CVX", 80, "109.23"), fill("GE", 1200, "18.5", side=Side.SELL, fee="0.48")),
        "portfolio": portfolio("61234.50", CVX=(80, "109.23"), GE=(120, "18.8025"), ZZ=(-3, "5")),
        "prices": {Symbol("CVX"): Decimal("110.00"), Symbol("GE"): Decimal("18.01")},
        "equity": Decimal("100195.70"),
        "equity_curve": curve("100000.00", "100300.00", "100195.70"),
        "warnings": ("The close of T moved by 61 % in one session",),
        "market": market(quarantined={Symbol("T"): "price jump without a split"}),
    }
    return cycle_report(**{**fields, **changes})
