"""The pictures of a backtest."""

from __future__ import annotations

from dataclasses import dataclass

from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import ROLLING, Figures
from trading_bot.domain.words import one_line
from trading_bot.reporting.charts import Chart, Line, chart, wants_logarithm


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, and what stands around it."""

    heading: str
    caption: str  # one sentence that says how to read it
    chart: Chart
    tall: bool = False


def pictures(result: BacktestResult, found: Figures) -> tuple[Picture, ...]:
    """Return equity against the benchmark, drawdown, exposure, and the rolling Sharpe ratio where there is one."""
    sessions, courses = result.sessions, found.courses
    falls = Line("Drawdown", "fall", -courses.falls, filled=True)
    invested = Line("Invested", "invested", courses.exposures, filled=True)
    ratios = Line("Sharpe ratio", "ours", courses.rolling_sharpe)
    ratio_chart = chart("Rolling Sharpe ratio", sessions, [ratios], lambda ratio: f"{ratio:.1f}")
    return (
        _equity(result, found),
        Picture(
            "Drawdown",
            "How far equity is below its highest so far.",
            chart("Drawdown", sessions, [falls], _percent),
        ),
        Picture(
            "Exposure",
            "What is in positions as a share of equity, long and short added up.",
            chart("Exposure", sessions, [invested], _percent),
        ),
        *([Picture("Sharpe ratio", _ROLLED, ratio_chart)] if ratio_chart.strokes else []),
    )


_ROLLED = f"Of the last {ROLLING} sessions, half a year. So short a span is mostly weather: look at how far it swings."


def compact_dollars(amount: float) -> str:
    """Return dollars with three digits at most and a letter: `$1.5M`, `$250k`, `-$20`."""
    sign, size = "-" if amount < 0 else "", abs(amount)
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{sign}${size / unit:.4g}{letter}"
    return f"{sign}${size:.4g}"


def _equity(result: BacktestResult, found: Figures) -> Picture:
    lines = [Line("This backtest", "ours", result.equity)]
    if found.benchmark:
        lines.append(Line(one_line(found.benchmark.name), "index", found.benchmark.worth))
    logarithmic = wants_logarithm(lines)
    caption = "Dollars after each session."
    if found.benchmark:
        caption = "Dollars after each session, and the same opening put into the benchmark at its first close."
    if logarithmic:
        caption += " Logarithmic: equal changes in per cent are equally high."
    return Picture(
        "Equity", caption, chart("Equity", result.sessions, lines, compact_dollars, logarithmic=logarithmic), tall=True
    )


def _percent(share: float) -> str:
    return f"{share * 100:.4g}%"
