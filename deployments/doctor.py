"""`bensbot doctor`: look at everything before money depends on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from trading_bot.cli.options import Config, Json
from trading_bot.terminal import DONE, FAILED, fold, hide

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.core.preflight import Finding


UNDER_PART = 16  # columns of a verdict and the part that it is about


def doctor(*, config: Config = None, as_json: Json = False) -> int:
    """Check plug-ins, disk, book, prices, positions, news, broker, notices and Prefect; exit 1 when something fails.

    The book is read as a whole and held against the ledger's laws, and against the account at the broker. Nothing is
    created, sent or changed.
    """
    from trading_bot.config.typed_settings import load_config
    from trading_bot.core.clock import SystemClock
    from trading_bot.core.preflight import Verdict, examine

    settings = load_config(config)
    hide(settings.secret_values())
    found = [*examine(settings, SystemClock()), _prefect(settings)]
    if as_json:
        sys.stdout.write(json.dumps(_document(found), indent=2) + "\n")
    else:
        lines = "\n".join(line for finding in found for line in _lines(finding))
        sys.stdout.write(fold(lines, under=UNDER_PART) + "\n")
    return FAILED if any(finding.verdict is Verdict.FAIL for finding in found) else DONE


def _prefect(settings: TradingBotSettings) -> Finding:
    """Look whether a server answers; Prefect itself is not imported."""
    from deployments.place import find_server
    from trading_bot.core.preflight import Finding, Verdict

    installed, server = version("prefect"), find_server(settings)
    if server is None:
        said = f"{installed} is installed; no server is known here, and `bensbot run` needs none"
        return Finding("prefect", Verdict.PASS, said)
    if server.answers:
        return Finding("prefect", Verdict.PASS, f"{installed} is installed; {server.address} answers")
    fix = "start it (`bensbot up`), or unset PREFECT_API_URL"
    return Finding("prefect", Verdict.WARN, f"the server at {server.address} does not answer", fix)


def _lines(finding: Finding) -> Sequence[str]:
    head = f"{finding.verdict.value}  {finding.part:<9} {finding.said}"
    broken = [f"{'':{UNDER_PART}}{each.law}: {each.subject}: {each.message}" for each in finding.violations]
    return [head, *broken, *([f"{'':{UNDER_PART}}-> {finding.fix}"] if finding.fix else [])]


def _document(found: Sequence[Finding]) -> dict[str, Any]:
    broken = [each for finding in found for each in finding.violations]
    return {
        "ok": all(finding.verdict.value != "fail" for finding in found),
        "checks": [
            {"part": finding.part, "verdict": finding.verdict.value, "said": finding.said, "fix": finding.fix}
            for finding in found
        ],
        "violations": [{"law": each.law, "subject": each.subject, "message": each.message} for each in broken],
    }
