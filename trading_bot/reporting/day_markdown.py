"""The day's result as Markdown, for the artifact."""

from __future__ import annotations

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.orders import OpenOrder
from trading_bot.domain.words import dollars, price_text, shares_text
from trading_bot.reporting.cash import cash_line
from trading_bot.reporting.day import DayReport, DayTrade, EarlierDay
from trading_bot.reporting.day_text import (
    cycles_words,
    decisions_words,
    earlier_left_out,
    earlier_shown,
    slippage_words,
)
from trading_bot.reporting.markdown import POSITION_HEADS, equity_picture, escaped, position_row, section
from trading_bot.reporting.metrics import moved

_TRADE_HEADS = ("Trade", "Symbol", "Shares", "Average price", "Amount", "Fees", "Fills")
_ORDER_HEADS = ("Order", "Symbol", "Shares", "Filled", "Status")
_REFUSAL_HEADS = ("Rule", "Refused")
_EARLIER_HEADS = ("Session", "Equity", "Change", "Fills")


def day_markdown(report: DayReport) -> str:
    """Return the whole report: result, trades, positions, open orders, decisions, cycles, warnings."""
    parts = [
        f"# Day of {report.session}",
        _opening(report),
        equity_picture(report.booked.equity_curve),
        *_bullets("Warnings", report.warnings),
        *section("Trades", _TRADE_HEADS, [_trade(trade) for trade in report.trades]),
        *_bullets("Cash", tuple(map(cash_line, report.booked.cash))),
        *section("Positions", POSITION_HEADS, [list(position_row(held).values()) for held in report.holdings]),
        *section("Orders still open", _ORDER_HEADS, [_order(order) for order in report.booked.open_orders]),
        "## Decisions",
        escaped(decisions_words(report)),
        *_refusals(report),
        "## Cycles",
        escaped(cycles_words(report)),
        *_earlier(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(report: DayReport) -> str:
    worth = report.worth
    lines = [
        f"Equity **{dollars(worth.equity)}**, cash {dollars(worth.cash)}.",
        _line("The day", moved(report.today, "since {}")),
        _line("In all", moved(report.since_start, "since the start on {}")),
        f"Fees {dollars(report.fees)}.",
        _line("Slippage", slippage_words(report)),
        "" if report.state is TradingState.ACTIVE else f"**Trading is {report.state}.**",
    ]
    return "  \n".join(line for line in lines if line)


def _line(what: str, words: str) -> str:
    return f"{what}: {words}" if words else ""


def _trade(trade: DayTrade) -> list[str]:
    return [
        str(trade.side),
        trade.symbol,
        shares_text(trade.shares),
        price_text(trade.average_price),
        dollars(trade.amount),
        dollars(trade.fees),
        str(trade.fills),
    ]


def _order(order: OpenOrder) -> list[str]:
    intent = order.intent
    status = order.status.replace("_", " ")
    return [str(intent.side), intent.symbol, shares_text(intent.quantity), shares_text(order.filled), status]


def _refusals(report: DayReport) -> list[str]:
    rows = [[rule, f"{times:,}"] for rule, times in report.booked.decisions.refusals]
    return section("Refused by", _REFUSAL_HEADS, rows)


def _earlier(report: DayReport) -> list[str]:
    rows = [_earlier_day(day) for day in earlier_shown(report)]
    found = section("Sessions before it without a report of their own", _EARLIER_HEADS, rows)
    return [*found, escaped(earlier_left_out(report))]


def _earlier_day(day: EarlierDay) -> list[str]:
    return [str(day.session), dollars(day.equity), moved(day.change, "since {}"), f"{day.fills:,}"]


def _bullets(title: str, lines: tuple[str, ...]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {escaped(line)}" for line in lines)] if lines else []
