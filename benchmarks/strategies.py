"""How much CPU the opinion of each strategy takes, with its default options.

    python benchmarks/strategies.py [SESSIONS] [REPEATS]

Prices are a seeded random walk with highs, lows and news, 504 sessions of 30 and of 500 symbols; medians of CPU
milliseconds, and nanoseconds a bar. A tournament of 50 candidates may take 50 ms for 30 symbols and 350 ms for 500, its
scoring included: 1 ms and 7 ms a candidate. `pairs` tests every pair of stocks and is far above that.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from trading_bot.domain.market import MarketHistory, Symbol
from trading_bot.domain.ports import Strategy
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.memory import keep_freed_memory

SIZES = (30, 500)  # symbols


def market(symbols: int, sessions: int) -> MarketHistory:
    """Return a random walk of 2 % a day with a range of some per cent, and news on three days of ten."""
    rng = np.random.default_rng(1)
    shape = (sessions, symbols)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    high, low = (close * (1 + side * np.abs(rng.normal(0, 0.01, shape))) for side in (1, -1))
    news = np.where(rng.random(shape) < 0.3, rng.uniform(-1, 1, shape), np.nan)
    days = np.busday_offset(np.datetime64("2022-01-03", "D"), np.arange(sessions), roll="forward")
    names = tuple(Symbol(f"S{place:03d}") for place in range(symbols))
    return MarketHistory(days, names, close.copy(), high, low, close, np.full(shape, 1e6), sentiment=news)


def cpu_ms(strategy: Strategy, bars: MarketHistory, repeats: int) -> float:
    """Return the median CPU time of an opinion."""
    strategy.opinion(bars)
    taken: list[float] = []
    for _ in range(repeats):
        begin = time.process_time()
        strategy.opinion(bars)
        taken.append(1e3 * (time.process_time() - begin))
    return statistics.median(taken)


def main() -> None:
    sessions, repeats = (int(word) for word in (*sys.argv[1:], *("504", "25")[len(sys.argv) - 1 :]))
    keep_freed_memory()
    markets = [market(symbols, sessions) for symbols in SIZES]
    print(f"{'CPU of an opinion':22}" + "".join(f"{symbols:>9} symbols" + " " * 12 for symbols in SIZES))
    for name in STRATEGIES.names():
        strategy = STRATEGIES.build(name, {})
        times = [cpu_ms(strategy, bars, 3 if name == "pairs" else repeats) for bars in markets]
        cells = (
            f"{ms:9.2f} ms {1e6 * ms / bars.close.size:7.1f} ns/bar" for ms, bars in zip(times, markets, strict=True)
        )
        print(f"{name:22}" + "   ".join(cells))


if __name__ == "__main__":
    main()
