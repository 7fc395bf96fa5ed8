"""Where `bensbot` begins: what makes Python load and call quickly comes before anything is loaded."""

from __future__ import annotations

import atexit
import gc
import os
import sys

from trading_bot.stack import with_room

SELDOM = 200_000  # new objects until Python looks for garbage: more than a command loads, where there is none


@with_room
def main() -> None:
    """Run the command line and exit: 0 done or skipped, 1 failed, 2 wrong settings, 130 or 128 + n stopped."""
    gc.set_threshold(SELDOM)
    atexit.register(gc.freeze)  # nor does Python look once more before it ends: that took a quarter of a short command
    # To look for pydantic's plug-ins is to read what each installed package says of itself; the bot has none of them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from trading_bot.cli.commands import run_words

    run_words(sys.argv[1:])
