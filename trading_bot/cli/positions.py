"""`bensbot positions`."""

from __future__ import annotations

import sys

from trading_bot.cli.options import Config, Json, book_to_read
from trading_bot.terminal import DONE, fold

UNDER_NAME = 17  # columns of an exit's name


def positions(*, config: Config = None, as_json: Json = False) -> int:
    """Show each position: shares, price paid, price, gain, and how far away every exit is that protects it.

    Prices are the newest closes of the price source; the broker is not asked.
    """
    from trading_bot.config.typed_settings import load_config
    from trading_bot.core.clock import SystemClock
    from trading_bot.core.positions import positions_now
    from trading_bot.reporting.positions import positions_as_json, positions_as_text

    settings = load_config(config)
    with book_to_read(config) as book:
        held = positions_now(settings, book, SystemClock())
    sys.stdout.write((positions_as_json(held) if as_json else fold(positions_as_text(held), under=UNDER_NAME)) + "\n")
    return DONE
