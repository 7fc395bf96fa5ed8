"""The story of one decision, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from trading_bot.domain.merit import chosen_by
from trading_bot.domain.orders import Decision, Rejected, Ruling
from trading_bot.domain.stories import Entry, Story, Thinking
from trading_bot.domain.words import (
    asked_and_allowed,
    dollars,
    one_line,
    or_unknown,
    price_text,
    sentence,
    shares_text,
    verdict,
    wish,
)
from trading_bot.reporting.as_json import decision_document, plain
from trading_bot.reporting.news import story_document, story_line

SHOWN = 8  # characters of a hash
READABLE = Decimal("0.0001")  # shares

Row = tuple[str, str]  # what, and what about it


def print_story(story: Story, console: Console) -> None:
    """Print what was done, then why, in the order in which it came about."""
    console.print(Text(f"{one_line(story.symbol)} in the cycle of {story.cycle.session} ({story.cycle.cycle_id})"))
    console.print(Text(headline(story), style="bold"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for what, about in _rows(story):
        table.add_row(Text(what), Text(about))
    console.print(Padding(table, (1, 0, 0, 2)))


def headline(story: Story) -> str:
    """Say in one sentence what came of it."""
    if story.entry is None:
        why = story.thinking.verdict if story.thinking else "there was nothing to decide about it"
        return sentence(f"Nothing was done: {why}")
    entry = story.entry
    if isinstance(entry.decision, Rejected):
        return sentence(
            f"Nothing was traded: {asked_and_allowed(entry.decision)} was refused by {_binding(entry.decision)}"
        )
    done = f"{asked_and_allowed(entry.decision)}: {_fate(entry)}"
    return sentence(done[0].upper() + done[1:])


def story_as_json(story: Story) -> str:
    """Return the story for machines."""
    document: dict[str, Any] = {
        "symbol": story.symbol,
        "cycle_id": story.cycle.cycle_id,
        "session": str(story.cycle.session),
        "decided_at": story.cycle.decided_at.isoformat(),
        "summary": headline(story),
        "market": story.cycle.weather,
        "decision": entry_document(story.entry) if story.entry else None,
        "thinking": _thinking_document(story.thinking) if story.thinking else None,
        "thinking_unknown_because": story.why_unknown or None,
        "news": [story_document(item) for item in story.news],
        "stop_order": entry_document(story.guard) if story.guard else None,
        "last_decision": entry_document(story.last) if story.last else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return one decision with its order and fills; amounts are text, so that no digit is lost."""
    return {
        "cycle_id": entry.cycle_id,
        "session": plain(entry.session),
        "decided_at": plain(entry.decided_at),
        "outcome": type(entry.decision).__name__.lower(),
        **decision_document(entry.decision),
        "order": _order_document(entry),
    }


def _rows(story: Story) -> Iterator[Row]:
    if story.entry is not None:
        yield "Signal", f"{wish(story.entry.decision.signal)} Strength {story.entry.decision.signal.strength:+.2f}."
    yield from _of_the_team(story)
    for number, item in enumerate(reversed(story.news)):
        yield "" if number else "News", story_line(item)
    if story.entry is not None:
        yield from _of_the_rules(story.entry.decision)
        yield from _of_the_order(story.entry)
    if story.guard is not None:
        yield "Stop order", f"{asked_and_allowed(story.guard.decision)}: {_guard(story.guard)}"
    if story.cycle.weather:
        yield "Market", sentence(story.cycle.weather)
    if story.thinking is not None:
        known = story.thinking
        hashes = f"settings {known.settings_hash[:SHOWN]}, market {known.market_hash[:SHOWN]}"
        yield "Inputs", f"{hashes}, program {_short(known.program)}"
        yield "Proof", f"bensbot replay {story.cycle.cycle_id}"
    if story.last is not None:
        was = f"{story.last.session}: {verdict(story.last.decision)}, {asked_and_allowed(story.last.decision)}"
        yield "Last", f"{was} (bensbot why {story.symbol} --cycle {story.last.cycle_id})"


def _of_the_team(story: Story) -> Iterator[Row]:
    thinking = story.thinking
    if thinking is None:
        yield "Team", f"What it thought cannot be told again: {one_line(story.why_unknown)}"
        return
    held = f"{shares_text(thinking.held)} shares held" if thinking.held else "none held"
    yield "Before", f"{held}; close {or_unknown(thinking.price, price_text)}"
    yield "Team", f"{chosen_by(thinking.team)}; all votes together {thinking.score:+.2f}"
    for vote in thinking.votes:
        yield "", one_line(vote)


def _of_the_rules(decision: Decision) -> Iterator[Row]:
    binding = [ruling for ruling in decision.rulings if ruling.binds]
    passed = [ruling.rule for ruling in decision.rulings if not ruling.binds]
    head = "Rules"
    for ruling in binding:
        yield head, f"{ruling.rule}: {_check(ruling)}"
        head = ""
    yield head, f"{'also ' if binding else ''}passed: {', '.join(passed) or 'none'}"


def _check(ruling: Ruling) -> str:
    allowed = f"{_shares(ruling.allowed)} of {_shares(ruling.asked)}" if ruling.asked else "nothing"
    numbers = f"{ruling.code}: observed {ruling.observed}, limit {ruling.limit} {ruling.unit}".rstrip()
    return f"{allowed} allowed; {sentence(ruling.message)} ({numbers})"


def _shares(quantity: Decimal) -> str:
    """Return shares as people read them; the book has every digit."""
    return shares_text(quantity.quantize(READABLE, rounding=ROUND_DOWN))


def _of_the_order(entry: Entry) -> Iterator[Row]:
    if entry.order is None:
        return
    reason = f": {one_line(entry.order.reason)}" if entry.order.reason else ""
    yield "Order", f"{entry.order.client_order_id} is {entry.order.status.value.replace('_', ' ')}{reason}"
    for fill in entry.fills:
        price = f"{shares_text(fill.quantity)} at {price_text(fill.price)}, fee {dollars(fill.fee)}"
        yield "Fill", f"{fill.session}: {price}"


def _guard(entry: Entry) -> str:
    if isinstance(entry.decision, Rejected):
        return f"refused by {_binding(entry.decision)}"
    return f"{_fate(entry)}. {wish(entry.decision.signal)}"


def _fate(entry: Entry) -> str:
    if entry.order is None:
        return "no order followed"
    price = entry.average_price
    if price is None:
        return f"the order is {entry.order.status.value.replace('_', ' ')}"
    filled = sum((fill.quantity for fill in entry.fills), Decimal(0))
    return f"{shares_text(filled)} filled at {price_text(price)}"


def _binding(decision: Decision) -> str:
    return f"{decision.rule}, because {one_line(decision.reason)}" if decision.rule else one_line(decision.reason)


def _short(program: str) -> str:
    version, _, digest = program.partition(" ")
    return f"{version} {digest[:SHOWN]}"


def _order_document(entry: Entry) -> dict[str, Any] | None:
    if entry.order is None:
        return None
    names = ("session", "quantity", "price", "fee")
    fills = [{name: plain(getattr(fill, name)) for name in names} for fill in entry.fills]
    return {"client_order_id": entry.order.client_order_id, "status": str(entry.order.status), "fills": fills}


def _thinking_document(thinking: Thinking) -> dict[str, Any]:
    return {
        "price": plain(thinking.price),
        "held": plain(thinking.held),
        "score": plain(thinking.score),
        "votes": list(thinking.votes),
        "verdict": thinking.verdict,
        "team_since": plain(thinking.team.since),
        "team": [
            {"strategy": seat.candidate.name, "options": dict(seat.candidate.options), "weight": seat.weight}
            for seat in thinking.team.seats
        ],
        "settings_hash": thinking.settings_hash,
        "market_hash": thinking.market_hash,
        "program": thinking.program,
    }
