"""Backtests for the reports: small ones written out, and one of many years on the packaged prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from trading_bot.data.sources.sample import Sample
from trading_bot.domain.backtest import BacktestResult, Engine, Execution, Fingerprints
from trading_bot.domain.market import FloatMatrix, SessionAxis, Symbol
from trading_bot.domain.money import cents, price_of
from trading_bot.domain.orders import Side

OPENING = Decimal("100000.00")
FINGERPRINTS = Fingerprints(data="a1" * 32, code="b2" * 32, settings="c3" * 32)
MONDAY = date(2022, 1, 3)


def weekdays(number: int, first: date = MONDAY) -> SessionAxis:
    return np.busday_offset(np.datetime64(first, "D"), np.arange(number), roll="forward")


def fill(
    session: date, side: str, quantity: str, symbol: str, price: str, *, fee: str = "1", strategy: str = "sma_cross"
) -> Execution:
    reason = "The mean of the last 10 closes crossed that of the last 30."
    return Execution(
        session, Symbol(symbol), Side(side), Decimal(quantity), Decimal(price), Decimal(fee), strategy, reason
    )


def result(*equity: float, **changes: Any) -> BacktestResult:
    """Return a backtest of so many weekdays; what is not said is plain."""
    worth = np.array(equity, dtype=np.float64)
    told: dict[str, Any] = {
        "engine": Engine.VECTORISED,
        "label": "sma_cross(fast=10, slow=30)",
        "opening": OPENING,
        "sessions": weekdays(len(equity)),
        "equity": worth,
        "cash": worth.copy(),
        "gross": np.zeros(len(equity)),
        "executions": (),
        "benchmark": None,
        "benchmark_name": "",
        "fingerprints": FINGERPRINTS,
        "settings": {"source": "files", "fill": "next-open", "slippage_bps": "5"},
    }
    return BacktestResult(**(told | changes))


def small() -> BacktestResult:
    """Return five sessions with one trade that gained and one that is open, against a benchmark."""
    days: list[date] = weekdays(5).tolist()
    return result(
        100_000,
        99_999,
        101_999,
        101_998,
        101_497,
        cash=np.array([100_000, 89_999, 101_998, 91_997, 91_997], dtype=np.float64),
        gross=np.array([0, 10_000, 0, 10_000, 9_500], dtype=np.float64),
        executions=(
            fill(days[1], "buy", "100", "AAPL", "100"),
            fill(days[2], "sell", "100", "AAPL", "120", strategy="position_stop"),
            fill(days[3], "buy", "200", "MSFT", "50", strategy="momentum+sma_cross"),
        ),
        prices={Symbol("MSFT"): Decimal("47.50")},
        benchmark=np.array([4000.0, 4040.0, 4000.0, 3960.0, 4080.0]),
        benchmark_name="The S&P 500",
        decisions={"approved": 3, "resized": 1, "rejected": 2},
        rejections={"max_position": 2},
    )


@cache
def many_years() -> BacktestResult:
    """Return what two simple rules make of eight packaged stocks from 2010 on, filled at the next close."""
    past = Sample().bars(date(2022, 12, 28))
    names = ("AAPL", "AMD", "HD", "JPM", "LLY", "MSFT", "RRC", "XOM")
    close = past.close[:, [past.symbols.index(Symbol(name)) for name in names]]
    first = int(np.searchsorted(past.sessions, np.datetime64("2010-01-04")))
    assert past.benchmark is not None
    ledger = Ledger(names, past.sessions, close)
    rows = [ledger.trade(row) for row in range(first, len(close))]
    equity, cash, gross = np.array(rows).T
    return result(
        engine=Engine.REPLAY,
        label="momentum + sma_cross(fast=50, slow=200)",
        sessions=past.sessions[first:],
        equity=equity,
        cash=cash,
        gross=gross,
        executions=tuple(ledger.done),
        prices={Symbol(names[n]): price_of(float(close[-1, n])) for n, held in enumerate(ledger.held) if held},
        benchmark=past.benchmark[first:],
        benchmark_name=past.benchmark_name,
        settings=dict(SETTINGS),
        decisions={"approved": len(ledger.done), "resized": 214, "rejected": 1_377},
        rejections={"max_open_trades": 1_022, "max_position": 298, "sector_allocation": 57},
        notes=("AMD is not traded on 2 sessions: its price jumped.",),
    )


SETTINGS: Mapping[str, str] = {
    "source": "sample",
    "symbols": "AAPL, AMD, HD, JPM, LLY, MSFT, RRC, XOM",
    "from": "2010-01-04",
    "to": "2022-12-28",
    "strategy.team": "momentum(lookback=252, skip=21) 0.5, sma_cross(fast=50, slow=200) 0.5",
    "strategy.rebalance_threshold": "0.02",
    "risk.max_position_pct": "0.20",
    "broker.starting_cash": "100000",
    "fill": "next-close",
    "slippage_bps": "5",
    "commission_per_share": "0.005",
}


@dataclass
class Ledger:
    """Buys what is above its mean or has risen over a year, a sixth of equity each, and stops at a loss of 15 %."""

    names: tuple[str, ...]
    sessions: SessionAxis
    close: FloatMatrix
    cash: Decimal = OPENING
    done: list[Execution] = field(default_factory=list)
    held: list[int] = field(default_factory=lambda: [0] * 8)
    paid: list[float] = field(default_factory=lambda: [0.0] * 8)

    def trade(self, row: int) -> tuple[float, float, float]:
        """Trade one session on what was known the session before; return equity, cash and gross."""
        equity = float(self.cash) + self.gross(row - 1)
        for column in range(len(self.names)):
            wanted, strategy = self.wish(row - 1, column)
            if self.held[column] and wanted and self.close[row - 1, column] < 0.85 * self.paid[column]:
                wanted, strategy = 0, "position_stop"
            if bool(wanted) != bool(self.held[column]):
                shares = int(equity / 6 / self.close[row - 1, column]) if wanted else self.held[column]
                self.fill(row, column, Side.BUY if wanted else Side.SELL, shares, strategy)
        worth = self.gross(row)
        return float(self.cash) + worth, float(self.cash), worth

    def wish(self, row: int, column: int) -> tuple[int, str]:
        closes = self.close[: row + 1, column]
        trend = closes[-50:].mean() > closes[-200:].mean()
        strong = closes[-21] > 1.1 * closes[-252]
        voters = [name for name, vote in (("momentum", strong), ("sma_cross", trend)) if vote]
        return (1, "+".join(voters)) if voters else (0, "momentum+sma_cross")

    def fill(self, row: int, column: int, side: Side, shares: int, strategy: str) -> None:
        price = price_of(float(self.close[row, column]) * (1 + 0.0005 * side.sign))
        fee = max(Decimal(1), cents(shares * Decimal("0.005")))
        cost = cents(price * shares) * side.sign + fee
        if shares and cost <= self.cash:
            self.cash -= cost
            self.held[column] += side.sign * shares
            self.paid[column] = float(price)
            why = f"{self.names[column]} closed at {self.close[row - 1, column]:.2f}."
            session: date = self.sessions[row].astype(object)
            self.done.append(
                Execution(session, Symbol(self.names[column]), side, Decimal(shares), price, fee, strategy, why)
            )

    def gross(self, row: int) -> float:
        prices: Iterator[float] = iter(self.close[row].tolist())
        return float(sum(held * price_of(price) for held, price in zip(self.held, prices, strict=True)))
