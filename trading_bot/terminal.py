"""The person at the terminal: what the commands say, and the codes they exit with."""

from __future__ import annotations

import codecs
import errno
import os
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from trading_bot.domain.secrets import OF_THIS_PROCESS

if TYPE_CHECKING:
    import io

DONE, FAILED, WRONG_SETTINGS, INTERRUPTED = 0, 1, 2, 130
NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
NARROWEST = 20  # columns beside a head; less room than that is no room for words
SPELT_OUT = "bensbot.spelt-out"  # an error handler of codecs


SIGNAL_EXIT = 128  # plus the number of the signal, as shells have it
CLOSED_PIPE = SIGNAL_EXIT + signal.SIGPIPE  # whoever reads has read enough, as `| head` has


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


def fold(text: str, *, under: int) -> str:
    """Fold what is wider than the window, and let it go on below column `under`.

    Where nobody looks (a file, a pipe) and COLUMNS does not say how wide lines may be, each stays one line, for `grep`.
    """
    if "COLUMNS" not in os.environ and not sys.stdout.isatty():
        return text
    import shutil
    import textwrap

    width = max(shutil.get_terminal_size().columns, under + NARROWEST)
    fill = textwrap.TextWrapper(
        width, subsequent_indent=" " * under, break_long_words=False, break_on_hyphens=False, expand_tabs=False
    ).fill
    return "\n".join(fill(line) if len(line) > width else line for line in text.split("\n"))


def print_no_more() -> None:
    """Let what is left to be flushed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def ended_at_a_closed_pipe(end: SystemExit) -> bool:
    """Say whether rich ended the program because nobody reads any more: it does so by itself, with another code."""
    return isinstance(end.__context__, BrokenPipeError)


def spell_out_what_cannot_be_shown() -> None:
    """Print the code of a letter that the terminal's encoding lacks, instead of failing after the work is done.

    It is written as JSON writes it, so that documents stay documents. Python spells out standard error by itself.
    """
    codecs.register_error(SPELT_OUT, _spelt_out)
    if sys.stdout.errors == "strict":
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors=SPELT_OUT)


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{unit:04x}" for (unit,) in struct.iter_unpack(">H", units)), error.end


def what_helps(error: OSError) -> str:
    """Return what to do when the system does not let us read or write; empty where the error is of another kind."""
    if error.errno in NO_RIGHT:
        return "Name a place that this user may use."
    if error.errno in IN_THE_WAY:
        return "Something else is in the way there: move it, or name another place."
    return "Make room, and ask again." if error.errno in NO_ROOM else ""


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
