"""The register of price sources."""

from __future__ import annotations

from trading_bot.domain.plugins import Registry
from trading_bot.domain.ports import PriceSource

PRICE_SOURCES: Registry[PriceSource] = Registry("price source", "trading_bot.data.sources")
price_source = PRICE_SOURCES.register
