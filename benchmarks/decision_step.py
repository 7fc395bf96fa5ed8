"""How much CPU a decision takes: three strategies, their combination, sizing and every risk rule.

    python benchmarks/decision_step.py [REPEATS] [SYMBOLS]

5,000 symbols × 260 daily bars, prices from a seeded random walk. Two sides in turn (7 A, B, 7 A, B …), medians of CPU
seconds:

* A: the step as the bot does it; target at most 50 ms.
* B: the same quantities, formed one symbol after the other with pandas (`rolling`, `ewm`, `shift`), then the same
  combination, sizing and rules; target: at least 200 times the CPU of A.

Both must have the same opinion on every session and symbol, and come to the same decisions, share by share, or the
benchmark stops. B runs over every symbol: nothing is extrapolated.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.market import Coverage, MarketHistory, MarketState, Regime, Symbol, Trend, Volatility
from trading_bot.domain.orders import Decision
from trading_bot.domain.portfolio import Portfolio, Position
from trading_bot.domain.ports import Opinion, RiskContext
from trading_bot.risk.manager import ProtectiveStop, RiskManager
from trading_bot.risk.registry import build_rules
from trading_bot.strategies.manager import StrategyManager, Targets
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.strategies.voting import Member

BARS = 260
MOST_CPU_MS, LEAST_RATIO = 50.0, 200.0
TARGETS = Targets(
    position_weight=Decimal("0.05"),
    max_gross_exposure=Decimal(1),
    max_candidates=20,
    min_score=0.3,
    rebalance_threshold=Decimal("0.02"),
)


Columns = dict[str, pd.Series]  # of one symbol: "exposure" and the evidence


@dataclass(frozen=True)
class Looped:
    """A strategy that is asked about one symbol after the other."""

    think: Callable[[pd.Series], Columns]

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return what the symbols' columns are together."""
        found = [self.think(pd.Series(history.close[:, column])) for column in range(len(history.symbols))]
        arrays = {name: np.column_stack([columns[name].to_numpy() for columns in found]) for name in found[0]}
        return Opinion(arrays.pop("exposure"), arrays)


@dataclass(frozen=True)
class LoopedMomentum:
    """Returns of one symbol after the other, then the ranking of one session after the other."""

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return what `momentum` does with its default options."""
        closes = (pd.Series(history.close[:, column]) for column in range(len(history.symbols)))
        change = pd.concat([close.shift(21) / close.shift(252) - 1 for close in closes], axis=1)
        places = np.ceil(change.notna().sum(axis=1) * 0.3).astype(int)
        cutoff = pd.Series([row.nlargest(most).min() for most, (_, row) in zip(places, change.iterrows(), strict=True)])
        exposure = (change.ge(cutoff, axis=0) & (change > 0)).astype(float)
        cutoffs = np.broadcast_to(cutoff.to_numpy()[:, None], change.shape)
        return Opinion(exposure.to_numpy(), {"return": change.to_numpy(), "cutoff": cutoffs})


def sma_cross(close: pd.Series) -> Columns:
    """Do what `sma_cross` does with its default options."""
    fast, slow = close.rolling(20).mean(), close.rolling(50).mean()
    return {"exposure": (fast > slow * (1 + 1e-9)).astype(float), "fast": fast, "slow": slow}


def rsi_reversion(close: pd.Series) -> Columns:
    """Do what `rsi_reversion` does with its default options."""
    change = close.diff()
    gain, loss = _wilder(change.clip(lower=0)), _wilder(-change.clip(upper=0))
    strengths = (100 * gain / (gain + loss)).reindex(close.index)
    held, exposure = False, []
    for strength in strengths:
        held = strength < 30 or (held and strength <= 50)
        exposure.append(float(held))
    return {"exposure": pd.Series(exposure), "rsi": strengths}


def _wilder(values: pd.Series, period: int = 14) -> pd.Series:
    seeded = values.iloc[period:].copy()
    seeded.iloc[0] = values.iloc[1 : period + 1].mean()
    return seeded.ewm(alpha=1 / period, adjust=False).mean()


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    market, portfolio = _world(int(sys.argv[2]) if len(sys.argv) > 2 else 5000)
    names = ("sma_cross", "rsi_reversion", "momentum")
    ours = StrategyManager(tuple(Member(name, 1.0, STRATEGIES.build(name, {})) for name in names), TARGETS)
    loops = (Looped(sma_cross), Looped(rsi_reversion), LoopedMomentum())
    theirs = StrategyManager(tuple(Member(n, 1.0, loop) for n, loop in zip(names, loops, strict=True)), TARGETS)
    risk = RiskManager(build_rules({}, {}), stop=ProtectiveStop())

    for one, other in zip(ours.team, theirs.team, strict=True):
        _must_agree(one.name, one.strategy.opinion(market.history), other.strategy.opinion(market.history))
    wanted = _decide(ours, risk, market, portfolio)
    if _comparable(wanted) != _comparable(_decide(theirs, risk, market, portfolio)):
        raise SystemExit("the two sides decide differently: there is nothing to compare")
    print(f"{len(market.history.symbols):,} symbols x {BARS} bars: {len(wanted)} equal decisions on both sides")
    _report(
        *_in_turn(
            repeats, lambda: _decide(ours, risk, market, portfolio), lambda: _decide(theirs, risk, market, portfolio)
        )
    )


def _must_agree(name: str, one: Opinion, other: Opinion) -> None:
    """Stop unless both sides think the same of every symbol on every session, and for the same reasons."""
    same = np.array_equal(one.exposure, other.exposure) and all(
        np.allclose(one.evidence[key], other.evidence[key], rtol=1e-9, atol=1e-9, equal_nan=True)
        for key in {*one.evidence, *other.evidence}
    )
    if not same:
        raise SystemExit(f"the two sides differ about {name}: there is nothing to compare")


def _report(step: list[float], loop: list[float]) -> None:
    ours, theirs = statistics.median(step) * 1000, statistics.median(loop) * 1000
    ratio = theirs / ours
    print(f"the step: {ours:.1f} ms of CPU (target {MOST_CPU_MS:g}: {_verdict(ours <= MOST_CPU_MS)})")
    print(
        f"pandas, symbol by symbol: {theirs:,.0f} ms of CPU = {ratio:.0f} times as much "
        f"(target {LEAST_RATIO:g}: {_verdict(ratio >= LEAST_RATIO)})"
    )


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _world(symbols: int) -> tuple[MarketState, Portfolio]:
    """Return the market, and an account of a million dollars that holds ten of its stocks."""
    rng = np.random.default_rng(20240108)
    drift, wild = rng.normal(0.0003, 0.001, symbols), rng.uniform(0.005, 0.04, symbols)
    close = rng.uniform(5, 500, symbols) * np.exp(np.cumsum(rng.normal(drift, wild, (BARS, symbols)), axis=0))
    names = tuple(Symbol(f"S{number:04d}") for number in range(symbols))
    days = np.busday_offset(np.datetime64("2023-01-09"), np.arange(BARS)).astype("datetime64[D]")
    history = MarketHistory(days, names, close.copy(), close.copy(), close.copy(), close, np.full(close.shape, 1e6))
    state = MarketState(
        at=datetime(2024, 1, 8, 21, tzinfo=UTC),
        session=history.last_session,
        history=history,
        regime=Regime(Trend.UNKNOWN, Volatility.UNKNOWN, ""),
        coverage=Coverage(symbols, symbols),
        sectors={name: f"sector {number % 11}" for number, name in enumerate(names)},
    )
    held = {name: Position(name, Decimal(10), state.price(name) or Decimal(1)) for name in names[:10]}
    return state, Portfolio(Decimal(1_000_000), held)


def _decide(
    team: StrategyManager, risk: RiskManager, market: MarketState, portfolio: Portfolio
) -> tuple[Decision, ...]:
    known = {symbol: market.price(symbol) for symbol in portfolio.positions}
    equity = portfolio.equity({symbol: price for symbol, price in known.items() if price is not None})
    signals = team.signals(market, portfolio, equity)
    prices = {symbol: market.price(symbol) for symbol in (*portfolio.positions, *(s.symbol for s in signals))}
    context = RiskContext(
        market=market,
        portfolio=portfolio,
        prices={symbol: price for symbol, price in prices.items() if price is not None},
        equity=equity,
        high_water=equity,
        buying_power=portfolio.cash,
        state=TradingState.ACTIVE,
    )
    return risk.decide(signals, context)


def _comparable(decisions: tuple[Decision, ...]) -> list[tuple[object, ...]]:
    """Return what was decided, without the evidence, which the loop does not collect."""
    return [(d.signal.symbol, d.signal.side, d.requested, d.quantity, d.rule, d.rulings) for d in decisions]


def _in_turn(repeats: int, step: Callable[[], object], loop: Callable[[], object]) -> tuple[list[float], list[float]]:
    steps, loops = [], []
    for _ in range(repeats):
        steps += [_cpu(step) for _ in range(7)]
        loops.append(_cpu(loop))
    return steps, loops


def _cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


if __name__ == "__main__":
    main()
