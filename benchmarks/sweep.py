"""How fast ten parameter sets of a moving-average cross are tried on 500 symbols, with fees.

    python benchmarks/sweep.py [REPEATS]

500 symbols × 504 daily bars × 10 sets, prices from a seeded random walk, each symbol alone with all of its money, 0.1 %
fee. Sides in turn (5 A, B, C, 5 A, B, C …), medians of CPU seconds a (symbol · bar · set):

* A: `trading_bot.tournament.sweep` with the strategy that also trades live; target at least 40 million a second.
* B: vectorbt, warm, from arrays; target at least 10 times the CPU of A. Both trade at the deciding close, and what is
  left of each of the 5,000 accounts must agree to 1e-9, or the benchmark stops.
* C: backtesting.py, on the first 5 symbols with the first 2 sets; target at least 1,000 times the CPU of A. Both trade
  at the next open; it counts whole shares, so it gets 10¹² dollars, and the accounts must agree to 1e-6.

The peers are no dependencies of this project; one that is not installed is skipped with a word:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install vectorbt==1.2.0 backtesting==0.6.6 annotated-types
    PYTHONPATH=. /tmp/peers/bin/python benchmarks/sweep.py
"""

from __future__ import annotations

import importlib
import importlib.metadata
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from trading_bot.domain.backtest import FillAt
from trading_bot.domain.market import FloatMatrix, MarketHistory, Symbol
from trading_bot.strategies.sma_cross import SmaCross
from trading_bot.tournament.sweep import sweep

BARS, SYMBOLS, FEE = 504, 500, 0.001
SETS = ((5, 20), (5, 50), (10, 20), (10, 50), (10, 100), (15, 50), (15, 100), (20, 50), (20, 100), (30, 100))
FEW_SYMBOLS, FEW_SETS, CASH = 5, 2, 1e12  # of the slow peer
LEAST_RATE, LEAST_VECTORBT, LEAST_BACKTESTING = 40e6, 10.0, 1000.0


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    warnings.simplefilter("ignore")  # the peers' own
    history = _world()
    peers = [peer for peer in (_vectorbt(history), _backtesting(history)) if peer is not None]
    for _, compare, _, _ in peers:
        compare()
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name, *_ in peers}
    for _ in range(repeats):
        ours += [_cpu(lambda: _ours(history, FillAt.SAME_CLOSE)) / (BARS * SYMBOLS * len(SETS)) for _ in range(5)]
        for name, _, run, work in peers:
            theirs[name].append(_cpu(run) / work)
    _report(statistics.median(ours), {name: statistics.median(times) for name, times in theirs.items()})


Peer = tuple[str, Callable[[], None], Callable[[], object], int]  # name, compare the answers, run, symbol · bar · sets


def _report(ours: float, theirs: dict[str, float]) -> None:
    rate = 1 / ours
    met = _verdict(rate >= LEAST_RATE)
    print(f"sweep: {rate / 1e6:.1f} M (symbol·bar·set)/CPU-s (target {LEAST_RATE / 1e6:g}: {met})")
    for name, seconds in theirs.items():
        ratio, least = seconds / ours, LEAST_VECTORBT if name.startswith("vectorbt") else LEAST_BACKTESTING
        print(
            f"{name}: {1 / seconds / 1e6:.4g} M/CPU-s, {ratio:,.0f} times the CPU "
            f"(target {least:,g}: {_verdict(ratio >= least)})"
        )


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _world() -> MarketHistory:
    rng = np.random.default_rng(20240108)
    close = rng.uniform(5, 500, SYMBOLS) * np.exp(np.cumsum(rng.normal(0.0003, 0.02, (BARS, SYMBOLS)), axis=0))
    opened = close * np.exp(rng.normal(0, 0.005, close.shape))
    days = np.busday_offset(np.datetime64("2022-01-10"), np.arange(BARS)).astype("datetime64[D]")
    names = tuple(Symbol(f"S{number:03d}") for number in range(SYMBOLS))
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return MarketHistory(days, names, opened, high, low, close, np.full(close.shape, 1e6))


def _ours(history: MarketHistory, fill: FillAt) -> FloatMatrix:
    return sweep(history, [SmaCross(fast, slow) for fast, slow in SETS], fee=FEE, fill=fill)


def _vectorbt(history: MarketHistory) -> Peer | None:
    vbt = _installed("vectorbt")
    if vbt is None:
        return None
    fast, slow = ([one[place] for one in SETS] for place in (0, 1))

    def run() -> FloatMatrix:
        held = vbt.MA.run(history.close, window=fast).ma.values > vbt.MA.run(history.close, window=slow).ma.values
        prices = np.tile(history.close, (1, len(SETS)))
        accounts = vbt.Portfolio.from_signals(prices, held, ~held, fees=FEE, init_cash=1.0, freq="1D")
        return np.asarray(accounts.final_value()).reshape(len(SETS), SYMBOLS)

    name = f"vectorbt {importlib.metadata.version('vectorbt')}"
    return (
        name,
        lambda: _must_agree(name, _ours(history, FillAt.SAME_CLOSE), run(), 1e-9),
        run,
        BARS * SYMBOLS * len(SETS),
    )


def _backtesting(history: MarketHistory) -> Peer | None:
    library = _installed("backtesting")
    if library is None:
        return None
    frames = [_bars(history, column) for column in range(FEW_SYMBOLS)]
    rules = [_rule(library, fast, slow) for fast, slow in SETS[:FEW_SETS]]

    def run() -> FloatMatrix:
        left = [
            [library.Backtest(frame, rule, cash=CASH, commission=FEE).run()["Equity Final [$]"] for frame in frames]
            for rule in rules
        ]
        return np.array(left) / CASH

    name, few = f"backtesting.py {importlib.metadata.version('backtesting')}", (slice(FEW_SETS), slice(FEW_SYMBOLS))
    return (
        name,
        lambda: _must_agree(name, _ours(history, FillAt.NEXT_OPEN)[few], run(), 1e-6),
        run,
        BARS * FEW_SYMBOLS * FEW_SETS,
    )


def _bars(history: MarketHistory, column: int) -> pd.DataFrame:
    fields = {
        name.capitalize(): getattr(history, name)[:, column] for name in ("open", "high", "low", "close", "volume")
    }
    return pd.DataFrame(fields, index=pd.DatetimeIndex(history.sessions))


def _rule(library: Any, fast: int, slow: int) -> type:
    """Return the cross as its own strategy class; means are 0 until they are known, so that no bar is skipped."""

    def mean(close: Any, window: int) -> np.ndarray:
        return pd.Series(np.asarray(close)).rolling(window).mean().fillna(0.0).to_numpy()

    class Cross(library.Strategy):
        def init(self) -> None:
            self.fast, self.slow = (self.I(mean, self.data.Close, window) for window in (fast, slow))

        def next(self) -> None:
            above = self.slow[-1] > 0 and self.fast[-1] > self.slow[-1]
            if above and not self.position:
                self.buy()
            elif not above and self.position:
                self.position.close()

    return Cross


def _must_agree(name: str, ours: FloatMatrix, theirs: FloatMatrix, tolerance: float) -> None:
    worst = float(np.max(np.abs(ours / theirs - 1)))
    if not worst <= tolerance:
        raise SystemExit(f"{name} comes to other answers, up to {worst:.2g} apart: there is nothing to compare")
    print(f"{name}: {ours.size:,} accounts agree to {worst:.1g}")


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed: not compared")
        return None


def _cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


if __name__ == "__main__":
    main()
