"""The report as Markdown, for artifacts and files.

Readers render tables and images but neither HTML nor drawings in the text, so the equity curve is an
image with its bytes in the address. Whatever comes from outside is escaped: no reason or symbol can
break a table, add a link or an image.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.orders import Decision, Fill, OrderUpdate
from trading_bot.domain.portfolio import EquityPoint
from trading_bot.domain.words import (
    asked_and_allowed,
    dollars,
    objection,
    one_line,
    or_unknown,
    price_text,
    shares_text,
    signed_dollars,
    verdict,
    wish,
)
from trading_bot.reporting.cash import cash_line
from trading_bot.reporting.metrics import Holding, holdings, moved, since_previous, since_start
from trading_bot.reporting.remarks import remarks
from trading_bot.reporting.svg import equity_svg

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}  # a reader may split cells before it sees a "\\|"
_MARKS = re.compile(r"[\\`*\[\]#~&<>|]|(?<![^\W_])_|_(?![^\W_])|:(?=//)")  # an underscore inside a word is one


def cycle_markdown(report: CycleReport) -> str:
    """Return the whole report: regime, decisions, fills, orders, positions, equity, warnings."""
    parts = [
        f"# Session {report.session}",
        _opening(report),
        "## Decisions",
        _decisions(report.decisions),
        *section("Fills", _FILL_HEADS, [_fill(fill) for fill in report.fills]),
        *section("Orders", _ORDER_HEADS, [_order(update) for update in (*report.orders, *report.settled)]),
        *section("Positions", POSITION_HEADS, [list(row.values()) for row in positions_table(report)]),
        "## Equity",
        _equity(report),
        *_notes(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def positions_table(report: CycleReport) -> list[dict[str, str]]:
    """Return one row per position, every cell as text; `unknown` where there is no price."""
    return [position_row(holding) for holding in holdings(report)]


def position_row(holding: Holding) -> dict[str, str]:
    """Return one position, cell by cell under its heads."""
    return {
        "Symbol": one_line(holding.symbol),
        "Shares": shares_text(holding.quantity),
        "Average price": price_text(holding.average_price),
        "Last price": or_unknown(holding.price, price_text),
        "Value": or_unknown(holding.value, dollars),
        "Unrealised": or_unknown(holding.unrealised, signed_dollars),
    }


def section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a heading and a table, nothing where there are no rows."""
    return [f"## {title}", table(heads, rows)] if rows else []


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; whatever stands in a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def equity_picture(curve: Sequence[EquityPoint]) -> str:
    """Return the equity curve as an image with its bytes in the address."""
    picture = base64.b64encode(equity_svg(curve).encode()).decode()
    return f"![equity](data:image/svg+xml;base64,{picture})"


def escaped(text: str) -> str:
    """Return foreign text on one line, so that Markdown shows it letter by letter."""
    return _MARKS.sub(lambda mark: _ENTITIES.get(mark[0], f"\\{mark[0]}"), one_line(text))


_FILL_HEADS = ("Fill", "Symbol", "Shares", "Price", "Amount", "Fee", "Session")
_ORDER_HEADS = ("Order", "Symbol", "Shares", "Filled", "Kind", "Status", "The broker's words")
POSITION_HEADS = ("Symbol", "Shares", "Average price", "Last price", "Value", "Unrealised")
_DECISION_HEADS = ("Decision", "Order", "Why", "Rule", "The rule's words")


def _opening(report: CycleReport) -> str:
    market = report.market
    coverage = f"{market.coverage.usable} of {market.coverage.wanted} symbols have a usable price."
    lines = [
        f"Cycle {escaped(report.cycle_id)}",
        f"Market: {escaped(market.regime.sentence)}",
        coverage + (" Too few: exits only." if market.below_minimum_coverage else ""),
        "" if report.state is TradingState.ACTIVE else f"**Trading is {report.state}.**",
    ]
    return "  \n".join(line for line in lines if line)


def _decisions(decisions: Sequence[Decision]) -> str:
    if not decisions:
        return "No trade was wanted."
    return table(
        _DECISION_HEADS,
        [
            [
                verdict(decision),
                asked_and_allowed(decision),
                wish(decision.signal),
                decision.rule,
                objection(decision),
            ]
            for decision in decisions
        ],
    )


def _fill(fill: Fill) -> list[str]:
    amount = fill.quantity * fill.price
    return [
        str(fill.side),
        fill.symbol,
        shares_text(fill.quantity),
        price_text(fill.price),
        dollars(amount),
        dollars(fill.fee),
        str(fill.session),
    ]


def _order(update: OrderUpdate) -> list[str]:
    price = update.stop_price or update.limit_price
    kind = str(update.type) if price is None else f"{update.type} {price_text(price)}"
    status = update.status.replace("_", " ")
    done = shares_text(update.filled)
    return [str(update.side), update.symbol, shares_text(update.quantity), done, kind, status, update.reason]


def _equity(report: CycleReport) -> str:
    changes = [
        moved(since_previous(report), "since {}"),
        moved(since_start(report), "since the start on {}"),
    ]
    booked = [f"booked {escaped(cash_line(activity))}" for activity in report.cash]
    lines = [f"Equity {dollars(report.equity)}, cash {dollars(report.portfolio.cash)}", *filter(None, changes), *booked]
    return f"{', '.join(lines)}.\n\n{equity_picture(report.equity_curve)}"


def _notes(report: CycleReport) -> list[str]:
    notes = remarks(report)
    return ["## Warnings", "\n".join(f"- {escaped(note)}" for note in notes)] if notes else []
