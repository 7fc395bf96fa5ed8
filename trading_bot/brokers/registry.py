"""Where brokers are filed. A class with `@broker("name")` is built with one `BrokerSetup`."""

from __future__ import annotations

from trading_bot.domain.plugins import Registry
from trading_bot.domain.ports import BrokerAdapter

BROKERS: Registry[BrokerAdapter] = Registry("broker", "trading_bot.brokers")
broker = BROKERS.register
