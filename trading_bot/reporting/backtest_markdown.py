"""A backtest as Markdown, for an artifact: the same numbers and pictures as the page, without its long tables."""

from __future__ import annotations

import base64

from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.curves import YearReturn, years_of
from trading_bot.domain.figures import Figures, figures, trades_in
from trading_bot.domain.honesty import notes_about
from trading_bot.domain.round_trips import RoundTrip
from trading_bot.domain.trade_figures import Attribution
from trading_bot.domain.words import counted, dollars, price_text, shares_text, signed_dollars
from trading_bot.reporting.backtest_charts import Picture, pictures
from trading_bot.reporting.backtest_rows import MONTHS, UNKNOWN, figure_rows, hashes, points, signed
from trading_bot.reporting.chart_svg import chart_svg
from trading_bot.reporting.markdown import escaped, section, table

MOST_TRADES = 20  # the newest closed ones; an artifact is no archive


def backtest_markdown(result: BacktestResult) -> str:
    """Return the result with its pictures, whose bytes are in their addresses."""
    trades = trades_in(result)
    found = figures(result, trades)
    newest = trades.closed[: -MOST_TRADES - 1 : -1]
    left_out = f" (the newest {len(newest)} of {len(trades.closed):,})" if len(newest) < len(trades.closed) else ""
    parts = [
        f"# {escaped(result.label)}",
        _opening(result, found),
        *_notes(result, found),
        *(_picture(each) for each in pictures(result, found)),
        *section("Months, per cent", ("", *MONTHS, "Year"), [_year(each) for each in years_of(found.months)]),
        *section("Who brought it", _ATTRIBUTION_HEADS, [_attributed(each) for each in found.attribution]),
        "## Figures",
        table(("", "Figure", "Value"), [(row.group, row.label, row.text) for row in figure_rows(found)]),
        *section(f"Closed trades{left_out}", _TRADE_HEADS, [_trade(each) for each in newest]),
        *section("What was asked", ("Setting", "Value"), list(result.settings.items())),
        *section("Hashes", ("Of", "SHA-256"), hashes(result)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_ATTRIBUTION_HEADS = ("Strategy", "Closed", "Profit", "Open", "Open profit", "Fees")
_TRADE_HEADS = ("Symbol", "Opened", "Closed", "Sessions", "Shares", "Entry", "Exit", "Profit", "Gain")


def _opening(result: BacktestResult, found: Figures) -> str:
    if not found.sessions:
        return "No session was traded."
    when = f"{found.first} to {found.last}, {counted(found.sessions, 'session')}, {result.engine} engine."
    total = UNKNOWN if found.returns.total is None else signed(found.returns.total)
    money = f"**{total}**: {dollars(found.opening)} became {dollars(found.closing)}."
    index = found.benchmark
    if index is None or index.total_return is None or index.ahead is None:
        return f"{when}  \n{money}"
    return f"{when}  \n{money} {escaped(index.name)} made {signed(index.total_return)}: {points(index.ahead)}."


def _notes(result: BacktestResult, found: Figures) -> list[str]:
    notes = notes_about(result, found)
    return ["## Before you believe it", "\n".join(f"- {escaped(note)}" for note in notes)] if notes else []


def _picture(picture: Picture) -> str:
    drawn = chart_svg(picture.chart, height=300 if picture.tall else 200)
    address = base64.b64encode(drawn.encode()).decode()
    heading = f"## {picture.heading}\n\n{picture.caption}"
    return f"{heading}\n\n![{picture.heading}](data:image/svg+xml;base64,{address})"


def _year(year: YearReturn) -> list[str]:
    values = {month.month: f"{month.value * 100:z.1f}" for month in year.months}
    return [str(year.year), *(values.get(number, "") for number in range(1, 13)), f"{year.value * 100:z.1f}"]


def _attributed(each: Attribution) -> list[str]:
    still = UNKNOWN if each.open_profit is None else signed_dollars(each.open_profit)
    return [each.strategy, f"{each.closed:,}", signed_dollars(each.profit), f"{each.open:,}", still, dollars(each.fees)]


def _trade(trade: RoundTrip) -> list[str]:
    return [
        trade.symbol,
        str(trade.opened),
        str(trade.closed),
        f"{trade.sessions:,}",
        shares_text(trade.shares),
        price_text(trade.entry_price),
        price_text(trade.exit_price),
        signed_dollars(trade.profit),
        UNKNOWN if trade.gain is None else signed(trade.gain),
    ]
