"""Nobody reads the news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from trading_bot.domain.news import Delivery
from trading_bot.domain.symbols import Symbol
from trading_bot.intelligence.registry import news_source


@news_source("none")
@dataclass(frozen=True, slots=True)
class NoNews:
    """No source: no network, no file, and no claim that there was no news."""

    reads: ClassVar[bool] = False
    in_order: ClassVar[bool] = True

    def stories(self, since: datetime, until: datetime, symbols: Sequence[Symbol]) -> Delivery:
        """Return nothing."""
        del since, until, symbols
        return Delivery()
