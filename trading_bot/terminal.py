"""The person at the terminal: what the commands say, and the codes they exit with."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from contextlib import suppress

from trading_bot.domain.secrets import OF_THIS_PROCESS

DONE, FAILED, WRONG_SETTINGS, INTERRUPTED = 0, 1, 2, 130


SIGNAL_EXIT = 128  # plus the number of the signal, as shells have it


class Stopped(KeyboardInterrupt):
    """The process was asked to end by another signal than Ctrl-C."""

    def __init__(self, number: int) -> None:
        """Remember which signal it was."""
        super().__init__(signal.Signals(number).name)
        self.number = number


def stop_on_signals() -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C, so that every `finally` runs."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, _stop)


def exit_code_of(stop: KeyboardInterrupt) -> int:
    """Return 130 for Ctrl-C, 128 + n for signal n."""
    return SIGNAL_EXIT + stop.number if isinstance(stop, Stopped) else INTERRUPTED


def say(line: str) -> None:
    """Write a line to standard error, secrets masked; standard output is for results.

    A reader who has gone away (`| head`) stops the talking, not the trading.
    """
    with suppress(BrokenPipeError):
        sys.stderr.write(OF_THIS_PROCESS.mask(line) + "\n")
        sys.stderr.flush()


def person() -> str:
    """Return who is typing, for the journal of changes."""
    import getpass

    return f"{getpass.getuser()} (bensbot)"


def hide(values: Iterable[str]) -> None:
    """Mask these values from now on: an error may quote an address with its password."""
    for value in values:
        OF_THIS_PROCESS.register(value)


def _stop(number: int, _frame: object) -> None:
    raise Stopped(number)
