"""`bensbot context`."""

from __future__ import annotations

import sys

from trading_bot.cli.options import Config, Json, book_to_read
from trading_bot.terminal import DONE


def context(*, config: Config = None, as_json: Json = False) -> int:
    """Show how the sectors move, what the news means for what is held, and what you could do about it.

    It writes nothing and trades nothing: recommendations are for you, orders come from strategies and rules alone.
    """
    from trading_bot.config.typed_settings import load_config
    from trading_bot.core.clock import SystemClock
    from trading_bot.core.context import context_now
    from trading_bot.reporting.context import context_as_json, print_context

    settings = load_config(config)
    with book_to_read(config) as book:
        found = context_now(settings, book, SystemClock())
    if as_json:
        sys.stdout.write(context_as_json(found) + "\n")
        return DONE
    from rich.console import Console

    print_context(found, Console(highlight=False, soft_wrap=False))
    return DONE
