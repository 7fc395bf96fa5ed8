"""Make Prefect's logs fit for a trading bot: our level, no secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import Bot, secrets_of
from trading_bot.domain.secrets import MaskingFilter


def prepare_logs(bot: Bot) -> None:
    """Prepare them for the bot's settings and for what its channels added to the secrets."""
    mask_logs(bot.settings)


def mask_logs(settings: TradingBotSettings) -> None:
    """Write from `orchestrator.logging_level` on, and mask the secrets on every handler there is.

    Prefect sends its log lines to the server through handlers of its own, tracebacks included.
    """
    logging.getLogger("trading_bot").setLevel(settings.orchestrator.logging_level)
    mask = MaskingFilter(secrets_of(settings))
    for handler in _handlers():
        for old in [known for known in handler.filters if isinstance(known, MaskingFilter)]:
            handler.removeFilter(old)
        handler.addFilter(mask)


def _handlers() -> Iterator[logging.Handler]:
    named = logging.root.manager.loggerDict.values()
    for logger in (logging.root, *(known for known in named if isinstance(known, logging.Logger))):
        yield from logger.handlers
