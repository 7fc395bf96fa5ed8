"""All commands of `bensbot`, and how each ends. What a command does not need, it does not import."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, NoReturn

from cyclopts import App, Parameter

from trading_bot import __version__
from trading_bot.cli.options import Config, Json
from trading_bot.domain.errors import BensBotError, PluginError, SettingsError
from trading_bot.terminal import (
    CLOSED_PIPE,
    DONE,
    FAILED,
    WRONG_SETTINGS,
    ended_at_a_closed_pipe,
    exit_code_of,
    hide,
    print_no_more,
    say,
    spell_out_what_cannot_be_shown,
    stop_on_signals,
    what_helps,
)

if TYPE_CHECKING:
    from cyclopts.exceptions import CycloptsError
    from rich.text import Text

    from trading_bot.domain.cycle import CycleReport


def _mistake(error: CycloptsError) -> Text:
    from trading_bot.cli.mistakes import mistake

    return mistake(error)


app = App(
    name="bensbot",
    version=__version__,
    help="An automated US-equities trading bot that explains every decision.",
    help_on_error=False,
    error_formatter=_mistake,
    suppress_keyboard_interrupt=False,  # `run_words` says what became of the cycle
)
app.command("trading_bot.cli.config:app", name="config", help="Look at the settings.")
app.command("trading_bot.cli.strategy:app", name="strategy", help="Write a strategy of your own, and check it.")


def run_words(words: list[str]) -> NoReturn:
    """Do what the words of a command line ask for, and exit."""
    spell_out_what_cannot_be_shown()
    try:
        _explained_by_its_docstring(words)
        try:
            sys.exit(app(words) or DONE)
        finally:
            sys.stdout.flush()  # here, where it is known what to say when it cannot be written
    except (SettingsError, PluginError) as error:
        say(f"bensbot: {error}")
        sys.exit(WRONG_SETTINGS)
    except BensBotError as error:
        say(f"bensbot: {error}")
        sys.exit(FAILED)
    except BrokenPipeError:
        print_no_more()
        sys.exit(CLOSED_PIPE)
    except SystemExit as end:
        sys.exit(CLOSED_PIPE if ended_at_a_closed_pipe(end) else end.code)
    except OSError as error:
        if not (helps := what_helps(error)):
            raise
        if error.filename is None:  # what is printed goes to a file
            print_no_more()
        say(f"bensbot: {f'{error.filename}: ' if error.filename else ''}{error.strerror}. {helps}")
        sys.exit(FAILED)
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
    ("report", "trading_bot.cli.book:report", "Print what a trading day came to, as the book has it."),
    ("archive", "trading_bot.cli.book:archive", "Move old decisions without an order and the like to Parquet files."),
    ("backup", "trading_bot.cli.book:backup", "Copy the book to a file, and the paper account beside it."),
    ("backtest", "trading_bot.cli.backtest:backtest", "Trade the past, and say what came of it."),
    ("tournament", "trading_bot.cli.tournament:tournament", "Rank candidates, and say how far to believe the winner."),
    ("strategies", "trading_bot.cli.strategies:strategies", "Show who decides now, and why."),
    ("why", "trading_bot.cli.journal:why", "Tell why a stock was traded, or why it was not."),
    ("journal", "trading_bot.cli.journal:journal", "List decisions by stock, rule, outcome or day."),
    ("news", "trading_bot.cli.news:news", "List the news that the bot has read, all or about a stock."),
    ("context", "trading_bot.cli.context:context", "Show sectors, what the news means for holdings, and what to do."),
    ("replay", "trading_bot.cli.journal:replay", "Decide a recorded cycle again, and compare bit for bit."),
    ("what-if", "trading_bot.cli.journal:what_if", "Decide a recorded cycle again with other settings."),
    ("data", "trading_bot.cli.data:app", "Keep daily bars in a local history store: import, append, list, check."),
    ("sandbox", "trading_bot.cli.sandbox:sandbox", "Start a broker on this machine that answers as Alpaca does."),
    ("up", "deployments.up:up", "Start a Prefect server and serve the loop on it."),
    ("down", "deployments.up:down", "End what `bensbot up` started."),
    ("serve", "deployments.up:serve", "Serve the loop on the Prefect server that is known here, until stopped."),
    ("status", "deployments.control:status", "Show the trading state, the loop, open orders and positions."),
    ("orders", "trading_bot.cli.broker:orders", "List orders, and what became of them."),
    ("account", "trading_bot.cli.broker:account", "Show the account at the broker beside the book."),
    ("reconcile", "trading_bot.cli.broker:reconcile", "Book what became of open orders, and compare both sides."),
    ("positions", "trading_bot.cli.positions:positions", "Show what is held, and how far away its exits are."),
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
