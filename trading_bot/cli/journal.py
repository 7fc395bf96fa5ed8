"""`bensbot why`, `journal`, `replay` and `what-if`: ask the book why. They write nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from trading_bot.cli.options import Config, Json, book_to_read
from trading_bot.domain.errors import SettingsError, StateError
from trading_bot.terminal import DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from trading_bot.domain.stories import DecidedCycle, Filter
    from trading_bot.state.manager import StateManager

Cycle = Annotated[
    str | None, Parameter(help="A cycle's id, or a session like 2022-01-31 for its last one; else the newest.")
]

Form = Literal["table", "json", "csv"]
SAME_OUTCOME = {"trimmed": "resized", "refused": "rejected"}  # the words of the list: those of the book


def why(symbol: str, *, cycle: Cycle = None, config: Config = None, as_json: Json = False) -> int:
    """Tell why SYMBOL was traded in a cycle, or why it was not."""
    from trading_bot.core.story import why as find_out
    from trading_bot.domain.symbols import Symbol
    from trading_bot.reporting.story import print_story, story_as_json

    with book_to_read(config) as book:
        story = find_out(book, Symbol(symbol.upper()), cycle)
    if as_json:
        sys.stdout.write(story_as_json(story) + "\n")
    else:
        print_story(story, _console())
    return DONE


@dataclass(frozen=True)
class Wanted:
    """Which decisions are listed."""

    symbol: Annotated[str | None, Parameter(help="Decisions about this stock only.")] = None
    rule: Annotated[str | None, Parameter(help="Decisions that this rule made smaller or refused.")] = None
    outcome: Annotated[
        Literal["approved", "resized", "trimmed", "rejected", "refused"] | None,
        Parameter(help="Decisions that ended so; trimmed is resized, refused is rejected."),
    ] = None
    since: Annotated[date | None, Parameter(name="--from", help="Sessions from this day on, e.g. 2022-01-31.")] = None
    until: Annotated[date | None, Parameter(name="--to", help="Sessions up to this day.")] = None
    cycle: Annotated[str | None, Parameter(help="Decisions of this cycle, or of the last one of a session.")] = None
    states: Annotated[
        bool, Parameter(negative="", help="Changes of the trading state instead: when, by whom and why.")
    ] = False
    limit: Annotated[int, Parameter(help="So many at the most; 0 is all.")] = 50

    @property
    def one_more(self) -> int | None:
        """How many to look for, so that it is known whether there are more than are listed; None is all."""
        return self.limit + 1 if self.limit else None

    @property
    def of_decisions(self) -> str:
        """Which of the options that only decisions know are written."""
        named = {"--symbol": self.symbol, "--rule": self.rule, "--outcome": self.outcome, "--cycle": self.cycle}
        return ", ".join(option for option, value in named.items() if value is not None)


def journal(
    *,
    wanted: Annotated[Wanted, Parameter(name="*")] = Wanted(),  # frozen
    config: Config = None,
    as_json: Json = False,
    as_csv: Annotated[bool, Parameter(name="--csv", negative="", help="Print CSV for spreadsheets.")] = False,
) -> int:
    """List decisions, or changes of the trading state, the newest first."""
    if as_json and as_csv:
        raise SettingsError("--json is one form and --csv another; write one of them.")
    if wanted.limit < 0:
        raise SettingsError(f"--limit {wanted.limit} is no number of decisions; write 0 (all) or more.")
    if wanted.since and wanted.until and wanted.since > wanted.until:
        raise SettingsError(f"--from {wanted.since} is after --to {wanted.until}: nothing lies in between.")
    form: Form = "json" if as_json else "csv" if as_csv else "table"
    if wanted.states:
        return _changes(wanted, config, form)
    if wanted.rule is not None:
        from trading_bot.risk.registry import RISK_RULES

        RISK_RULES.get(wanted.rule)  # a name that no rule has would find nothing for ever
    from trading_bot.reporting.journal import journal_as_csv, journal_as_json, print_journal

    with book_to_read(config) as book:
        asked = _filter(wanted, book)
        found = book.stories.entries(asked, limit=wanted.one_more)
    entries = found[: wanted.limit or None]
    more = len(found) > len(entries)
    return _write(
        form,
        as_json=lambda: journal_as_json(entries, more=more),
        as_csv=lambda: journal_as_csv(entries),
        as_table=lambda: print_journal(entries, _console(), more=more, symbol=asked.symbol),
    )


def _changes(wanted: Wanted, config: Path | None, form: Form) -> int:
    """List what became of the trading state. Raises SettingsError where only decisions know what is asked."""
    if wanted.of_decisions:
        raise SettingsError(f"--states lists changes of the trading state, which know no {wanted.of_decisions}.")
    from trading_bot.reporting.journal import print_states, states_as_csv, states_as_json

    with book_to_read(config) as book:
        found = book.control.changes(since=wanted.since, until=wanted.until, limit=wanted.one_more)
    changes = found[: wanted.limit or None]
    more = len(found) > len(changes)
    return _write(
        form,
        as_json=lambda: states_as_json(changes, more=more),
        as_csv=lambda: states_as_csv(changes),
        as_table=lambda: print_states(changes, _console(), more=more),
    )


def _write(form: Form, *, as_json: Callable[[], str], as_csv: Callable[[], str], as_table: Callable[[], None]) -> int:
    """Write a list in the form that was asked for."""
    if form == "table":
        as_table()
    else:
        sys.stdout.write(f"{as_json()}\n" if form == "json" else as_csv())
    return DONE


def _filter(wanted: Wanted, book: StateManager) -> Filter:
    from trading_bot.domain.stories import Filter
    from trading_bot.domain.symbols import Symbol

    return Filter(
        symbol=Symbol(wanted.symbol.upper()) if wanted.symbol else None,
        rule=wanted.rule,
        outcome=SAME_OUTCOME.get(wanted.outcome or "", wanted.outcome),
        since=wanted.since,
        until=wanted.until,
        cycle_id=book.stories.find_cycle(wanted.cycle).cycle_id if wanted.cycle else None,
    )


def replay(
    cycle: Cycle = None,
    *,
    since: Annotated[
        date | None, Parameter(name="--from", help="Every cycle of the sessions from this day on.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Decide a recorded cycle again from what it knew, and compare bit for bit; exit 1 where something differs."""
    if cycle is not None and since is not None:
        raise SettingsError("CYCLE is one cycle and --from many; write one of them.")
    found: list[dict[str, Any]] = []
    with book_to_read(config) as book:
        asked = book.stories.cycles_since(since) if since else (book.stories.find_cycle(cycle),)
        if not asked:
            raise StateError(f"No cycle has decided anything since {since}.")
        for each in asked:
            found.append(_compared(book, each))
            if not as_json:
                sys.stdout.write(f"{_told(found[-1])}\n")
    if as_json:
        sys.stdout.write(json.dumps(found if since else found[0], indent=2) + "\n")
    return FAILED if any(each["difference"] for each in found) else DONE


def what_if(
    cycle: Cycle = None,
    *,
    changed: Annotated[
        list[str], Parameter(name="--set", negative="", help="A setting and its value: risk.max_position_pct=0.1")
    ],
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Decide a recorded cycle again with other settings, and say what would have been different."""
    from trading_bot.config.overrides import typed
    from trading_bot.core.again import changes, decide_again, other_settings
    from trading_bot.reporting.what_if import changes_as_json, print_changes

    with book_to_read(config) as book:
        found = book.stories.find_cycle(cycle)
        record, then = book.recordings.read(found.cycle_id), book.journal.decisions(found.cycle_id)
    now = decide_again(record, then, other_settings(record, typed(changed)))
    different = changes(then, now)
    if as_json:
        sys.stdout.write(changes_as_json(found, changed, different) + "\n")
    else:
        print_changes(found, changed, different, _console(), decisions=len(then))
    return DONE


def _compared(book: StateManager, cycle: DecidedCycle) -> dict[str, Any]:
    from trading_bot.core.again import decide_again, first_difference
    from trading_bot.core.program import program

    record, then = book.recordings.read(cycle.cycle_id), book.journal.decisions(cycle.cycle_id)
    difference = first_difference(then, decide_again(record, then))
    return {
        "cycle_id": cycle.cycle_id,
        "session": str(cycle.session),
        "decisions": len(then),
        "same": not difference,
        "difference": difference or None,
        "same_program": record.conditions.program == program(),
    }


def _told(compared: dict[str, Any]) -> str:
    from trading_bot.domain.words import counted

    cycle, count = f"{compared['cycle_id']} of {compared['session']}", counted(compared["decisions"], "decision")
    if compared["same"]:
        return f"{cycle}: {count}, and the same again, bit for bit."
    code = "" if compared["same_program"] else " The program has changed since, which may be why."
    return f"{cycle}: {count}, and not the same again: {compared['difference']}.{code}"


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)
