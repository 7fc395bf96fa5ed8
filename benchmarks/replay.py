"""How fast the past is traded again, risk rules and decision records on, beside engines that have neither.

    python benchmarks/replay.py [REPEATS]

20 packaged stocks, 2012-12-03 to 2022-12-28 (2,536 sessions), sma_cross 20/50. Sides in turn (A, B, C, D, A, B, …),
medians of CPU seconds, as symbol·bars a second; garbage is looked for as seldom as in the commands, for all sides:

* A: `trading_bot.backtest.replay` with limits that never bind, so that it holds whatever the strategy wants, as the
  peers do; targets at least 1 × backtesting.py and 2.5 × backtrader. Each session takes every step of a live cycle.
  Every rule is asked; the one for correlations has nothing to work out, as its limit is the number of stocks.
* B: the same with the default limits, where some eleven wishes a session are refused, each with a record of why.
* C: backtesting.py, one run for each stock: it knows a single one.
* D: backtrader, all stocks in one run.

The peers are no dependencies of this project; one that is not installed is skipped with a word:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install . backtesting==0.6.6 backtrader==1.9.78.123
    PYTHONPATH=. /tmp/peers/bin/python benchmarks/replay.py
"""

from __future__ import annotations

import gc
import importlib
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd

from trading_bot.backtest.replay import Question, open_desk, replay
from trading_bot.cli.start import SELDOM
from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.hours import TradingHours

FIRST, LAST, CASH, FEE = date(2012, 12, 3), date(2022, 12, 28), 100_000, 0.0005
FAST, SLOW = 20, 50
NEVER_BINDS = {
    "max_open_trades": 20,
    "max_correlated_positions": 20,
    "max_portfolio_risk": 1,
    "max_sector_allocation": 1,
    "max_risk_pct": 1,
    "portfolio_stop_loss_pct": 1,
    "position_stop_pct": 1,
    "daily_loss_pct": 1,
    "weekly_loss_pct": 1,
    "monthly_loss_pct": 1,
    "stop_guard_stops": 0,
    "cooldown_sessions": 0,
    "low_profit_trades": 0,
}
TARGETS = {"backtesting": 1.0, "backtrader": 2.5}

Run = Callable[[], object]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    warnings.simplefilter("ignore")  # the peers' own
    gc.set_threshold(SELDOM)
    free, limited = _question(NEVER_BINDS), _question({})
    frames = _frames(free)
    runs: dict[str, Run] = {"replay": lambda: replay(free), "replay, default limits": lambda: replay(limited)}
    for name, peer in (("backtesting", _backtesting), ("backtrader", _backtrader)):
        if (run := peer(frames)) is not None:
            runs[name] = run
    for run in runs.values():
        run()  # warm
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            taken[name].append(_cpu(run))
    _report({name: statistics.median(times) for name, times in taken.items()}, bars=len(frames) * len(frames[0]))


def _report(seconds: dict[str, float], *, bars: int) -> None:
    for name, taken in seconds.items():
        print(f"{name}: {taken:.2f} s of CPU, {bars / taken:,.0f} symbol·bars/s")
    for name, target in TARGETS.items():
        if name in seconds:
            ratio = seconds[name] / seconds["replay"]
            print(f"replay is {ratio:.2f} x {name} (target {target:g}: {'met' if ratio >= target else 'MISSED'})")
        else:
            print(f"{name} is not installed: left out")


def _question(limits: dict[str, Any]) -> Question:
    team = [{"name": "sma_cross", "options": {"fast": FAST, "slow": SLOW}}]
    settings = TradingBotSettings.model_validate({"strategy": {"team": team}, "risk": limits})
    return Question(settings, FIRST, LAST, "sma_cross")


def _frames(question: Question) -> list[pd.DataFrame]:
    """Return open, high, low, close and volume of each stock; the packaged prices are closes."""
    past = open_desk(question, TradingHours()).data
    raw = past.raw
    rows = raw.sessions.searchsorted(past.days)
    index = pd.DatetimeIndex(past.days)
    closes = [raw.close[rows, column] for column in range(len(raw.symbols))]
    return [pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), c) | {"Volume": 1.0}, index) for c in closes]


def _cpu(run: Run) -> float:
    gc.collect()  # what the side before has left behind is not this one's work
    start = time.process_time()
    run()
    return time.process_time() - start


def _backtesting(frames: list[pd.DataFrame]) -> Run | None:
    try:
        engine, lib = importlib.import_module("backtesting"), importlib.import_module("backtesting.lib")
    except ModuleNotFoundError:
        return None
    vars(importlib.import_module("backtesting.backtesting"))["_tqdm"] = lambda steps, **_: steps  # no progress bar

    class Cross(engine.Strategy):
        def init(self) -> None:
            self.fast = self.I(lambda v: pd.Series(v).rolling(FAST).mean(), self.data.Close)
            self.slow = self.I(lambda v: pd.Series(v).rolling(SLOW).mean(), self.data.Close)

        def next(self) -> None:
            if lib.crossover(self.fast, self.slow):
                self.buy()
            elif lib.crossover(self.slow, self.fast):
                self.position.close()

    def run() -> None:
        for frame in frames:
            engine.Backtest(frame, Cross, cash=CASH, commission=FEE, finalize_trades=True).run()

    return run


def _backtrader(frames: list[pd.DataFrame]) -> Run | None:
    try:
        engine = importlib.import_module("backtrader")
    except ModuleNotFoundError:
        return None

    class Cross(engine.Strategy):
        def __init__(self) -> None:
            mean = engine.ind.SMA
            self.cross = {
                d: engine.ind.CrossOver(mean(d.close, period=FAST), mean(d.close, period=SLOW)) for d in self.datas
            }

        def next(self) -> None:
            for data, cross in self.cross.items():
                if cross[0] > 0:
                    self.order_target_percent(data, target=0.05)
                elif cross[0] < 0:
                    self.close(data)

    def run() -> None:
        cerebro = engine.Cerebro()
        cerebro.broker.setcash(CASH)
        cerebro.broker.setcommission(FEE)
        for frame in frames:
            cerebro.adddata(engine.feeds.PandasData(dataname=frame))
        cerebro.addstrategy(Cross)
        cerebro.run()

    return run


if __name__ == "__main__":
    main()
