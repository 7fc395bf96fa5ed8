"""A backtest as one HTML file that needs nothing else: no network, no script, dark where the reader likes it dark."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files

from trading_bot.domain.backtest import BacktestResult
from trading_bot.domain.figures import Figures, figures, trades_in
from trading_bot.domain.honesty import notes_about
from trading_bot.domain.round_trips import Trades
from trading_bot.domain.words import counted, dollars, signed_dollars
from trading_bot.reporting.backtest_charts import Picture, pictures
from trading_bot.reporting.backtest_rows import UNKNOWN, figure_rows, points
from trading_bot.reporting.backtest_tables import (
    attribution_table,
    closed_trades,
    executions_table,
    figures_table,
    months_table,
    open_trades,
    settings_table,
)
from trading_bot.reporting.chart_html import chart_html
from trading_bot.reporting.html import Html, raw, tag

NOTHING_FROM_OUTSIDE = (
    "default-src 'none'; style-src 'unsafe-inline'"  # the browser refuses whatever is not in the file
)


def backtest_html(result: BacktestResult) -> str:
    """Return the whole page."""
    trades = trades_in(result)
    found = figures(result, trades)
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        raw(f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_FROM_OUTSIDE}">'),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Backtest: {result.label}"),
        tag("style", raw(files(__package__ or "").joinpath("backtest.css").read_text(encoding="utf-8"))),
    )
    body = tag("main", _header(result, found), _notes(result, found), _tiles(found), *_parts(result, found, trades))
    return f"<!doctype html>\n{tag('html', tag('head', *head), tag('body', body), lang='en')}\n"


def _header(result: BacktestResult, found: Figures) -> Html:
    when = f"{found.first} to {found.last}, {counted(found.sessions, 'session')}" if found.sessions else "no session"
    return tag(
        "header",
        tag("h1", result.label),
        tag(
            "p", f"Backtest, {result.engine} engine: {when}. {dollars(found.opening)} became {dollars(found.closing)}."
        ),
    )


def _notes(result: BacktestResult, found: Figures) -> Html | None:
    notes = notes_about(result, found)
    if not notes:
        return None
    return tag("aside", tag("h2", "Before you believe it"), tag("ul", *(tag("li", note) for note in notes)))


def _tiles(found: Figures) -> Html:
    say = {row.name: row.text for row in figure_rows(found)}
    index = found.benchmark
    tiles = [
        ("Total return", say["return.total"], f"{say['return.annual_sessions']} a year"),
        (index.name, say["benchmark.return"], "" if index.ahead is None else points(index.ahead)) if index else None,
        ("Sharpe ratio", say["risk.sharpe"], f"give or take {say['risk.sharpe_error']}"),
        (
            "Deepest drawdown",
            say["drawdown.max"],
            counted(found.drawdown.sessions, "session") if found.drawdown else "",
        ),
        ("Closed trades", say["trades.closed"], f"{say['trades.hit_rate']} gained"),
        ("A trade brings", _whole_dollars(found.trades.expectancy), f"profit factor {say['trades.profit_factor']}"),
    ]
    return tag("div", *(_tile(*tile) for tile in tiles if tile), class_="tiles")


def _whole_dollars(amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else f"{signed_dollars(amount.quantize(Decimal(1)))[:-3]}"


def _tile(label: str, value: str, below: str) -> Html:
    return tag("div", tag("p", label), tag("strong", value), tag("small", below))


def _parts(result: BacktestResult, found: Figures, trades: Trades) -> list[Html]:
    equity, drawdown, *others = pictures(result, found)
    parts = [
        _pictured(equity),
        _pictured(drawdown),
        _section("Months", "Per cent, from month's end to month's end.", months_table(found.months)),
        *map(_pictured, others),
        _section("Who brought it", _WHO, attribution_table(found.attribution, found.unattributed)),
        _section("All figures", "A dash stands for what cannot be computed.", figures_table(found)),
        _section("Closed trades", _CLOSED, closed_trades(trades.closed, found.trades)),
        _section("Open trades", "At the last prices.", open_trades(trades.open)) if trades.open else None,
        tag("section", executions_table(result.executions)) if result.executions else None,
        _section("What was asked", "", settings_table(result)),
    ]
    return [part for part in parts if part]


_WHO = "A trade belongs to who wanted its beginning: one strategy, or several that wanted the same."
_CLOSED = "From flat to flat, fees taken off; the newest first."


def _pictured(picture: Picture) -> Html:
    return _section(picture.heading, picture.caption, chart_html(picture.chart, tall=picture.tall))


def _section(heading: str, caption: str, content: Html) -> Html:
    return tag("section", tag("h2", heading), tag("p", caption, class_="caption") if caption else None, content)
