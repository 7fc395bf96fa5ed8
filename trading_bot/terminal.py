"""The person at the terminal: what the commands say, and the codes they exit with."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from trading_bot.domain.secrets import OF_THIS_PROCESS

DONE, FAILED, WRONG_SETTINGS, INTERRUPTED = 0, 1, 2, 130


def say(line: str) -> None:
    """Write a line to standard error, secrets masked; standard output is for results."""
    sys.stderr.write(OF_THIS_PROCESS.mask(line) + "\n")
    sys.stderr.flush()


def hide(values: Iterable[str]) -> None:
    """Mask these values from now on: an error may quote an address with its password."""
    for value in values:
        OF_THIS_PROCESS.register(value)
