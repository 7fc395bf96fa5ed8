"""The metrics under names that stay: for machines, for tables, for people. `docs/metrics.md` explains each.

Money is text to the cent, as in every report; shares, seconds and ratios are numbers. None is what is not known (yet).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from trading_bot.domain.cycle import SkipReason
from trading_bot.domain.money import cents
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.statistics import Statistics, StepDuration
from trading_bot.domain.words import counted as number_of
from trading_bot.domain.words import dollars, signed_dollars
from trading_bot.reporting.performance import Drawdown, Exposure, Performance

Word = TypeVar("Word", bound=str)
MetricValue = str | float | int | None
MetricRow = tuple[str, MetricValue]

FORMAT = 1
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Everything that is measured about a book."""

    statistics: Statistics
    performance: Performance


def metrics_rows(metrics: Metrics) -> tuple[MetricRow, ...]:
    """Return every metric by its dotted name, those of one kind together."""
    counted = metrics.statistics
    return (
        ("since", counted.since.isoformat() if counted.since else None),
        *_sessions(counted.first, counted.newest, metrics.performance.sessions),
        *_counts("cycles", counted.cycles),
        *((f"skips.{reason.value}", counted.skips.get(reason.value, 0)) for reason in SkipReason),
        ("failures.total", counted.failures),
        *(row for step in counted.steps for row in _step(step)),
        *_counts("decisions", counted.decisions),
        *((f"rejections.{rule}", count) for rule, count in sorted(counted.rejections.items())),
        *_counts("orders", counted.orders),
        *_trading(counted),
        ("coverage.mean", counted.coverage),
        ("news.lag_seconds", counted.news_lag),
        *_performance(metrics.performance),
    )


def metrics_as_json(metrics: Metrics) -> str:
    """Return `format` and, under `metrics`, every name with its value."""
    return json.dumps({"format": FORMAT, "metrics": dict(metrics_rows(metrics))}, indent=2, allow_nan=False)


def metrics_as_text(metrics: Metrics) -> str:
    """Return a table for people: one line for each question, and one for each step of the cycle."""
    counted, found = metrics.statistics, metrics.performance
    lines = [
        ("Sessions", _when(counted, found.sessions)),
        ("Profit", _profit(found)),
        ("Risk", _risk(found)),
        ("Drawdown", _drawdown(found.drawdown)),
        ("Invested", _invested(found.exposure)),
        ("Cycles", f"{_listed(counted.cycles)}; {number_of(counted.failures, 'failed run')}"),
        ("Skipped", _listed(counted.skips)),
        ("Decisions", _listed(counted.decisions)),
        ("Refused by", _listed(counted.rejections)),
        ("Orders", _listed(counted.orders)),
        ("Fills", _fills(counted)),
        ("Coverage", _percent(counted.coverage)),
        *([] if counted.news_lag is None else [("News", f"read {counted.news_lag:,.0f} s after they were published")]),
        *((f"{'Steps' if not n else ''}", _duration(step)) for n, step in enumerate(counted.steps)),
    ]
    return "\n".join(f"{head:<11}{text}" for head, text in lines)


def _sessions(first: EquityPoint | None, newest: EquityPoint | None, count: int) -> Iterable[MetricRow]:
    yield "sessions.total", count
    yield "sessions.first", first.session.isoformat() if first else None
    yield "sessions.newest", newest.session.isoformat() if newest else None
    yield "equity.first", f"{cents(first.equity):f}" if first else None
    yield "equity.newest", f"{cents(newest.equity):f}" if newest else None


def _counts(kind: str, counted: Mapping[Word, int]) -> Iterable[MetricRow]:
    yield f"{kind}.total", sum(counted.values())
    for word, count in counted.items():
        yield f"{kind}.{word}", count


def _step(step: StepDuration) -> Iterable[MetricRow]:
    yield f"steps.{step.step}.cycles", step.count
    yield f"steps.{step.step}.median_seconds", step.median
    yield f"steps.{step.step}.p95_seconds", step.p95


def _trading(counted: Statistics) -> Iterable[MetricRow]:
    yield "fills.total", counted.fills
    yield "fees.total", f"{cents(counted.fees):f}"
    yield "slippage.fills", counted.slippage.fills if counted.slippage else 0
    yield "slippage.mean_bps", counted.slippage.bps if counted.slippage else None


def _performance(found: Performance) -> Iterable[MetricRow]:
    yield "pnl.total", None if found.profit is None else f"{cents(found.profit):f}"
    yield "pnl.return", found.total_return
    yield "volatility", found.volatility
    yield "sharpe", found.sharpe
    yield "drawdown.max", found.drawdown.deepest if found.drawdown else None
    yield "drawdown.sessions", found.drawdown.sessions if found.drawdown else None
    yield "drawdown.current", found.drawdown.current if found.drawdown else None
    yield "exposure.gross", found.exposure.gross if found.exposure else None
    yield "exposure.net", found.exposure.net if found.exposure else None


def _when(counted: Statistics, sessions: int) -> str:
    if counted.first is None or counted.newest is None:
        return "none was traded" + (f" since {counted.since}" if counted.since else " yet")
    return f"{sessions:,}, {counted.first.session} to {counted.newest.session}"


def _profit(found: Performance) -> str:
    if found.profit is None:
        return _UNKNOWN
    return f"{signed_dollars(found.profit)} ({_percent(found.total_return, signed=True)})"


def _risk(found: Performance) -> str:
    sharpe = _UNKNOWN if found.sharpe is None else f"{found.sharpe:.2f}"
    return f"volatility {_percent(found.volatility)} a year, Sharpe ratio {sharpe}"


def _drawdown(fall: Drawdown | None) -> str:
    if fall is None:
        return _UNKNOWN
    return (
        f"{_percent(fall.deepest)} over {number_of(fall.sessions, 'session')}; now {_percent(fall.current)} below the "
        "highest"
    )


def _invested(found: Exposure | None) -> str:
    if found is None:
        return _UNKNOWN
    return f"{_percent(found.net)} of equity, long and short added up {_percent(found.gross)}"


def _fills(counted: Statistics) -> str:
    slipped = f", slippage {counted.slippage.bps:+.1f} bps" if counted.slippage else ""
    return f"{counted.fills:,}, fees {dollars(counted.fees)}{slipped}"


def _duration(step: StepDuration) -> str:
    took = f"median {step.median * 1000:,.1f} ms, 95% within {step.p95 * 1000:,.1f} ms"
    return f"{step.step:<24}{took}, {number_of(step.count, 'cycle')}"


def _listed(counted: Mapping[Word, int]) -> str:
    """Return `12 completed, 2 skipped`, the most frequent first; words that never came up are left out."""
    seen = sorted(((-count, str(word)) for word, count in counted.items() if count))
    return ", ".join(f"{-count:,} {word}" for count, word in seen) or "none"


def _percent(share: float | None, *, signed: bool = False) -> str:
    return _UNKNOWN if share is None else f"{share:{'+' if signed else ''}.2%}"
