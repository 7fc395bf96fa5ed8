"""The register of news sources."""

from __future__ import annotations

from trading_bot.domain.news import NewsSource
from trading_bot.domain.plugins import Registry

NEWS_SOURCES: Registry[NewsSource] = Registry("news source", "trading_bot.intelligence.sources")
news_source = NEWS_SOURCES.register
