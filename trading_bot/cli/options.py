"""What most commands take, and the book that most of them read."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trading_bot.domain.errors import SettingsError, StateError
from trading_bot.terminal import hide

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.state.manager import StateManager

Config = Annotated[
    Path | None, Parameter(name="--config", help="Settings file; else config.yaml here, if there is one.")
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for machines.")]


@contextmanager
def book_to_read(config: Path | None) -> Generator[StateManager]:
    """Open the book that is there, for reading only. Raises StateError."""
    from trading_bot.core.book import book_url
    from trading_bot.state.manager import open_read_only

    settings = settings_with_a_book(config)
    with open_read_only(book_url(settings), busy_timeout_seconds=settings.state.busy_timeout_seconds) as book:
        yield book


def settings_with_a_book(config: Path | None) -> TradingBotSettings:
    """Read the settings. Raises StateError when their folder holds no book yet."""
    from trading_bot.config.typed_settings import load_config

    settings = load_config(config)
    hide(settings.secret_values())
    if settings.state.url is None and not (settings.state.folder / "bensbot.db").exists():
        raise StateError(f"{settings.state.folder} holds no book yet. The first cycle makes one: bensbot run --once")
    return settings


def require_writable(option: str, file: Path | None) -> None:
    """Refuse a file that cannot be written, before anything is computed. Raises SettingsError."""
    if file is None or str(file) == "-":
        return
    try:
        if not file.parent.is_dir():
            raise SettingsError(f"{option} {file}: there is no folder {file.parent}")
        if file.is_dir():
            raise SettingsError(f"{option} {file} is a folder; name a file in it.")
        is_new = not file.exists()
        if is_new or file.is_file():  # another program may read from anything else: it is opened once only
            file.open("ab").close()
        if is_new:
            file.unlink()
    except OSError as error:
        raise SettingsError(f"{option} {file} cannot be written: {error.strerror}. Name another file.") from error
