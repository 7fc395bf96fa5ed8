"""Where log lines go: all of them to a file beside the book, the important ones to the terminal."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from trading_bot.domain.errors import SettingsError
from trading_bot.domain.secrets import MaskingFilter, Secrets

FORMAT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
LARGEST_FILE = 5_000_000  # bytes; five older ones are kept


def configure_logging(*, folder: Path, level: str, terminal_level: str, secrets: Secrets) -> None:
    """Send our log lines to `folder`/bensbot.log and, from `terminal_level` on, to standard error.

    Called once by whoever starts the process. Calling it again replaces the earlier handlers. Secrets
    are masked in every line, those of the libraries we use included.

    Raises:
        SettingsError: the folder cannot be made or written to.
    """
    file = _file_in(folder)
    file.setLevel(level)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(terminal_level)
    ours = logging.getLogger("trading_bot")
    for old in list(ours.handlers):
        ours.removeHandler(old)
        old.close()
    for handler in (file, terminal):
        handler.setFormatter(logging.Formatter(FORMAT))
        handler.addFilter(MaskingFilter(secrets))
        ours.addHandler(handler)
    ours.setLevel(level)
    ours.propagate = False  # each line once, whatever the host process has configured


def _file_in(folder: Path) -> logging.Handler:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return logging.handlers.RotatingFileHandler(
            folder / "bensbot.log", maxBytes=LARGEST_FILE, backupCount=5, encoding="utf-8"
        )
    except OSError as error:
        raise SettingsError(
            f"state.folder = {str(folder)!r} cannot be used: {error.strerror}. "
            "Name a folder that this user may write to."
        ) from error
