"""The command `python flows/cycle.py`: what it takes, what it says, how it ends.

Nothing heavy is imported before the first line is printed; the server boots while we import.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from flows.server import ServerUnavailable, StartedServer, running_server
from trading_bot.domain.errors import PluginError, SettingsError
from trading_bot.stack import with_room
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
)

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.reporting.outcome import Outcome


NEXT_COMMANDS = (
    ("python flows/cycle.py", "trade the session after"),
    ("bensbot status", "portfolio, open orders and trading state"),
)
STATUS = "`bensbot status` shows how things stand."
WHAT_HELPS = {  # where the reason does not say it itself
    "end_of_data": "`BENSBOT_STATE__FOLDER=again python flows/cycle.py` begins again with an empty book.",
    "market_closed": STATUS,
    "lease_taken": STATUS,
    "stale_tick": STATUS,
    "already_traded": STATUS,
}


class Options(argparse.Namespace):
    """What was typed."""

    sessions: int
    config: Path | None
    as_of: date | None
    json: bool


@with_room
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done or skipped, 1 failed, 2 wrong settings, 128+n signal n."""
    options = _parsed(arguments)
    stop_on_signals()
    spell_out_what_cannot_be_shown()
    try:
        return _run(options)
    except (SettingsError, PluginError) as error:
        say(f"BensBot: {error}")
        return WRONG_SETTINGS
    except ServerUnavailable as error:
        say(f"BensBot: {error}")
        return FAILED
    except BrokenPipeError:
        print_no_more()
        return CLOSED_PIPE
    except SystemExit as end:
        if ended_at_a_closed_pipe(end):
            return CLOSED_PIPE
        raise
    except KeyboardInterrupt as stop:
        say("BensBot: stopped. Whatever was sent before is in the book; the next run goes on from there.")
        return exit_code_of(stop)


def _run(options: Options) -> int:
    say(f"BensBot: trading {_sessions(options)} with {options.config or 'the settings of this folder'}.")
    from trading_bot.config.typed_settings import load_config

    settings = load_config(options.config)
    hide(settings.secret_values())
    with _server(settings) as address:
        _import_all()
        from flows.local import trade

        outcome = trade(address, options.config, options.as_of, sessions=options.sessions, say=say)
    return _told(outcome, options)


def _import_all() -> None:
    """Import what a cycle needs. Hardly any of it becomes garbage, so looking for some is a tenth of the time lost."""
    gc.disable()
    try:
        importlib.import_module("flows.local")
    finally:
        gc.enable()


@contextmanager
def _server(settings: TradingBotSettings) -> Generator[str]:
    """Give the API address of a server that answers, and end it afterwards when it is ours."""
    address = running_server(say)
    if address:
        say(f"Recording the run on the Prefect server {address}.")
        yield address
        return
    say("Starting a Prefect server for this run (about 10 s, the very first time 30 s) …")
    server = StartedServer()
    try:
        _import_all()  # while the server boots
        with _progress():
            server.wait(own_database=settings.state.folder / "prefect.db")
        yield server.address
    finally:
        server.stop()


@contextmanager
def _progress() -> Generator[None]:
    """Turn a wheel on the terminal; say nothing where there is none."""
    from rich.console import Console

    began = time.monotonic()
    console = Console(stderr=True)
    with console.status("Waiting for the server …", spinner="dots"):
        yield
    say(f"The server is up after another {time.monotonic() - began:.1f} s.")


def _told(outcome: Outcome, options: Options) -> int:
    """Print the reports to stdout, whatever stopped them to stderr, and return the exit code."""
    from trading_bot.reporting.outcome import ending, print_outcome

    several = options.sessions > 1
    print_outcome(outcome, several=several, as_json=options.json, next_commands=NEXT_COMMANDS)
    if isinstance(outcome.error, SettingsError | PluginError):
        raise outcome.error
    if told := ending(outcome):
        say(f"{told} {WHAT_HELPS.get(outcome.skipped.code, '') if outcome.skipped else ''}".rstrip())
    return FAILED if outcome.error else DONE


def _sessions(options: Options) -> str:
    if options.as_of:
        return f"the session of {options.as_of}"
    return "the next session" if options.sessions == 1 else f"the next {options.sessions} sessions"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one paragraph."""
        self.exit(WRONG_SETTINGS, f"BensBot: {message}. `{self.prog} --help` lists the options.\n")


def _parsed(arguments: Sequence[str] | None) -> Options:
    parser = _Parser(
        prog="python flows/cycle.py",
        allow_abbrev=False,
        description="Trade the next session and say what was done and why.",
    )
    parser.add_argument("--sessions", type=_count, default=1, metavar="N", help="trade N sessions in a row")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings file (default: config.yaml if there is one)"
    )
    parser.add_argument("--as-of", type=_date, metavar="DATE", help="trade the session of this date, e.g. 2020-03-16")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments, namespace=Options())
    if options.as_of and options.sessions > 1:
        parser.error("--as-of names one session, so leave out --sessions")
    return options


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of sessions; write 1 or more")
    return int(text)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it like 2020-03-16") from None
