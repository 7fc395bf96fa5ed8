"""The tables of a backtest's page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from trading_bot.domain.backtest import BacktestResult, Execution
from trading_bot.domain.curves import MonthReturn, YearReturn, years_of
from trading_bot.domain.figures import Figures
from trading_bot.domain.money import ZERO
from trading_bot.domain.orders import Side
from trading_bot.domain.round_trips import OpenTrade, RoundTrip
from trading_bot.domain.trade_figures import Attribution, TradeFigures
from trading_bot.domain.words import counted, dollars, price_text, shares_text, signed_dollars
from trading_bot.reporting.backtest_rows import MONTHS, UNKNOWN, figure_rows, hashes, signed
from trading_bot.reporting.html import Html, joined, row, table, tag

SHOWN = 15  # closed trades that are open to the eye; the others unfold
MOST_TRADES = 1_000  # the newest; a phone shall still open the page, and the JSON has all
MOST_EXECUTIONS = 200  # the newest, with their reasons
_FULL_COLOUR = 0.10  # a month of ±10 % has it


def figures_table(found: Figures) -> Html:
    """Return every figure under its heading."""
    groups = groupby(figure_rows(found), key=lambda each: each.group)
    cards = (
        tag(
            "section",
            tag("h3", heading),
            tag("dl", *(tag("div", tag("dt", each.label), tag("dd", each.text)) for each in rows)),
            class_="card",
        )
        for heading, rows in groups
        if heading != "Benchmark" or found.benchmark
    )
    return tag("div", *cards, class_="cards")


def months_table(months: Sequence[MonthReturn]) -> Html:
    """Return a row for each year: its months, coloured by what they brought, and the year."""
    return table(("", *MONTHS, "Year"), map(_year, years_of(months)), ("year", *[""] * 12, "total"), name="months")


def attribution_table(attribution: Sequence[Attribution], unattributed: Decimal | None) -> Html:
    """Return what each strategy brought, with a bar."""
    largest = max((abs(each.total or ZERO) for each in attribution), default=ZERO)
    heads = ("Strategy", "Closed", "Hit rate", "Profit", "Still open", "Fees", "Together", "")
    classes = (
        "name",
        "number wide",
        "number wide",
        "number widest",
        "number widest",
        "number widest",
        "number",
        "bars",
    )
    rows = [row(_attributed(each, largest), classes) for each in attribution]
    if unattributed:
        rows.append(row(("Rounding of prices", *[None] * 5, signed_dollars(unattributed), None), classes))
    return table(heads, rows, classes)


def closed_trades(trades: Sequence[RoundTrip], counts: TradeFigures) -> Html:
    """Return the closed trades, the newest first, with their totals; those of long ago unfold."""
    newest = [row(_closed(trade), _CLOSED_CLASSES) for trade in reversed(trades[-MOST_TRADES:])]
    fees = sum((trade.fees for trade in trades), ZERO)
    rate = "" if counts.hit_rate is None else f"{counts.hit_rate:.0%} gained"
    total = (
        counted(counts.closed, "trade"),
        None,
        rate,
        *[None] * 4,
        dollars(fees),
        _coloured(counts.profit),
        None,
        None,
    )
    shown = table(_CLOSED_HEADS, newest[:SHOWN], _CLOSED_CLASSES, foot=row(total, _CLOSED_CLASSES))
    hidden = newest[SHOWN:]
    if not hidden:
        return shown
    left_out = f" and {len(trades) - MOST_TRADES:,} more in the JSON" if len(trades) > MOST_TRADES else ""
    unfolded = tag("details", tag("summary", f"{counted(len(hidden), 'earlier trade')}{left_out}"), _more(hidden))
    return joined((shown, unfolded))


def open_trades(trades: Sequence[OpenTrade]) -> Html:
    """Return what is still held."""
    heads = ("Symbol", "Opened", "Sessions", "Shares", "Fees", "Profit", "Wanted by")
    classes = ("name", "date", "number wide", "number", "number widest", "number", "wide")
    return table(heads, [row(_open(trade), classes) for trade in trades], classes)


def executions_table(executions: Sequence[Execution]) -> Html:
    """Return the newest executions with their reasons, folded."""
    newest = executions[: -MOST_EXECUTIONS - 1 : -1]
    heads = ("Session", "Execution", "Price", "Fee", "Wanted by", "Why")
    classes = ("date", "name", "number wide", "number wide", "widest", "why")
    rows = (row(_executed(done), classes) for done in newest)
    left_out = "" if len(newest) == len(executions) else f", the newest {len(newest):,}"
    return tag(
        "details",
        tag("summary", f"{counted(len(executions), 'execution')} with their reasons{left_out}"),
        table(heads, rows, classes),
    )


def settings_table(result: BacktestResult) -> Html:
    """Return what was asked, and the hashes of what the result depends on."""
    asked = [row((name, value), ("name", "code")) for name, value in result.settings.items()]
    kept = [row((f"{name} hash", value), ("name", "code")) for name, value in hashes(result)]
    decided = [(f"signals {name}", f"{number:,}") for name, number in result.decisions.items()]
    refused = [(f"rejected by {name}", f"{number:,}") for name, number in result.rejections.items()]
    counts = [row(pair, ("name", "code")) for pair in (*decided, *refused)]
    parts = [("Settings", asked), ("Decisions", counts), ("Hashes: equal ones give equal results", kept)]
    return joined(
        joined((tag("h3", heading), table(("", ""), rows, ("name", "code"), name="pairs")))
        for heading, rows in parts
        if rows
    )


_CLOSED_HEADS = (
    *("Symbol", "Opened", "Closed", "Sessions", "Shares", "Entry", "Exit", "Fees", "Profit", "Gain"),
    "Wanted by, ended by",
)
_CLOSED_CLASSES = (
    *("name", "date wide", "date", "number wide", "number widest", "number widest", "number widest", "number widest"),
    *("number", "number", "widest"),
)


def _more(rows: Sequence[Html]) -> Html:
    return table(_CLOSED_HEADS, rows, _CLOSED_CLASSES)


def _year(year: YearReturn) -> Html:
    values = {month.month: month.value for month in year.months}
    cells = [_heat(values.get(number)) for number in range(1, 13)]
    return tag(
        "tr", tag("th", str(year.year), class_="year"), *cells, tag("td", _short_percent(year.value), class_="total")
    )


def _heat(value: float | None) -> Html:
    if value is None:
        return tag("td")
    strength = min(abs(value) / _FULL_COLOUR, 1.0)
    return tag("td", _short_percent(value), class_=_direction(value), style=f"--v:{strength:.2f}")


def _short_percent(share: float) -> str:
    """Return a percentage in four letters: so many fit on a phone."""
    return f"{share * 100:z.1f}" if abs(share) < 0.0995 else f"{share * 100:z.0f}"


def _direction(value: float | Decimal) -> str:
    return "gain" if value > 0 else "loss" if value < 0 else ""


def _coloured(amount: Decimal | None) -> Html:
    if amount is None:
        return tag("span", UNKNOWN)
    return tag("span", signed_dollars(amount), class_=_direction(amount) or None)


def _attributed(each: Attribution, largest: Decimal) -> list[Html | str | None]:
    total = each.total
    width = float(abs(total) / largest) if total is not None and largest else 0.0
    bar = tag("i", class_=f"bar {_direction(total or ZERO)}", style=f"width:{width:.1%}")
    return [
        each.strategy.replace("+", " + "),
        f"{each.closed:,}",
        UNKNOWN if each.hit_rate is None else f"{each.hit_rate:.0%}",
        _coloured(each.profit),
        _coloured(each.open_profit) if each.open else None,
        dollars(each.fees),
        _coloured(total),
        bar,
    ]


def _closed(trade: RoundTrip) -> list[Html | str | None]:
    return [
        _named(trade.symbol, trade.side),
        str(trade.opened),
        str(trade.closed),
        f"{trade.sessions:,}",
        shares_text(trade.shares),
        price_text(trade.entry_price),
        price_text(trade.exit_price),
        dollars(trade.fees),
        _coloured(trade.profit),
        UNKNOWN if trade.gain is None else tag("span", signed(trade.gain), class_=_direction(trade.gain) or None),
        _who(trade.strategy, trade.ended_by),
    ]


def _who(opened: str, ended: str) -> str:
    return opened if opened == ended else f"{opened}, {ended}"


def _open(trade: OpenTrade) -> list[Html | str | None]:
    return [
        _named(trade.symbol, trade.side),
        str(trade.opened),
        f"{trade.sessions:,}",
        shares_text(trade.quantity),
        dollars(trade.fees),
        _coloured(trade.profit),
        trade.strategy,
    ]


def _named(symbol: str, side: Side) -> str:
    return symbol if side is Side.BUY else f"{symbol} (short)"


def _executed(done: Execution) -> list[Html | str | None]:
    words = f"{done.side} {shares_text(done.quantity)} {done.symbol}"
    return [str(done.session), words, price_text(done.price), dollars(done.fee), done.strategy, done.reason]
