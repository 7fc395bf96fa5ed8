"""Every figure of a backtest by its name, its label and its words. `docs/backtest-report.md` explains each.

The names are a promise to whoever reads the JSON: they are added to, never renamed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import BenchmarkFigures, DrawdownFigures, Figures
from trading_bot.domain.words import dollars, signed_dollars

Value = float | int | Decimal | date | None
Part = TypeVar("Part")

UNKNOWN = "–"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    group: str  # heading it stands under
    name: str  # dotted, for machines
    label: str  # for people
    value: Value
    text: str  # the value in words; a dash where it could not be computed


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    label: str
    value: Callable[[Figures], Value]
    say: Callable[..., str]


def figure_rows(found: Figures) -> tuple[Row, ...]:
    """Return every figure in the order it is shown in."""
    return tuple(
        Row(group, entry.name, entry.label, value, UNKNOWN if value is None else entry.say(value))
        for group, entries in _GROUPS.items()
        for entry in entries
        for value in [entry.value(found)]
    )


def hashes(result: BacktestResult) -> tuple[tuple[str, str], ...]:
    """Return what the result depends on, by name: equal hashes give equal results."""
    kept = result.fingerprints
    return ("Data", kept.data), ("Code", kept.code), ("Settings", kept.settings)


def points(ahead: float) -> str:
    """Return `0.50 points behind`: a difference of two returns; whole points from a hundred on."""
    size = abs(ahead) * 100
    return f"{size:,.{0 if size >= 100 else 2}f} points {'behind' if ahead < 0 else 'ahead'}"


def percent(share: float) -> str:
    """Return `12.34%`."""
    return f"{share:z,.2%}"


def signed(share: float) -> str:
    """Return `+12.34%`."""
    return f"{share:+z,.2%}"


def ratio(number: float) -> str:
    """Return `1.23`."""
    return f"{number:z,.2f}"


def count(number: int) -> str:
    """Return `1,234`."""
    return f"{number:,}"


def _one_digit(number: float) -> str:
    return f"{number:z,.1f}"


def _times(number: float) -> str:
    return f"{number:,.2f}×"


def _fall(read: Callable[[DrawdownFigures], Value]) -> Callable[[Figures], Value]:
    return lambda found: read(found.drawdown) if found.drawdown else None


def _index(read: Callable[[BenchmarkFigures], Value]) -> Callable[[Figures], Value]:
    return lambda found: read(found.benchmark) if found.benchmark else None


_GROUPS: dict[str, tuple[_Entry, ...]] = {
    "Result": (
        _Entry("period.sessions", "Sessions", lambda f: f.sessions, count),
        _Entry("period.first", "First session", lambda f: f.first, str),
        _Entry("period.last", "Last session", lambda f: f.last, str),
        _Entry("equity.opening", "Opening equity", lambda f: f.opening, dollars),
        _Entry("equity.closing", "Closing equity", lambda f: f.closing, dollars),
        _Entry("profit.total", "Profit", lambda f: f.profit, signed_dollars),
        _Entry("return.total", "Total return", lambda f: f.returns.total, signed),
        _Entry("return.annual_sessions", "A year, by sessions", lambda f: f.returns.annual_sessions, signed),
        _Entry("return.annual_calendar", "A year, by calendar", lambda f: f.returns.annual_calendar, signed),
        _Entry("return.best_session", "Best session", lambda f: f.returns.best, signed),
        _Entry("return.worst_session", "Worst session", lambda f: f.returns.worst, signed),
    ),
    "Benchmark": (
        _Entry("benchmark.return", "Its total return", _index(lambda b: b.total_return), signed),
        _Entry("benchmark.annual_sessions", "Its return a year", _index(lambda b: b.annual_return), signed),
        _Entry("benchmark.volatility", "Its volatility", _index(lambda b: b.volatility), percent),
        _Entry("benchmark.sharpe", "Its Sharpe ratio", _index(lambda b: b.sharpe), ratio),
        _Entry("benchmark.drawdown", "Its deepest drawdown", _index(lambda b: b.max_drawdown), percent),
        _Entry("benchmark.ahead", "Ahead of it", _index(lambda b: b.ahead), signed),
        _Entry("benchmark.alpha", "Alpha, a year", _index(lambda b: b.alpha), signed),
        _Entry("benchmark.beta", "Beta", _index(lambda b: b.beta), ratio),
    ),
    "Risk": (
        _Entry("risk.volatility", "Volatility", lambda f: f.risk.volatility, percent),
        _Entry("risk.downside_deviation", "Downside deviation", lambda f: f.risk.downside_deviation, percent),
        _Entry("risk.sharpe", "Sharpe ratio", lambda f: f.risk.sharpe, ratio),
        _Entry("risk.sharpe_error", "Its standard error", lambda f: f.risk.sharpe_error, ratio),
        _Entry("risk.sortino", "Sortino ratio", lambda f: f.risk.sortino, ratio),
        _Entry("risk.calmar", "Calmar ratio", lambda f: f.risk.calmar, ratio),
        _Entry("risk.value_at_risk", "Value at risk, 5%", lambda f: f.risk.value_at_risk, percent),
        _Entry("risk.expected_shortfall", "Expected shortfall, 5%", lambda f: f.risk.expected_shortfall, percent),
    ),
    "Drawdown": (
        _Entry("drawdown.max", "Deepest", _fall(lambda d: d.depth), percent),
        _Entry("drawdown.sessions", "Sessions", _fall(lambda d: d.sessions), count),
        _Entry("drawdown.began", "Began", _fall(lambda d: d.began), str),
        _Entry("drawdown.bottom", "Bottom", _fall(lambda d: d.bottom), str),
        _Entry("drawdown.recovered", "Recovered", _fall(lambda d: d.recovered), str),
        _Entry("drawdown.current", "At the end", _fall(lambda d: d.current), percent),
    ),
    "Trades": (
        _Entry("trades.closed", "Closed trades", lambda f: f.trades.closed, count),
        _Entry("trades.wins", "Gained", lambda f: f.trades.wins, count),
        _Entry("trades.losses", "Lost", lambda f: f.trades.losses, count),
        _Entry("trades.hit_rate", "Hit rate", lambda f: f.trades.hit_rate, percent),
        _Entry("trades.profit_factor", "Profit factor", lambda f: f.trades.profit_factor, ratio),
        _Entry("trades.expectancy", "Expectancy", lambda f: f.trades.expectancy, signed_dollars),
        _Entry("trades.mean_gain", "Mean gain", lambda f: f.trades.mean_gain, signed),
        _Entry("trades.average_win", "Average win", lambda f: f.trades.average_win, signed_dollars),
        _Entry("trades.average_loss", "Average loss", lambda f: f.trades.average_loss, signed_dollars),
        _Entry("trades.best", "Best trade", lambda f: f.trades.best, signed_dollars),
        _Entry("trades.worst", "Worst trade", lambda f: f.trades.worst, signed_dollars),
        _Entry("trades.sessions", "Sessions held, mean", lambda f: f.trades.sessions, _one_digit),
        _Entry("trades.profit", "Profit of closed trades", lambda f: f.trades.profit, signed_dollars),
        _Entry("trades.open", "Open trades", lambda f: f.trades.open, count),
        _Entry("trades.open_profit", "Profit of open trades", lambda f: f.trades.open_profit, signed_dollars),
        _Entry("trades.unattributed", "Profit of no trade", lambda f: f.unattributed, signed_dollars),
    ),
    "Exposure and costs": (
        _Entry("exposure.mean", "Invested, mean", lambda f: f.exposure.mean, percent),
        _Entry("exposure.invested", "Sessions invested", lambda f: f.exposure.invested, percent),
        _Entry("exposure.turnover", "Turnover a year", lambda f: f.exposure.turnover, _times),
        _Entry("costs.executions", "Executions", lambda f: f.executions, count),
        _Entry("costs.fees", "Fees", lambda f: f.fees, dollars),
    ),
}
