"""The result of a soak, for people and for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from scripts.soaking.campaign import Result, median
from scripts.soaking.strikes import KINDS
from scripts.soaking.ticks import counted

Row = tuple[str, str]


def markdown(result: Result) -> str:
    """Return the result as a table, and the verdict under it."""
    lines = ["| what | result |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows(result))]
    return "\n".join([*lines, "", *(f"- BROKEN: {wrong}" for wrong in result.verdicts), verdict(result), ""])


def as_json(result: Result) -> str:
    """Return the result as JSON."""
    return json.dumps({"result": dict(rows(result)), "broken": result.verdicts}, indent=2, ensure_ascii=False)


def verdict(result: Result) -> str:
    """Return one line: did everything hold?"""
    if result.verdicts:
        return f"{len(result.verdicts)} laws were broken."
    return "Every law held."


def rows(result: Result) -> Iterator[Row]:
    """Give every line of the table."""
    campaign = result.campaign
    yield (
        "run",
        f"{campaign.cycles} ticks every {campaign.plan.interval} s, seed {campaign.plan.seed}, book on "
        + ("PostgreSQL" if campaign.postgres else "SQLite"),
    )
    yield "took", f"{result.seconds / 60:.1f} minutes"
    yield from _kills(result)
    yield from _ticks(result)
    yield from _books(result)
    yield from _measures(result)


def _kills(result: Result) -> Iterator[Row]:
    counts = Counter(strike.kind for strike in result.strikes)
    yield "kills", f"{len(result.strikes)} of {result.campaign.kills}; {result.missed} had to be tried again"
    for kind, words in KINDS.items():
        yield f"— {kind}", f"{counts[kind]} × {words}"
    yield "soft faults", _listed(result.soft_faults) or "none"
    yield "services that ended by themselves", _listed(result.ended_by_itself)


def _ticks(result: Result) -> Iterator[Row]:
    yield "ticks due, and runs of them", f"{result.campaign.cycles}, {len(result.runs)}"
    for outcome, count in counted(result.runs).items():
        yield f"— {outcome}", str(count)
    yield "what ended the crashed runs", _listed(result.crashed) or "none crashed"
    yield "ticks without a run, as server or runner were down", str(result.unanswered)
    yield "ticks lost", str(len(result.lost))
    yield "runs that died with their runner and never ended", str(len(result.left))
    yield "concurrency slots left held", str(result.held_slots)


def _books(result: Result) -> Iterator[Row]:
    yield "days traded, each once and none left out", str(result.days)
    yield "failures counted, halts ended by the owner", f"{result.failures}, {result.resumes}"
    alike = "not compared: soft faults change decisions" if result.campaign.plan.soft_faults else "yes"
    if any("undisturbed" in wrong for wrong in result.broken):
        alike = "NO"
    yield "fills, equity, positions and orders as in an undisturbed run", alike


def _measures(result: Result) -> Iterator[Row]:
    delays = sorted(result.delays)
    if delays:
        slow = delays[min(int(len(delays) * 0.95), len(delays) - 1)]
        yield (
            "tick to first step",
            f"median {median(delays):.2f} s, 95 % within {slow:.2f} s, longest {delays[-1]:.2f} s",
        )
        late = sum(delay > result.campaign.plan.interval for delay in delays)
        yield "first steps later than one interval", str(late)
    for name, growth in result.growth.items():
        if growth is not None:
            span = f"in the second half of a life of {growth.life / 60:.0f} minutes"
            yield f"memory of {name}", f"{growth.before:.0f} → {growth.after:.0f} MB ({growth.share:+.1%}) {span}"
    if result.run_memory:
        yield "memory of a run", f"median {median(result.run_memory):.0f} MB, most {max(result.run_memory):.0f} MB"
    for name, size in result.sizes.items():
        yield f"size of the {name} database", f"{size:.0f} kB a {'run' if name == 'server' else 'day'}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in counts.items() if count)
