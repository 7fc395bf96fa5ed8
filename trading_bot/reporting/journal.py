"""Decisions, and changes of the trading state, as a list: a table for people, JSON and CSV for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trading_bot.domain.cycle import StateChange
from trading_bot.domain.stories import Entry
from trading_bot.domain.words import asked_and_allowed, counted, objection, one_line, verdict, wish
from trading_bot.reporting.story import entry_document

COLUMNS: tuple[str, ...] = (
    "cycle_id", "session", "decided_at", "symbol", "side", "purpose", "outcome", "requested", "quantity", "rule",
    "reason", "strategy", "strength", "wanted_weight", "signal_reason", "order_status",
)  # fmt: skip

CHANGE_COLUMNS = ("changed_at", "old_state", "new_state", "changed_by", "cause")

Row = tuple[str, ...]  # of a table
WIDEST = 24  # columns of what was decided: a stop order says when it sells, and the reason needs room, too


def print_journal(entries: Sequence[Entry], console: Console, *, more: bool, symbol: str | None = None) -> None:
    """Print one line for each decision, newest cycle first, and whether there are more; `symbol` was asked for."""
    if not entries:
        helps = f" What was thought of {one_line(symbol)}: bensbot why {one_line(symbol)}" if symbol else ""
        console.print(Text(f"No decision is like that.{helps}"))
        return
    table = _table("session", "decision", "", "why", unbroken=("session", ""))
    table.columns[1].max_width = WIDEST
    _print(table, map(_row, entries), console)
    console.print(Text(f"{_count(entries, 'decision', more=more)}. One in full: bensbot why SYMBOL --cycle SESSION"))


def _row(entry: Entry) -> Row:
    why = objection(entry.decision) or wish(entry.decision.signal)
    rule = f"{entry.decision.rule}: " if entry.decision.rule else ""
    return str(entry.session), asked_and_allowed(entry.decision), verdict(entry.decision), f"{rule}{one_line(why)}"


def journal_as_json(entries: Sequence[Entry], *, more: bool) -> str:
    """Return everything that is known of each decision."""
    return json.dumps({"more": more, "decisions": [entry_document(entry) for entry in entries]}, indent=2)


def journal_as_csv(entries: Sequence[Entry]) -> str:
    """Return a line for each decision under a line of names."""
    return _csv(COLUMNS, map(_cells, entries))


def print_states(changes: Sequence[StateChange], console: Console, *, more: bool) -> None:
    """Print one line for each change of the trading state, newest first, and whether there are more."""
    if not changes:
        console.print(Text("There is no such change of the trading state. What holds now: bensbot status"))
        return
    table = _table("when (UTC)", "change", "by", "why", unbroken=("when (UTC)", "change"))
    _print(table, map(_change_row, changes), console)
    console.print(Text(f"{_count(changes, 'change', more=more)}. What holds now: bensbot status"))


def _change_row(change: StateChange) -> Row:
    turned = f"{change.old} → {change.new}" if change.new is not change.old else f"{change.new}, again"
    return f"{change.at:%Y-%m-%d %H:%M:%S}", turned, one_line(change.changed_by), one_line(change.cause)


def states_as_json(changes: Sequence[StateChange], *, more: bool) -> str:
    """Return everything that is known of each change."""
    return json.dumps({"more": more, "changes": [_change_document(change) for change in changes]}, indent=2)


def states_as_csv(changes: Sequence[StateChange]) -> str:
    """Return a line for each change under a line of names."""
    return _csv(CHANGE_COLUMNS, map(_change_document, changes))


def _change_document(change: StateChange) -> dict[str, str]:
    values = (change.at.isoformat(), change.old.value, change.new.value, change.changed_by, change.cause)
    return dict(zip(CHANGE_COLUMNS, values, strict=True))


def _table(*columns: str, unbroken: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=name in unbroken)
    return table


def _print(table: Table, rows: Iterable[Row], console: Console) -> None:
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _count(listed: Sequence[object], word: str, *, more: bool) -> str:
    return f"{counted(len(listed), word)}{', and there are older ones (--limit)' if more else ''}"


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _cells(entry: Entry) -> Mapping[str, object]:
    return {**entry_document(entry), "order_status": entry.order.status.value if entry.order else ""}
