"""What other settings would have decided: a table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trading_bot.domain.orders import Decision
from trading_bot.domain.stories import Change, DecidedCycle
from trading_bot.domain.words import asked_and_allowed, counted, objection, verdict, wish


def print_changes(
    cycle: DecidedCycle, settings: Sequence[str], changes: Sequence[Change], console: Console, *, decisions: int
) -> None:
    """Print what was decided beside what would have been, one line for each stock; or that nothing changes."""
    console.print(Text(f"The cycle of {cycle.session} ({cycle.cycle_id}) with {', '.join(settings)}"))
    if not changes:
        console.print(Text(f"Nothing changes: the same {counted(decisions, 'decision')}."))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("symbol", "then", "now"):
        table.add_column(name, no_wrap=name == "symbol")
    for change in changes:
        then, now = _in_words(change.then, change.now), _in_words(change.now, change.then)
        table.add_row(*(Text(part) for part in (change.symbol, then, now)))
    console.print(table)


def changes_as_json(cycle: DecidedCycle, settings: Sequence[str], changes: Sequence[Change]) -> str:
    """Return everything that differs."""
    document = {
        "cycle_id": cycle.cycle_id,
        "session": str(cycle.session),
        "settings": list(settings),
        "changes": [
            {"symbol": each.symbol, "then": _document(each.then), "now": _document(each.now)} for each in changes
        ],
    }
    return json.dumps(document, indent=2)


def _in_words(decision: Decision | None, other: Decision | None) -> str:
    """Return what was decided, and why anything was where the `other` settings want nothing."""
    if decision is None:
        return "no decision, nothing was wanted"
    why = f" by {decision.rule}: {objection(decision)}" if decision.rule else ""
    if not why and other is None:
        why = f": {wish(decision.signal)}"
    return f"{asked_and_allowed(decision)}, {verdict(decision)}{why}"


def _document(decision: Decision | None) -> dict[str, str] | None:
    return decision and {
        "side": str(decision.signal.side),
        "stop_price": format(stop, "f") if (stop := decision.signal.stop_price) is not None else "",
        "outcome": type(decision).__name__.lower(),
        "requested": format(decision.requested, "f"),
        "approved": format(decision.quantity, "f"),
        "rule": decision.rule,
        "reason": decision.reason,
    }
