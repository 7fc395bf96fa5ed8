"""The `bensbot` command: a file for each group of its commands, found by name when one is asked for."""

from trading_bot.cli.start import main

__all__ = ["main"]
