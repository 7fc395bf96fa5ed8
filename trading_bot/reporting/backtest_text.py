"""A backtest in a terminal: what became of the money, against what, at what risk, and what to doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import Figures, figures
from trading_bot.domain.honesty import notes_about
from trading_bot.domain.trade_figures import Attribution
from trading_bot.domain.words import counted, dollars, listed, one_line, signed_dollars
from trading_bot.reporting.backtest_rows import UNKNOWN, figure_rows, hashes, points
from trading_bot.reporting.columns import HEAD, beside

MOST_RULES = 4  # named in a sentence
MOST_STRATEGIES = 8  # with a line of their own


def backtest_text(result: BacktestResult) -> str:
    """Return the result in at most 80 columns; only a setting's value without blanks may be longer."""
    found = figures(result)
    say = {row.name: row.text for row in figure_rows(found)}
    parts = [
        beside("Backtest", [f"{one_line(result.label)}, {result.engine} engine", _period(found)]),
        beside("Result", _result(found, say)),
        beside("Benchmark", _benchmark(found, say)),
        beside("Risk", _risk(found, say)),
        beside("Drawdown", [_drawdown(found, say)]),
        beside("Invested", _invested(found, say)),
        beside("Trades", _trades(found, say)),
        beside("Strategies", _strategies(found.attribution)),
        beside("Decisions", _decisions(result)),
        beside("Notes", [f"- {one_line(note)}" for note in notes_about(result, found)], under="  "),
        beside("Settings", [f"{one_line(name)} = {one_line(value)}" for name, value in result.settings.items()]),
        "\n".join(f"{f'{name} hash':<{HEAD}}{one_line(value)}" for name, value in hashes(result)),
    ]
    return "\n\n".join(filter(None, parts))


def headline(result: BacktestResult) -> str:
    """Return the result in one line."""
    found = figures(result)
    total = next(row.text for row in figure_rows(found) if row.name == "return.total")
    return f"{one_line(result.label)}, {_period(found)}: {total}, {dollars(found.closing)}"


def _period(found: Figures) -> str:
    if not found.sessions:
        return "no session"
    return f"{found.first} to {found.last}, {counted(found.sessions, 'session')}"


def _result(found: Figures, say: Mapping[str, str]) -> list[str]:
    return [
        f"{say['return.total']}: {dollars(found.opening)} became {dollars(found.closing)} ({say['profit.total']})",
        f"{say['return.annual_sessions']} a year by sessions, {say['return.annual_calendar']} by calendar",
    ]


def _benchmark(found: Figures, say: Mapping[str, str]) -> list[str]:
    index = found.benchmark
    if index is None:
        return ["none is known"]
    words = "" if index.ahead is None else f": {points(index.ahead)}"
    return [
        f"{one_line(index.name)} made {say['benchmark.return']}, {say['benchmark.annual_sessions']} a year{words}",
        f"its Sharpe ratio {say['benchmark.sharpe']}, its deepest drawdown {say['benchmark.drawdown']}",
        f"alpha {say['benchmark.alpha']} a year, beta {say['benchmark.beta']}",
    ]


def _risk(found: Figures, say: Mapping[str, str]) -> list[str]:
    tail = found.risk.value_at_risk is not None
    lines = [
        f"Sharpe ratio {say['risk.sharpe']} ± {say['risk.sharpe_error']}, Sortino {say['risk.sortino']}, "
        f"Calmar {say['risk.calmar']}",
        f"volatility {say['risk.volatility']} a year, of losses alone {say['risk.downside_deviation']}",
        f"one session in 20 loses {say['risk.value_at_risk']} or more, {say['risk.expected_shortfall']} on average",
    ]
    return lines if tail else lines[:-1]


def _drawdown(found: Figures, say: Mapping[str, str]) -> str:
    fall = found.drawdown
    if fall is None:
        return "unknown"
    if not fall.depth:
        return "none: equity never fell"
    end = f"recovered on {fall.recovered}" if fall.recovered else "not recovered yet"
    began = fall.began or "the opening"
    return f"{say['drawdown.max']} from {began} to {fall.bottom}, {end} ({counted(fall.sessions, 'session')})"


def _invested(found: Figures, say: Mapping[str, str]) -> list[str]:
    return [
        f"{say['exposure.mean']} of equity on average, on {say['exposure.invested']} of the sessions",
        f"turnover {say['exposure.turnover']} a year, {counted(found.executions, 'execution')}, "
        f"fees {say['costs.fees']}",
    ]


def _trades(found: Figures, say: Mapping[str, str]) -> list[str]:
    trades = found.trades
    still = f"{counted(trades.open, 'trade')} still open: {say['trades.open_profit']}" if trades.open else ""
    if not trades.closed:
        return [still or "none"]
    lines = [
        f"{trades.closed:,} closed, {say['trades.hit_rate']} gained; held for {say['trades.sessions']} sessions each",
        f"a trade brings {say['trades.expectancy']}: a win {say['trades.average_win']}, "
        f"a loss {say['trades.average_loss']}",
        f"profit factor {say['trades.profit_factor']}, best {say['trades.best']}, worst {say['trades.worst']}",
        still,
    ]
    return [line for line in lines if line]


def _strategies(attribution: Sequence[Attribution]) -> list[str]:
    shown = attribution[:MOST_STRATEGIES]
    lines = [
        f"{one_line(each.strategy)}: {UNKNOWN if each.total is None else signed_dollars(each.total)}, "
        f"{each.closed:,} closed, {each.open:,} open"
        for each in shown
    ]
    return [*lines, f"and {len(attribution) - len(shown):,} more"] if len(shown) < len(attribution) else lines


def _decisions(result: BacktestResult) -> list[str]:
    if not result.decisions:
        return []
    made = ", ".join(f"{number:,} {one_line(outcome)}" for outcome, number in result.decisions.items())
    rules = sorted(result.rejections.items(), key=lambda rule: (-rule[1], rule[0]))
    refused = listed((f"{rule} {number:,}" for rule, number in rules), most=MOST_RULES)
    return [made, f"rejected by {refused}"] if rules else [made]
