"""How much CPU a tournament takes: five strategies × ten parameter sets × two windows.

    python benchmarks/tournament.py [REPEATS]

Prices from a seeded random walk, 800 sessions; windows of 90 and 504 sessions after costs, with everything that comes
before a rotation: the opinions, the portfolios, the measures and the ranking. Two sides in turn (5 A, B, 5 A, B …),
medians of CPU seconds:

* A: `trading_bot.tournament`; targets at most 350 ms for 500 symbols and 50 ms for 30.
* B: the same opinions, then the same portfolios session by session, as a plain loop would do it.

Total returns of both must agree to 1e-9, or the benchmark stops. What the opinions alone take is told, too.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trading_bot.domain.market import FloatMatrix, MarketHistory, Symbol
from trading_bot.domain.merit import ranked
from trading_bot.domain.ports import Strategy
from trading_bot.domain.sharing import sharing
from trading_bot.domain.tournament import Candidate, Criterion, Score
from trading_bot.strategies.registry import STRATEGIES
from trading_bot.tournament.grid import expand
from trading_bot.tournament.scoring import WINDOWS, ScoringTerms, score

SESSIONS, SEEN = 800, max(WINDOWS) + 2 + ScoringTerms().lead_in
GRIDS: Mapping[str, Mapping[str, list[Any]]] = {  # ten sets each
    "sma_cross": {"fast": [5, 10, 15, 20, 30], "slow": [50, 100]},
    "rsi_reversion": {"period": [7, 14], "oversold": [20, 25, 30, 35, 40]},
    "momentum": {"lookback": [63, 126, 189, 231, 252], "top": [0.1, 0.3]},
    "bollinger_reversion": {"window": [10, 15, 20, 25, 30], "width": [1.5, 2.0]},
    "donchian_breakout": {"entry": [20, 30, 40, 55, 70], "exit": [10, 15]},
}
TARGETS_MS = {500: 350.0, 30: 50.0}


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    candidates = [one for name, grid in GRIDS.items() for one in expand(name, grid, STRATEGIES.build).candidates]
    built = {one.label: STRATEGIES.build(one.name, one.options) for one in candidates}

    def build(name: str, options: Mapping[str, Any]) -> Strategy:
        return built[Candidate(name, options).label]

    for symbols, target in TARGETS_MS.items():
        history = _world(symbols)
        scores = _tournament(history, candidates, build)
        _must_agree(scores, _loop(history, candidates, build))
        ours, loop, thinking = [], [], []
        for _ in range(repeats):
            ours += [_cpu(lambda: _tournament(history, candidates, build)) for _ in range(5)]  # noqa: B023
            thinking += [_cpu(lambda: _opinions(history, candidates, build)) for _ in range(5)]  # noqa: B023
            loop.append(_cpu(lambda: _loop(history, candidates, build)))  # noqa: B023
        _report(
            symbols, len(candidates), target, *(statistics.median(times) * 1000 for times in (ours, thinking, loop))
        )


def _report(symbols: int, candidates: int, target: float, ours: float, thinking: float, loop: float) -> None:
    met = "met" if ours <= target else "MISSED"
    print(f"{symbols} symbols, {candidates} candidates: {ours:.0f} ms of CPU (target {target:g}: {met})")
    print(
        f"  of it, the opinions alone: {thinking:.0f} ms; session by session: {loop:,.0f} ms, {loop / ours:.1f} times"
    )


def _tournament(history: MarketHistory, candidates: list[Candidate], build: Any) -> tuple[Score, ...]:
    scores = score(history, candidates, build)
    ranked(scores, Criterion.SHARPE)
    return scores


def _opinions(history: MarketHistory, candidates: list[Candidate], build: Any) -> None:
    seen = history.rows(slice(-SEEN, None))
    with sharing():
        for candidate in candidates:
            build(candidate.name, candidate.options).opinion(seen)


def _loop(history: MarketHistory, candidates: list[Candidate], build: Any) -> dict[tuple[str, int], float]:
    """Return total returns by label and window."""
    seen, found = history.rows(slice(-SEEN, None)), {}
    for candidate in candidates:
        returns = _traded(seen, build(candidate.name, candidate.options).opinion(seen).exposure)
        for window in WINDOWS:
            found[candidate.label, window] = float(np.prod([1 + one for one in returns[-window:]])) - 1
    return found


def _traded(history: MarketHistory, exposure: FloatMatrix) -> list[float]:
    """Return the return of each session: parts decided at a close are in place from the next open on."""
    width = exposure.shape[1]
    parts, dollars, cash, worth = np.zeros(width), np.zeros(width), 1.0, 1.0
    returns: list[float] = []
    for row in range(1, len(exposure)):
        dollars *= history.open[row] / history.close[row - 1]
        wanted = np.maximum(exposure[row - 1], 0.0) / width
        equity = (cash + dollars.sum()) * (1 - np.abs(wanted - parts).sum() * ScoringTerms().cost_bps / 10_000)
        parts, dollars = wanted, equity * wanted
        cash = equity - dollars.sum()
        dollars *= history.close[row] / history.open[row]
        worth, before = cash + dollars.sum(), worth
        returns.append(worth / before - 1)
    return returns


def _must_agree(scores: tuple[Score, ...], loop: dict[tuple[str, int], float]) -> None:
    worst = max(abs(one.total_return - loop[one.candidate.label, one.window]) for one in scores)
    if not worst <= 1e-9:
        raise SystemExit(f"the two sides differ by {worst:.2g}: there is nothing to compare")
    print(f"{len(scores)} total returns agree to {worst:.1g}")


def _world(symbols: int) -> MarketHistory:
    rng = np.random.default_rng(20240108)
    close = rng.uniform(5, 500, symbols) * np.exp(np.cumsum(rng.normal(0.0003, 0.02, (SESSIONS, symbols)), axis=0))
    opened = close * np.exp(rng.normal(0, 0.005, close.shape))
    spread = np.exp(np.abs(rng.normal(0, 0.005, close.shape)))
    days = np.busday_offset(np.datetime64("2021-01-11"), np.arange(SESSIONS)).astype("datetime64[D]")
    names = tuple(Symbol(f"S{number:03d}") for number in range(symbols))
    high, low = np.maximum(opened, close) * spread, np.minimum(opened, close) / spread
    return MarketHistory(days, names, opened, high, low, close, np.full(close.shape, 1e6))


def _cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


if __name__ == "__main__":
    main()
