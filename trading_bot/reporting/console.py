"""The report on the console: what was traded, why, and what to type next.

Texts from outside are put in as `Text`, never as markup, and without control characters, so that no
reason can colour the terminal or move its cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from trading_bot.domain.cycle import CycleReport, TradingState
from trading_bot.domain.market import MarketState
from trading_bot.domain.merit import chosen_by, team_text
from trading_bot.domain.orders import Decision, Fill, OrderStatus, OrderType, OrderUpdate
from trading_bot.domain.words import (
    asked_and_allowed,
    counted,
    dollars,
    objection,
    one_line,
    or_unknown,
    ordered,
    price_text,
    same_refusals,
    sentence,
    shares_text,
    signed_dollars,
    signed_percent,
    trade,
    verdict,
    wish,
)
from trading_bot.reporting.cash import cash_line
from trading_bot.reporting.metrics import EquityChange, holdings, since_previous, since_start
from trading_bot.reporting.remarks import remarks

NEXT_SESSION = "fills at the next session's price"
SESSIONS_SHOWN = 30  # of a long run; the newest
NOTES_SHOWN = 6

_VERDICT_STYLE = {"approved": "green", "trimmed": "yellow", "refused": "red"}


def print_report(
    report: CycleReport,
    console: Console,
    *,
    next_commands: Sequence[tuple[str, str]],
    waits_for: str = NEXT_SESSION,
) -> None:
    """Print what the cycle did and why, and what may be typed next.

    Args:
        report: the cycle.
        console: where to; its width is kept, and without a terminal nothing is coloured.
        next_commands: (command, what it does), in the order shown.
        waits_for: what an accepted market order waits for, in words.
    """
    title = Text.assemble((f"Session {report.session:%Y-%m-%d, %A}", "bold"), (f"   cycle {report.cycle_id}", "dim"))
    _show(console, title, *_market(report), "")
    _show(console, *_decisions(report.decisions), *_orders(report, waits_for), *_fills(report.fills))
    _show(console, *_portfolio(report), *_notes(report), *_next(next_commands))


def print_run(reports: Sequence[CycleReport], console: Console, *, next_commands: Sequence[tuple[str, str]]) -> None:
    """Print one line for each of several sessions, then the portfolio after the last one."""
    if not reports:
        _show(console, Text("No session was traded."), "", *_next(next_commands))
        return
    shown = reports[-SESSIONS_SHOWN:]
    first, last = reports[0].session, reports[-1].session
    _show(console, Text(f"{counted(len(reports), 'session')}, {first} to {last}", style="bold"), "")
    if len(shown) < len(reports):
        _show(console, Text(f"The first {counted(len(reports) - len(shown), 'session')} not shown.", style="dim"))
    _show(console, _sessions(shown), "")
    _show(console, *_portfolio(reports[-1]), *_notes(reports[-1]), *_next(next_commands))


def _show(console: Console, *parts: RenderableType) -> None:
    for part in parts:
        console.print(part, highlight=False, markup=False)


def _market(report: CycleReport) -> Iterator[RenderableType]:
    yield _beside("Market", Text(f"{sentence(report.market.regime.sentence)} {_coverage(report.market)}"))
    if report.team is not None:
        yield _beside("Team", Text(f"{team_text(report.team.seats)}; {chosen_by(report.team)}."))
    if report.state is not TradingState.ACTIVE:
        yield _beside("Trading", Text(_STATES[report.state], style="bold yellow"))


_STATES = {
    TradingState.PAUSED: "paused: nothing is done until it is resumed.",
    TradingState.REDUCING: "reducing: positions are closed, none are opened.",
    TradingState.HALTED: "HALTED: nothing is done until it is resumed with an acknowledgement.",
}


def _coverage(market: MarketState) -> str:
    coverage = market.coverage
    share = f"{coverage.usable} of {counted(coverage.wanted, 'symbol')} priced."
    return f"{share} Too few to buy: exits only." if market.below_minimum_coverage else share


def _decisions(decisions: Sequence[Decision]) -> Iterator[RenderableType]:
    if not decisions:
        yield from ("No trade was wanted.", "")
        return
    grouped = same_refusals(decisions)
    told = {id(decision) for group in grouped for decision in group.decisions}
    single = [decision for decision in decisions if id(decision) not in told]
    lines = [Text(f"{group.told(more=bool(single))}.", style="dim") for group in grouped]
    yield _headed("Decisions", *([_decision_rows(single)] if single else []), *lines)
    yield ""


def _decision_rows(decisions: Sequence[Decision]) -> Table:
    table = _grid()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for decision in decisions:
        said = verdict(decision)
        table.add_row(Text(said, style=_VERDICT_STYLE[said]), Text(asked_and_allowed(decision)), _why(decision))
    return table


def _why(decision: Decision) -> Text:
    why = Text(wish(decision.signal))
    words = sentence(objection(decision))
    if words:
        by = f" by {one_line(decision.rule)}" if decision.rule else ""
        why.append(f" {verdict(decision).capitalize()}{by}: {words}", style=_VERDICT_STYLE[verdict(decision)])
    return why


def _orders(report: CycleReport, waits_for: str) -> Iterator[RenderableType]:
    ended = [update for update in report.settled if update.status is not OrderStatus.FILLED]
    for title, updates in (("Orders", report.orders), ("Earlier orders", ended)):
        if updates:
            table = _grid()
            table.add_column(no_wrap=True)
            table.add_column(overflow="fold")
            for update in updates:
                table.add_row(Text(ordered(update)), Text(_standing(update, waits_for)))
            yield from (_headed(title, table), "")


def _standing(update: OrderUpdate, waits_for: str) -> str:
    if update.status is OrderStatus.ACCEPTED:
        return waits_for if update.type is OrderType.MARKET else "waits for its price"
    if update.status is OrderStatus.PARTIALLY_FILLED:
        return f"{shares_text(update.filled)} of {shares_text(update.quantity)} filled, the rest waits"
    said = _STANDING.get(update.status, str(update.status))
    return f"{said}: {sentence(update.reason)}" if update.reason else said


_STANDING = {
    OrderStatus.INTENDED: "in the book, not sent yet",
    OrderStatus.UNKNOWN: "no clear answer; the broker is asked again, nothing is sent twice",
    OrderStatus.EXPIRED_UNSENT: "never sent, and its time is over",
}


def _fills(fills: Sequence[Fill]) -> Iterator[RenderableType]:
    if not fills:
        return
    table = _grid()
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    for fill in fills:
        amount = dollars(fill.quantity * fill.price)
        done = trade(fill.side, fill.quantity, fill.symbol)
        table.add_row(Text(done), f"at {price_text(fill.price)}", amount, f"fee {dollars(fill.fee)}")
    yield from (_headed("Fills", table), "")


def _portfolio(report: CycleReport) -> Iterator[RenderableType]:
    if report.portfolio.positions:
        yield from (_headed("Positions", _positions(report)), "")
    else:
        yield from ("No positions.", "")
    yield from (_beside("Booked", Text(cash_line(activity))) for activity in report.cash)
    yield _beside("Cash", Text(dollars(report.portfolio.cash)))
    yield from (_beside("Equity", _equity(report)), "")


def _equity(report: CycleReport) -> Text:
    worth = dollars(report.equity)
    text = Text.assemble((worth, "bold"))
    before, start = since_previous(report), since_start(report)
    if before and start:
        text.append_text(Text.assemble("   ", _moved(before), f" since {before.since}"))
        if start.since < before.since:
            under = "\n" + " " * (len(worth) + 3)
            text.append_text(Text.assemble(under, _moved(start), f" since the start on {start.since}"))
    return text


def _moved(change: EquityChange) -> Text:
    text = f"{signed_dollars(change.amount)} ({signed_percent(change.ratio)})"
    return Text(text, style=_colour(text))


def _positions(report: CycleReport) -> Table:
    table = _grid(header=True)
    table.add_column("Symbol", no_wrap=True)
    for name in ("Shares", "Average", "Last", "Value", "Unrealised"):
        table.add_column(name, justify="right", no_wrap=True)
    for holding in holdings(report):
        unrealised = or_unknown(holding.unrealised, signed_dollars)
        table.add_row(
            Text(one_line(holding.symbol)),
            shares_text(holding.quantity),
            price_text(holding.average_price),
            or_unknown(holding.price, price_text),
            or_unknown(holding.value, dollars),
            Text(unrealised, style=_colour(unrealised)),
        )
    return table


def _sessions(reports: Sequence[CycleReport]) -> Table:
    table = _grid(header=True)
    for name in ("Session", "Signals", "Orders", "Fills", "Positions", "Equity", "Change"):
        table.add_column(name, justify="left" if name == "Session" else "right", no_wrap=True)
    for report in reports:
        change = since_previous(report)
        moved = signed_dollars(change.amount) if change else ""
        counts = (report.decisions, report.orders, report.fills, report.portfolio.positions)
        sizes = (f"{len(things):,}" for things in counts)
        table.add_row(str(report.session), *sizes, dollars(report.equity), Text(moved, style=_colour(moved)))
    return table


def _notes(report: CycleReport) -> Iterator[RenderableType]:
    found = remarks(report)
    notes = [Text(note, style="yellow") for note in found[:NOTES_SHOWN]]
    if len(found) > NOTES_SHOWN:
        notes.append(Text(f"{len(found) - NOTES_SHOWN:,} more are in the full report.", style="dim"))
    if notes:
        yield from (_headed("Warnings", *notes), "")


def _next(commands: Sequence[tuple[str, str]]) -> Iterator[RenderableType]:
    if not commands:
        return
    table = _grid()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for command, meaning in commands:
        table.add_row(Text(command, style="bold cyan"), Text(meaning, style="dim"))
    yield _headed("Next", table)


def _headed(title: str, *parts: RenderableType) -> Group:
    return Group(Text(title, style="bold"), *(Padding(part, (0, 0, 0, 2), expand=False) for part in parts))


def _beside(name: str, text: Text) -> Table:
    table = _grid()
    table.add_column(min_width=7, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(name, style="bold"), text)
    return table


def _grid(*, header: bool = False) -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=header, header_style="bold")


def _colour(amount: str) -> str:
    return {"+": "green", "-": "red"}.get(amount[:1], "")
