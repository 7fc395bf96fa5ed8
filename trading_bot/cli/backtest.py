"""`bensbot backtest`: what would the bot have come to?"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trading_bot.cli.options import Config, require_writable
from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE

if TYPE_CHECKING:
    from trading_bot.domain.backtest import BacktestResult

SHOWN_EVERY = 2.0  # seconds between two signs of life


Source = Annotated[str | None, Parameter(help="Price source; else data.source.")]
Symbols = Annotated[str | None, Parameter(help="Only these, like AAPL,MSFT.")]
Assignments = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative_iterable="",
        show_default=False,
        help="A setting, like risk.max_open_trades=10; may be there repeatedly.",
    ),
]
JsonFile = Annotated[
    Path | None, Parameter(allow_leading_hyphen=True, help="Write everything to this file; - prints it.")
]


@dataclass(frozen=True, slots=True)
class Options:
    """What can be typed."""

    strategy: Annotated[
        tuple[str, ...],
        Parameter(
            negative_iterable="",
            show_default=False,
            help="A strategy, like sma_cross:fast=10,slow=30; may be there several times.",
        ),
    ] = ()
    first: Annotated[date | None, Parameter(name="--from", help="First session, like 2015-01-02; else data.start.")] = (
        None
    )
    last: Annotated[date | None, Parameter(name="--to", help="Last session; else the newest one there is.")] = None
    source: Source = None
    symbols: Symbols = None
    cash: Annotated[Decimal | None, Parameter(help="Dollars to begin with.")] = None
    engine: Annotated[str | None, Parameter(help="replay (as the bot trades) or vectorised (a plain ledger).")] = None
    trials: Annotated[int, Parameter(help="How many variants were tried, this one included: the notes count them.")] = 1
    assignments: Assignments = ()
    config: Config = None
    json: JsonFile = None
    report: Annotated[Path | None, Parameter(help="Write a page to this file, to be opened in a browser.")] = None


def backtest(*, options: Annotated[Options, Parameter(name="*")] = Options()) -> int:  # frozen
    """Trade the past with the code that trades today, and say what came of it.

    Each session goes through the same steps, strategies, risk rules and paper broker as in `bensbot run`. Nothing is
    written but what --json and --report name; the book is not touched.
    """
    require_writable("--json", options.json)
    require_writable("--report", options.report)
    from trading_bot.backtest.run import Wanted
    from trading_bot.backtest.run import backtest as trade_again

    wanted = Wanted(
        config=options.config,
        strategies=options.strategy,
        first=options.first,
        last=options.last,
        source=options.source,
        symbols=split_symbols(options.symbols),
        cash=options.cash,
        engine=options.engine,
        assignments=options.assignments,
        trials=options.trials,
    )
    result = trade_again(wanted, _Progress() if sys.stderr.isatty() else None)
    _write(result, options.json, options.report)
    return DONE


def split_symbols(listed: str | None) -> tuple[str, ...]:
    """Return the symbols of `AAPL,MSFT`, () where the option is not there. Raises SettingsError where it names none."""
    if listed is None:
        return ()
    symbols = tuple(symbol.strip() for symbol in listed.split(",") if symbol.strip())
    if not symbols:
        raise SettingsError("--symbols names none; write them like AAPL,MSFT, or leave it out to take all.")
    return symbols


def _write(result: BacktestResult, json_file: Path | None, report: Path | None) -> None:
    from trading_bot.reporting.backtest_text import backtest_text

    if report is not None:
        from trading_bot.reporting.backtest_html import backtest_html

        report.write_text(backtest_html(result), encoding="utf-8")
    if json_file is not None:
        from trading_bot.reporting.backtest_json import backtest_as_json

        if str(json_file) == "-":
            sys.stdout.write(backtest_as_json(result) + "\n")
            return
        json_file.write_text(backtest_as_json(result) + "\n", encoding="utf-8")
    sys.stdout.write(backtest_text(result) + "\n")
    for name, file in (("Page", report), ("JSON", json_file)):
        if file is not None:
            sys.stdout.write(f"{name}: {file}\n")


class _Progress:
    """Shows on a terminal how far it has come."""

    def __init__(self) -> None:
        self._shown = time.monotonic()

    def __call__(self, session: date, equity: Decimal) -> None:
        if time.monotonic() - self._shown >= SHOWN_EVERY:
            self._shown = time.monotonic()
            sys.stderr.write(f"\r{session}  ${equity:,.2f} ")
            sys.stderr.flush()
