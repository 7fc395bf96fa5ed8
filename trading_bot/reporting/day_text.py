"""The day's result as plain text: for a terminal, and short enough for any notification channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trading_bot.domain.cycle import TradingState
from trading_bot.domain.orders import OpenOrder
from trading_bot.domain.words import (
    counted,
    dollars,
    listed,
    one_line,
    ordered,
    price_text,
    shares_text,
    signed_dollars,
    signed_percent,
    trade,
)
from trading_bot.reporting.cash import cash_line
from trading_bot.reporting.day import DayReport, DayTrade, EarlierDay
from trading_bot.reporting.metrics import Holding, moved

MOST_CHARACTERS = 3_000  # of a notice's details: with title and message it stays below the 4,096 of Telegram
MOST_RULES = 5  # named in a sentence
MOST_EARLIER = 30  # earlier days with a line of their own; a replay trades hundreds in an evening
LABEL = "{:<10} "  # in front of each line
UNDER_LABEL = len(LABEL.format(""))  # columns that it takes


def day_text(report: DayReport) -> str:
    """Return the whole report, the most important first."""
    head = LABEL.format("Day") + str(report.session)
    return "\n".join([head, *_labelled("Result", [day_summary(report)]), *day_lines(report)])


def day_summary(report: DayReport) -> str:
    """Return the result in a few sentences."""
    worth = report.worth
    changes = [moved(report.today, "since {}"), moved(report.since_start, "since the start on {}")]
    fills = sum(done.fills for done in report.trades)
    parts = [
        f"{', '.join([f'Equity {dollars(worth.equity)}', *filter(None, changes)])}.",
        f"Cash {dollars(worth.cash)}, {counted(len(report.holdings), 'position')}.",
        f"{counted(fills, 'fill')}, fees {dollars(report.fees)}.",
        "" if report.state is TradingState.ACTIVE else f"Trading is {report.state}.",
    ]
    return " ".join(filter(None, parts))


def day_lines(report: DayReport) -> tuple[str, ...]:
    """Return what the summary leaves out, a line each, the most important first."""
    return (
        *_labelled("Warning", report.warnings),
        *_labelled("Trade", map(_trade, report.trades)),
        *_labelled("Cash", map(cash_line, report.booked.cash)),
        *_labelled("Slippage", filter(None, [slippage_words(report)])),
        *_labelled("Decisions", [decisions_words(report)]),
        *_labelled("Cycles", [cycles_words(report)]),
        *_labelled("Open", map(_order, report.booked.open_orders)),
        *_labelled("Holding", map(_holding, report.holdings)),
        *_labelled("Earlier", map(_earlier, earlier_shown(report))),
        *_labelled("", filter(None, [earlier_left_out(report)])),
    )


def fitted(lines: Sequence[str], most: int = MOST_CHARACTERS) -> str:
    """Return as many whole lines as fit into `most` characters, and how many are left out."""
    if len(text := "\n".join(lines)) <= most:
        return text
    ending = f"… and {counted(len(lines), 'more line')}"
    kept, room = list[str](), most - len(ending)
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, f"… and {counted(len(lines) - len(kept), 'more line')}"])


def slippage_words(report: DayReport) -> str:
    """Return what the fills cost against the prices they were decided at; empty where that is not known."""
    if report.slippage is None:
        return ""
    bps, fills = report.slippage.bps, counted(report.slippage.fills, "fill")
    direction = "worse" if bps > 0 else "better"
    return f"{abs(bps):.1f} basis points {direction} than the prices decided at, over {fills}."


def decisions_words(report: DayReport) -> str:
    """Return how the signals were decided, and the rules that refused most."""
    made = report.booked.decisions
    total = made.approved + made.trimmed + made.refused
    if not total:
        return "No trade was wanted."
    ends = f"{made.approved:,} approved, {made.trimmed:,} trimmed, {made.refused:,} refused"
    rules = [f"{rule or 'no rule'} {times:,}" for rule, times in made.refusals]
    refused_by = f" ({listed(rules, most=MOST_RULES)})" if rules else ""
    return f"{counted(total, 'signal')}: {ends}{refused_by}."


def cycles_words(report: DayReport) -> str:
    """Return how the cycles ended."""
    ran = report.booked.cycles
    skipped = sum(times for _, times in ran.skipped)
    reasons = ", ".join(f"{reason.replace('_', ' ')} {times:,}" for reason, times in ran.skipped)
    parts = [
        f"{ran.completed:,} completed",
        f"{ran.failed:,} failed" if ran.failed else "",
        f"{ran.cancelled:,} interrupted" if ran.cancelled else "",
        f"{ran.running:,} without an end" if ran.running else "",
        f"{skipped:,} skipped ({reasons})" if skipped else "",
        f"{counted(ran.begun_again, 'attempt')} begun again" if ran.begun_again else "",
    ]
    return f"{', '.join(filter(None, parts))}."


def earlier_shown(report: DayReport) -> tuple[EarlierDay, ...]:
    """Return the newest of the earlier days, oldest first."""
    return report.earlier[-MOST_EARLIER:]


def earlier_left_out(report: DayReport) -> str:
    """Return how many earlier days are not shown; empty when all are."""
    left_out = report.earlier[:-MOST_EARLIER]
    return f"and {counted(len(left_out), 'session')} more since {left_out[0].session}." if left_out else ""


def _labelled(label: str, lines: Iterable[str]) -> list[str]:
    return [LABEL.format(label) + line for line in lines]


def _trade(done: DayTrade) -> str:
    words = trade(done.side, done.shares, done.symbol)
    return f"{words} at {price_text(done.average_price)}: {dollars(done.amount)}, fees {dollars(done.fees)}"


def _order(order: OpenOrder) -> str:
    return f"{ordered(order.intent)}: {order.status.replace('_', ' ')}, {shares_text(order.filled)} filled"


def _holding(held: Holding) -> str:
    bought = (
        f"{shares_text(held.quantity)} {one_line(held.symbol)}, bought at {price_text(held.average_price)} on average"
    )
    if held.value is None or held.unrealised is None:
        return bought
    return f"{bought}, now {dollars(held.value)} ({signed_dollars(held.unrealised)})"


def _earlier(day: EarlierDay) -> str:
    change = f", {signed_dollars(day.change.amount)} ({signed_percent(day.change.ratio)})" if day.change else ""
    return f"{day.session}: equity {dollars(day.equity)}{change}, {counted(day.fills, 'fill')}"
