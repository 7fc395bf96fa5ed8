"""The owner's switch: what halting, pausing and resuming mean, for the command line and for Prefect alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.book import open_book
from trading_bot.domain.cycle import ControlState, TradingState
from trading_bot.domain.errors import SettingsError, StateError
from trading_bot.domain.words import sentence
from trading_bot.state.manager import StateManager

if TYPE_CHECKING:
    from trading_bot.domain.ports import Clock


def open_book_to_switch(settings: TradingBotSettings, *, clock: Clock | None = None) -> StateManager:
    """Open the book that is there: a switch must not make an empty one in the wrong folder. Raises StateError.

    Neither broker nor prices are asked: a halt has to work when they do not.
    """
    if settings.state.url is None and not (settings.state.folder / "bensbot.db").exists():
        raise StateError(f"{settings.state.folder} holds no book yet. The first cycle makes one: bensbot run --once")
    return open_book(settings, clock=clock)


def resume(book: StateManager, *, because: str, who: str, ack: bool) -> ControlState:
    """Let the bot trade again: failures are forgotten, and drawdown counts from here.

    Raises:
        SettingsError: trading is halted, and nobody says that the cause is known (`ack`).
        StateError: the same, when it was halted in this very moment.
    """
    require_acknowledgement(book.control.read(), ack=ack, command="bensbot resume --ack")
    return book.control.set_state(TradingState.ACTIVE, cause=because, who=who, acknowledged=ack)


def require_acknowledgement(control: ControlState, *, ack: bool, command: str) -> None:
    """Raise SettingsError when trading is halted and nobody says `ack`; `command` is what helps."""
    if control.state is TradingState.HALTED and not ack:
        raise SettingsError(
            f"Trading is halted since {control.changed_at:%Y-%m-%d %H:%M} UTC: {sentence(control.cause)} "
            f"When you know that it is safe to go on: {command}"
        )
