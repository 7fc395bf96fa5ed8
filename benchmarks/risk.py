"""How much CPU every risk rule takes together, for many signals in a wide market.

    python benchmarks/risk.py [REPEATS] [SIGNALS] [SYMBOLS]

5,000 symbols × 260 daily bars from a seeded random walk, an account of ten million dollars that holds 20 of them, 500
signals: 20 exits, the rest entries; 200 trades closed within the last 20 sessions, a quote and a status of each stock.
Medians of CPU seconds, the first pass left out; garbage is looked for as seldom as in the commands:

* the default limits: most entries meet a count and are refused there; target at most 100 ms
* limits that never bind: every entry is asked about by every rule and approved (`volatility_target`
  stays off, as by default: it adds up all positions anew for each signal); target at most 100 ms
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from trading_bot.cli.start import SELDOM
from trading_bot.domain.cycle import TradingState
from trading_bot.domain.listing import AssetStatus, Quote
from trading_bot.domain.market import Coverage, MarketHistory, MarketState, Regime, Symbol, Trend, Volatility
from trading_bot.domain.orders import Purpose, Side, Signal
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.ports import RiskContext
from trading_bot.domain.track_record import ClosedTrade, OrdersSent, TrackRecord, Worth
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import build_rules

BARS, HELD, MOST_CPU_MS = 260, 20, 100.0
NEVER_BINDS: Mapping[str, Any] = {
    "max_open_trades": 10_000,
    "max_correlated_positions": 4_999,  # of 5,000: a limit out of reach is not looked into
    "max_portfolio_risk": 1,
    "max_orders_per_day": 10_000,
    "max_orders_per_cycle": 10_000,
    "max_orders_per_minute": 10_000,
    "max_sector_allocation": 1,
    "max_volume_share": 1,
}


def main() -> None:
    gc.set_threshold(SELDOM)
    given = [int(word) for word in sys.argv[1:]]
    repeats, signals, symbols = (*given, *(21, 500, 5000)[len(given) :])
    for name, limits in (("default limits", {}), ("limits that never bind", NEVER_BINDS)):
        risk = RiskManager(build_rules(limits, {}), stop=ProtectiveStop())
        taken: list[float] = []
        approved = 0
        for _ in range(repeats + 1):
            market = _market(symbols)  # a new one each time: nothing is known from the pass before
            wanted, context = _signals(market, signals), _context(market)
            began = time.process_time()
            decisions = risk.decide(wanted, context)
            taken.append(time.process_time() - began)
            approved = sum(decision.quantity > 0 for decision in decisions)
        cpu = statistics.median(taken[1:]) * 1000
        verdict = "met" if cpu <= MOST_CPU_MS else "MISSED"
        print(
            f"{len(risk.rules)} rules, {signals} signals, {symbols:,} symbols, {name}: {approved} approved, "
            f"{cpu:.1f} ms of CPU (target {MOST_CPU_MS:g}: {verdict})"
        )


def _market(symbols: int) -> MarketState:
    rng = np.random.default_rng(20240108)
    wild = rng.uniform(0.005, 0.04, symbols)
    close = rng.uniform(20, 500, symbols) * np.exp(np.cumsum(rng.normal(0.0003, wild, (BARS, symbols)), axis=0))
    names = tuple(Symbol(f"S{number:04d}") for number in range(symbols))
    days = np.busday_offset(np.datetime64("2023-01-09"), np.arange(BARS)).astype("datetime64[D]")
    history = MarketHistory(days, names, close.copy(), close * 1.01, close * 0.99, close, np.full(close.shape, 1e7))
    return MarketState(
        at=datetime(2024, 1, 8, 21, tzinfo=UTC),
        session=history.last_session,
        history=history,
        regime=Regime(Trend.UNKNOWN, Volatility.UNKNOWN, ""),
        coverage=Coverage(symbols, symbols),
        sectors={name: f"sector {number % 11}" for number, name in enumerate(names)},
    )


def _signals(market: MarketState, number: int) -> tuple[Signal, ...]:
    exits = [_signal(symbol, Side.SELL, Purpose.EXIT, 0.0, 0.0) for symbol in market.history.symbols[:HELD]]
    bought = market.history.symbols[HELD:number]
    entries = [_signal(s, Side.BUY, Purpose.ENTRY, 0.0015, 1 - place / 1000) for place, s in enumerate(bought)]
    return (*exits, *entries)


def _signal(symbol: Symbol, side: Side, purpose: Purpose, weight: float, strength: float) -> Signal:
    return Signal(symbol, side, purpose, weight, strength, "team", "it is wanted", {"mean": 1.0})


def _context(market: MarketState) -> RiskContext:
    prices = {symbol: market.price(symbol) or Decimal(1) for symbol in market.history.symbols[:1000]}
    held = {symbol: Position(symbol, Decimal(100), prices[symbol]) for symbol in market.history.symbols[:HELD]}
    portfolio = Portfolio(Decimal(10_000_000), held)
    equity = portfolio.equity(prices)
    days = market.history.sessions[-21:-1].tolist()
    closed = (
        ClosedTrade(market.history.symbols[500 + n], days[n // 10], Decimal(n % 7), by_stop=False) for n in range(200)
    )
    quotes = {s: Quote(p * Decimal("0.9999"), p, market.at - timedelta(seconds=1)) for s, p in prices.items()}
    return RiskContext(
        market=market,
        portfolio=portfolio,
        prices=prices,
        equity=equity,
        high_water=equity,
        buying_power=portfolio.cash,
        state=TradingState.ACTIVE,
        record=TrackRecord(tuple(Worth(day, equity) for day in days), tuple(closed), OrdersSent(3, 1)),
        assets=dict.fromkeys(prices, AssetStatus(tradable=True)),
        quotes=quotes,
    )


if __name__ == "__main__":
    main()
