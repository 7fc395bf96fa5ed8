"""The `bensbot` command. What a command does not need, it does not import."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from trading_bot import __version__
from trading_bot.domain.errors import BensBotError, PluginError, SettingsError, StateError
from trading_bot.terminal import DONE, FAILED, WRONG_SETTINGS, exit_code_of, hide, say, stop_on_signals

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.domain.cycle import CycleReport
    from trading_bot.state.manager import StateManager


CLOSED_PIPE = 128 + signal.SIGPIPE  # as a shell reports it

app = App(
    name="bensbot",
    version=__version__,
    help="An automated US-equities trading bot that explains every decision.",
    help_on_error=False,
    suppress_keyboard_interrupt=False,  # `main` says what became of the cycle
)
config_app = App(name="config", help="Look at the settings.")
app.command(config_app)
app.command("trading_bot.cli_strategy:app", name="strategy", help="Write a strategy of your own, and check it.")

Config = Annotated[
    Path | None, Parameter(name="--config", help="Settings file; else config.yaml here, if there is one.")
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for machines.")]


def main() -> None:
    """Run the command line and exit: 0 done or skipped, 1 failed, 2 wrong settings, 130 or 128 + n stopped."""
    try:
        _explained_by_its_docstring(sys.argv[1:])
        sys.exit(app(sys.argv[1:]) or DONE)
    except (SettingsError, PluginError) as error:
        say(f"bensbot: {error}")
        sys.exit(WRONG_SETTINGS)
    except BensBotError as error:
        say(f"bensbot: {error}")
        sys.exit(FAILED)
    except BrokenPipeError:  # whoever reads has read enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to be flushed goes nowhere
        sys.exit(CLOSED_PIPE)
    except KeyboardInterrupt as stop:
        say("bensbot: stopped. Whatever was sent before is in the book; the next run goes on from there.")
        sys.exit(exit_code_of(stop))


@app.command
def run(
    *,
    once: Annotated[bool, Parameter(negative="", help="Run one cycle and stop.")] = False,
    sessions: Annotated[int | None, Parameter(help="Run so many cycles and stop.")] = None,
    as_of: Annotated[date | None, Parameter(help="Trade this session, e.g. 2022-03-16; with --once.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Trade without a Prefect server: the next session once, or in a loop until stopped."""
    cycles = _cycles_asked(once, sessions, as_of)
    stop_on_signals()
    from trading_bot.config.typed_settings import load_config

    settings = load_config(config)
    hide(settings.secret_values())
    from trading_bot.core.bot import secrets_of
    from trading_bot.core.logs import configure_logging
    from trading_bot.core.main_orchestrator import MainOrchestrator
    from trading_bot.reporting.outcome import ending, print_outcome

    level = settings.orchestrator.logging_level
    configure_logging(
        folder=settings.state.folder,
        level=level,
        terminal_level="CRITICAL" if cycles else level,
        secrets=secrets_of(settings),
    )
    orchestrator = MainOrchestrator(settings, tell=None if cycles == 1 else _tell_one)
    orchestrator.run(cycles=cycles, as_of=as_of)
    print_outcome(orchestrator.outcome, several=cycles != 1, as_json=as_json, next_commands=NEXT_COMMANDS)
    if told := ending(orchestrator.outcome):
        say(told)
    return FAILED if orchestrator.outcome.error else DONE


def _cycles_asked(once: bool, sessions: int | None, as_of: date | None) -> int | None:
    """Return how many cycles to run, None for a loop without end. Raises SettingsError on a contradiction."""
    if sessions is not None and sessions < 1:
        raise SettingsError(f"--sessions {sessions} is no number of cycles; write 1 or more.")
    if once and sessions is not None:
        raise SettingsError("--once is one cycle and --sessions names another number; write one of them.")
    if as_of is not None and not once:
        raise SettingsError("--as-of names one session; write --once with it.")
    return 1 if once else sessions


def _tell_one(report: CycleReport) -> None:
    from trading_bot.reporting.line import cycle_line

    say(cycle_line(report))


NEXT_COMMANDS = (("bensbot run --once", "trade the session after"), ("bensbot status", "state, orders and positions"))


# Found by name, so that the list of commands brings nothing along. Those of deployments/ look at the loop, too, so they
# know Prefect; this house does not.
ELSEWHERE = (
    ("backtest", "trading_bot.cli_backtest:backtest", "Trade the past, and say what came of it."),
    ("tournament", "trading_bot.cli_tournament:tournament", "Rank candidates, and say how far to believe the winner."),
    ("strategies", "trading_bot.cli_strategies:strategies", "Show who decides now, and why."),
    ("why", "trading_bot.cli_journal:why", "Tell why a stock was traded, or why it was not."),
    ("journal", "trading_bot.cli_journal:journal", "List decisions by stock, rule, outcome or day."),
    ("replay", "trading_bot.cli_journal:replay", "Decide a recorded cycle again, and compare bit for bit."),
    ("what-if", "trading_bot.cli_journal:what_if", "Decide a recorded cycle again with other settings."),
    ("data", "trading_bot.cli_data:app", "Keep daily bars in a local history store: import, append, list, check."),
    ("sandbox", "trading_bot.cli_sandbox:sandbox", "Start a broker on this machine that answers as Alpaca does."),
    ("up", "deployments.up:up", "Start a Prefect server and serve the loop on it."),
    ("down", "deployments.up:down", "End what `bensbot up` started."),
    ("serve", "deployments.up:serve", "Serve the loop on the Prefect server that is known here, until stopped."),
    ("status", "deployments.control:status", "Show the trading state, the loop, open orders and positions."),
    ("orders", "trading_bot.cli_broker:orders", "List orders, and what became of them."),
    ("account", "trading_bot.cli_broker:account", "Show the account at the broker beside the book."),
    ("reconcile", "trading_bot.cli_broker:reconcile", "Book what became of open orders, and compare both sides."),
    ("positions", "trading_bot.cli_positions:positions", "Show what is held, and how far away its exits are."),
    ("doctor", "deployments.doctor:doctor", "Check everything before money depends on it."),
    ("metrics", "deployments.control:metrics", "Print what the trading came to."),
    ("start", "deployments.control:start", "Let the loop go on after `bensbot stop`."),
    ("stop", "deployments.control:stop", "Stop the loop until `bensbot start`."),
    ("pause", "deployments.control:pause", "Keep everything, do nothing, until `bensbot resume`."),
    ("resume", "deployments.control:resume", "Trade again after a pause, a halt, failures or a portfolio stop."),
    ("halt", "deployments.control:halt", "Stop at once, as in an emergency."),
    ("flatten", "deployments.control:flatten", "Cancel what would buy and sell what is held."),
    ("automations", "deployments.automations:app", "Let the Prefect server watch the loop: apply, list, remove."),
    ("deployments", "deployments.listing:deployments", "List what is deployed, and when its next runs are due."),
)
for _name, _where, _help in ELSEWHERE:
    app.command(_where, name=_name, help=_help)


def _explained_by_its_docstring(words: list[str]) -> None:
    """Take the line of the list off the command that is asked for, so that its help is all that its docstring says."""
    if any(words[:1] == [name] for name, where, _ in ELSEWHERE if not where.endswith(":app")):
        app[words[0]].help = None  # imports it


@app.command
def report(
    *,
    session: Annotated[date | None, Parameter(help="Report this day, e.g. 2022-03-16; else the newest.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Print what a trading day came to, as the book has it."""
    from trading_bot.core.end_of_day import day_in_book
    from trading_bot.reporting.day_json import day_as_json
    from trading_bot.reporting.day_text import day_text

    with book_to_read(config) as book:
        day = day_in_book(book, session)
    sys.stdout.write((day_as_json(day) if as_json else day_text(day)) + "\n")
    return DONE


@app.command
def archive(
    *,
    before: Annotated[date | None, Parameter(help="Sessions before this day are old, e.g. 2023-01-01.")] = None,
    keep_days: Annotated[int | None, Parameter(help="Keep so many days, in months; else state.keep_days.")] = None,
    folder: Annotated[Path | None, Parameter(help="Where the files go; else `archive` in the state folder.")] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Only count.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Move old decisions without an order, skipped cycles and durations to Parquet files."""
    if before is not None and keep_days is not None:
        raise SettingsError("--before names a day and --keep-days another; write one of them.")
    if keep_days is not None and keep_days < 0:
        raise SettingsError(f"--keep-days {keep_days} is no number of days; write 0 (for ever) or more.")
    settings = _settings_with_a_book(config)
    from trading_bot.core.archive import archive_old, first_day_kept
    from trading_bot.core.bot import open_book
    from trading_bot.core.clock import SystemClock
    from trading_bot.reporting.archived import archived_as_json, archived_as_text

    clock, days = SystemClock(), settings.state.keep_days if keep_days is None else keep_days
    with open_book(settings, clock=clock) as book:
        limit = before or first_day_kept(book, days)
        result = archive_old(settings.state, book, before=limit, clock=clock, folder=folder, dry_run=dry_run)
    sys.stdout.write((archived_as_json(result) if as_json else archived_as_text(result)) + "\n")
    return DONE


@app.command
def backup(file: Path, *, config: Config = None) -> int:
    """Copy the book to FILE, and the paper account beside it, while the bot trades."""
    settings = _settings_with_a_book(config)
    from trading_bot.core.backup import back_up

    for copy in back_up(settings, file):
        sys.stdout.write(f"{copy}\n")
    return DONE


@config_app.command(name="show")
def config_show(*, config: Config = None, as_json: Json = False) -> int:
    """Print every setting, its value and where that came from. Secrets are masked."""
    from trading_bot.config.show import origins_as_json, origins_as_text
    from trading_bot.config.typed_settings import explain_config

    origins = explain_config(config)
    sys.stdout.write((origins_as_json(origins) if as_json else origins_as_text(origins)) + "\n")
    return DONE


@config_app.command(name="check")
def config_check(file: Path) -> int:
    """Check a settings file, its plug-ins with their options, and whether the prices are there."""
    from trading_bot.config.typed_settings import load_config
    from trading_bot.core.bot import check_plugins, check_prices

    settings = load_config(file)
    check_plugins(settings)
    check_prices(settings)
    refused = _refused_by_a_schedule(settings)
    say(f"{file} is fine for `bensbot run`, but not for `bensbot up`: {refused}" if refused else f"{file} is fine.")
    return DONE


def _refused_by_a_schedule(settings: TradingBotSettings) -> str | None:
    """Say what keeps a schedule from ticking so; the plain loop takes every interval."""
    from trading_bot.core.schedule import tick_times

    if not settings.orchestrator.market_hours_only:
        return None
    try:
        tick_times(settings.orchestrator.loop_interval_seconds, settings.hours.windows)
    except SettingsError as error:
        return str(error)
    return None


@contextmanager
def book_to_read(config: Path | None) -> Generator[StateManager]:
    """Open the book that is there, for reading only. Raises StateError."""
    from trading_bot.core.bot import book_url
    from trading_bot.state.manager import open_read_only

    settings = _settings_with_a_book(config)
    with open_read_only(book_url(settings), busy_timeout_seconds=settings.state.busy_timeout_seconds) as book:
        yield book


def _settings_with_a_book(config: Path | None) -> TradingBotSettings:
    from trading_bot.config.typed_settings import load_config

    settings = load_config(config)
    hide(settings.secret_values())
    if settings.state.url is None and not (settings.state.folder / "bensbot.db").exists():
        raise StateError(f"{settings.state.folder} holds no book yet. The first cycle makes one: bensbot run --once")
    return settings
