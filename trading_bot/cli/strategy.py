"""`bensbot strategy`: write a strategy of your own, and check it before it trades."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from trading_bot.domain.errors import PluginError
from trading_bot.terminal import DONE, FAILED, fold

if TYPE_CHECKING:
    from trading_bot.core.authoring.check import Finding

UNDER_WORD = 10  # column at which what was found begins

app = App(name="strategy", help="Write a strategy of your own, and check it.")


@app.command
def new(
    name: str,
    *,
    folder: Annotated[Path | None, Parameter(help="Where both files go; else into this project, or here.")] = None,
) -> int:
    """Write a commented strategy NAME that passes every check, and its test. Nothing is overwritten."""
    from trading_bot.core.authoring.files import write_strategy

    written = write_strategy(name, folder, Path.cwd())
    strategy, test = _short(written.strategy), _short(written.test)
    lines = [
        f"Wrote {strategy}",
        f"Wrote {test}",
        f"Check it: bensbot strategy check {strategy}",
        f"Test it: pytest {test}",
    ]
    if not written.is_scanned:
        lines += ["", *_how_it_is_found(name, strategy.parent)]
    sys.stdout.write("\n".join(lines) + "\n")
    return DONE


@app.command
def check(file: Path) -> int:
    """Import the strategies in FILE and try them on packaged prices and hard cases; exit 1 when one fails.

    Above all it looks for look-ahead: whether an opinion changes when later sessions become known.
    """
    from trading_bot.core.authoring.check import findings, remarks
    from trading_bot.core.authoring.files import names_in_file
    from trading_bot.strategies.registry import STRATEGIES

    lines: list[str] = []
    failed = False
    try:
        for name in names_in_file(file):
            strategy = STRATEGIES.build(name, {})
            found = findings(strategy)
            kept = all(one.is_kept for one in found)
            notes = [f"  note    {said}" for said in remarks(strategy)] if kept else []
            lines += [f"{file}: {strategy}", *(line for one in found for line in _lines(one)), *notes]
            failed |= not kept
    except PluginError as error:
        failed = True
        lines.append(f"{file}: {error}")
    sys.stdout.write(fold("\n".join(lines), under=UNDER_WORD) + "\n")
    return FAILED if failed else DONE


def _how_it_is_found(name: str, folder: Path) -> list[str]:
    """Return how a strategy outside this project gets into the bot: an entry point of an installed package."""
    return [
        "The bot finds it once it is installed beside bensbot. In a pyproject.toml next to",
        "it (in one of your own, the entry point is enough):",
        "  [project]",
        '  name = "my-strategies"',
        '  version = "1"',
        '  [project.entry-points."bensbot.plugins"]',
        f'  {name} = "{name}"',
        "  [tool.setuptools]",
        f'  py-modules = ["{name}"]',
        f"Install it: pip install -e {folder}",
        f"Try it: bensbot backtest --strategy {name}",
    ]


def _lines(finding: Finding) -> list[str]:
    if finding.is_kept:
        return [f"  ok      {finding.promise}"]
    return [f"  FAILED  {finding.promise}", f"          {finding.problem}.", f"          To change: {finding.advice}"]


def _short(path: Path) -> Path:
    """Return the path as it is written from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
