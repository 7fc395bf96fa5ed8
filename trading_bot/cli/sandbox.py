"""`bensbot sandbox`: a broker on this machine that answers as Alpaca does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trading_bot.domain.errors import SettingsError
from trading_bot.terminal import DONE, say, stop_on_signals

if TYPE_CHECKING:
    from trading_bot.sandbox.server import Sandbox

PORT = 8765


def sandbox(
    *command: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="A command to run with it, after --; it ends with the command.")
    ],
    port: Annotated[int, Parameter(help="Where to listen on 127.0.0.1; 0 takes a free port.")] = PORT,
) -> int:
    """Start a broker on this machine that answers as Alpaca does: no keys, no network, no money.

    It has the packaged prices, moved to the present, and fills at any hour. It says which settings to use; with a
    command after -- it runs that with these settings, and ends with it. What happened in it is forgotten when it ends.
    """
    stop_on_signals()
    from trading_bot.core.sandbox import sandbox_of_today

    opened = sandbox_of_today(datetime.now(UTC), port=0 if command else port)
    try:
        opened.listen()
    except OSError as error:
        raise SettingsError(f"--port {port}: {error.strerror}. Name another port; 0 takes a free one.") from error
    try:
        return _run(command, opened) if command else _stay(opened)
    finally:
        opened.refuse()


def _run(command: tuple[str, ...], opened: Sandbox) -> int:
    from trading_bot.core.sandbox import variables

    try:
        # What is run is what the user has typed.
        return subprocess.run(command, env={**os.environ, **variables(opened)}, check=False).returncode  # noqa: S603
    except OSError as error:
        raise SettingsError(f"{command[0]} cannot be run: {error.strerror}.") from error


def _stay(opened: Sandbox) -> int:
    """Say what to set, and answer until somebody stops it."""
    from trading_bot.core.sandbox import variables

    say(
        f"A broker answers at {opened.url} as Alpaca does. Account {opened.exchange.account_number}: "
        f"${opened.exchange.cash():,.2f} that are none. Ctrl-C ends it.\nIn another terminal:\n"
    )
    for name, value in variables(opened).items():
        sys.stdout.write(f"export {name}={value}\n")
    sys.stdout.flush()
    threading.Event().wait()
    return DONE
