"""Where the settings say that the book is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading_bot.core.clock import SystemClock
from trading_bot.state.manager import StateManager

if TYPE_CHECKING:
    from trading_bot.config.typed_settings import TradingBotSettings
    from trading_bot.domain.ports import Clock


def book_url(settings: TradingBotSettings) -> str:
    """Return the database URL of the book."""
    if settings.state.url is not None:
        return settings.state.url.get_secret_value()
    return f"sqlite:///{settings.state.folder / 'bensbot.db'}"


def open_book(settings: TradingBotSettings, *, clock: Clock | None = None) -> StateManager:
    """Open the book alone, without broker and prices: for the commands that only read or switch."""
    timeout = settings.state.busy_timeout_seconds
    return StateManager.open(book_url(settings), clock=clock or SystemClock(), busy_timeout_seconds=timeout)
