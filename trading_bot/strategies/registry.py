"""Where strategies are filed. A new file in this folder with `@strategy("name")` is all it takes."""

from __future__ import annotations

from trading_bot.domain.plugins import Registry
from trading_bot.domain.ports import Strategy

STRATEGIES: Registry[Strategy] = Registry("strategy", "trading_bot.strategies")
strategy = STRATEGIES.register
