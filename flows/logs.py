"""Make Prefect's logs fit for a trading bot: our level, no secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from trading_bot.config.typed_settings import TradingBotSettings
from trading_bot.core.bot import secrets_of
from trading_bot.domain.secrets import MaskingFilter


def prepared(settings: TradingBotSettings) -> TradingBotSettings:
    """Return the settings, once the logs are fit for them: before anything is opened that could fail and be logged.

    Lines are written from `orchestrator.logging_level` on, and secrets are masked on every handler there is:
    Prefect sends its log lines to the server through handlers of its own, tracebacks included. What a channel adds
    to the secrets later is masked too.
    """
    logging.getLogger("trading_bot").setLevel(settings.orchestrator.logging_level)
    mask = MaskingFilter(secrets_of(settings))
    for handler in _handlers():
        for old in [known for known in handler.filters if isinstance(known, MaskingFilter)]:
            handler.removeFilter(old)
        handler.addFilter(mask)
    return settings


def _handlers() -> Iterator[logging.Handler]:
    named = logging.root.manager.loggerDict.values()
    for logger in (logging.root, *(known for known in named if isinstance(known, logging.Logger))):
        yield from logger.handlers
