"""What came of one or several cycles, as the commands that run them tell it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from trading_bot.domain.cycle import CycleReport
from trading_bot.domain.errors import CycleSkipped
from trading_bot.domain.secrets import OF_THIS_PROCESS
from trading_bot.domain.words import sentence
from trading_bot.reporting.as_json import FORMAT, report_as_json, skip_as_json


@dataclass(frozen=True, slots=True)
class Outcome:
    """The cycles that traded, oldest first, and why the last one did not, if it did not."""

    reports: tuple[CycleReport, ...] = ()
    skipped: CycleSkipped | None = None
    error: BaseException | None = None


def outcome_as_json(outcome: Outcome, *, several: bool) -> str:
    """Return one document, or a list when `several` cycles were asked for; what ended them comes last."""
    documents = [report_as_json(report) for report in outcome.reports]
    if outcome.skipped is not None:
        documents.append(skip_as_json(outcome.skipped.code, str(outcome.skipped)))
    if outcome.error is not None:
        failed = {"status": "failed", "code": type(outcome.error).__name__, "message": _words(outcome.error)}
        documents.append(json.dumps({"format": FORMAT, **failed}, indent=2))
    return "[" + ",\n".join(documents) + "]" if several else documents[-1]


def print_outcome(outcome: Outcome, *, several: bool, as_json: bool, next_commands: Sequence[tuple[str, str]]) -> None:
    """Write the reports to standard output: for machines, or for people. `ending` tells the rest."""
    if as_json:
        sys.stdout.write(outcome_as_json(outcome, several=several) + "\n")
        return
    if not outcome.reports:
        return
    from rich.console import Console

    from trading_bot.reporting.console import print_report, print_run

    if several:
        print_run(outcome.reports, Console(), next_commands=next_commands)
    else:
        print_report(outcome.reports[-1], Console(), next_commands=next_commands)


def ending(outcome: Outcome) -> str:
    """Return why the last cycle did not trade and what helps; empty when it traded."""
    if outcome.skipped is not None:
        return f"BensBot did not trade: {sentence(str(outcome.skipped))}"
    if outcome.error is not None:
        return (
            f"BensBot: the cycle failed. {type(outcome.error).__name__}: {sentence(_words(outcome.error))} "
            "`bensbot status` says when the next cycle may start."
        )
    return ""


def _words(error: BaseException) -> str:
    return OF_THIS_PROCESS.mask(str(error))  # an error may quote an address with its key
