"""`bensbot tournament`: which candidate did best, and was it luck?"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trading_bot.cli.backtest import Assignments, JsonFile, Source, Symbols, split_symbols
from trading_bot.cli.options import Config, require_writable
from trading_bot.terminal import DONE

if TYPE_CHECKING:
    from trading_bot.domain.tournament_result import TournamentResult


@dataclass(frozen=True, slots=True)
class Options:
    """What can be typed."""

    strategy: Annotated[
        tuple[str, ...],
        Parameter(
            negative_iterable="",
            show_default=False,
            help="A candidate, like sma_cross:fast=10,slow=30; a list is a grid, like 'sma_cross:fast=[5,10,20]'. "
            "May be there several times; else rotation.candidates and strategy.team compete.",
        ),
    ] = ()
    first: Annotated[date | None, Parameter(name="--from", help="Oldest session to look at; else all there are.")] = (
        None
    )
    last: Annotated[date | None, Parameter(name="--to", help="Newest session; else the newest one there is.")] = None
    source: Source = None
    symbols: Symbols = None
    criterion: Annotated[
        str | None, Parameter(help="sharpe, sortino, return or drawdown; else rotation.criterion.")
    ] = None
    walk_forward: Annotated[
        bool, Parameter(negative="", help="What would choosing by the past have earned, again and again?")
    ] = False
    costs: Annotated[bool, Parameter(negative="", help="Try the winner at 0, 1, 2 and 4 times the costs.")] = False
    assignments: Assignments = ()
    config: Config = None
    json: JsonFile = None


def tournament(*, options: Annotated[Options, Parameter(name="*")] = Options()) -> int:  # frozen
    """Rank candidates as the rotation does, and say how far to believe the winner.

    Each candidate trades all symbols on its own over the last rotation.windows sessions, after costs. Nothing is
    written but what --json names; the book is not touched.
    """
    require_writable("--json", options.json)
    from trading_bot.backtest.run import Wanted
    from trading_bot.backtest.tournament import TournamentWanted
    from trading_bot.backtest.tournament import tournament as compare

    wanted = Wanted(
        config=options.config,
        strategies=options.strategy,
        first=options.first,
        last=options.last,
        source=options.source,
        symbols=split_symbols(options.symbols),
        assignments=options.assignments,
    )
    asked = TournamentWanted(wanted, options.criterion, walk_forward=options.walk_forward, costs=options.costs)
    _write(compare(asked), options.json)
    return DONE


def _write(result: TournamentResult, json_file: Path | None) -> None:
    from trading_bot.reporting.tournament_text import tournament_text

    if json_file is not None:
        from trading_bot.reporting.tournament_json import tournament_as_json

        if str(json_file) == "-":
            sys.stdout.write(tournament_as_json(result) + "\n")
            return
        json_file.write_text(tournament_as_json(result) + "\n", encoding="utf-8")
    sys.stdout.write(tournament_text(result) + "\n")
    if json_file is not None:
        sys.stdout.write(f"JSON: {json_file}\n")
