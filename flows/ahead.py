"""Do ahead of time what a cycle would otherwise do when its time has come.

A served run's process is started some seconds early and waits. What a cycle imports late, and what it keeps once it
has it, is fetched in that time: half of the way from the scheduled instant to the first step.
"""

import contextlib
import gc
import os
from datetime import UTC, datetime

from trading_bot.brokers.registry import BROKERS
from trading_bot.core.hours import TradingHours
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.domain.errors import PluginError
from trading_bot.risk.registry import RISK_RULES
from trading_bot.strategies.registry import STRATEGIES

OF_A_SERVED_RUN = "PREFECT__FLOW_RUN_ID"  # set by whatever starts a process for one run


def use_the_wait() -> None:
    """Get ready in a process of one served run; do nothing in any other."""
    if os.environ.get(OF_A_SERVED_RUN):
        get_ready()


def get_ready() -> None:
    """Find the plug-ins, each of which is a module that is imported late, and read the exchange's calendar."""
    with contextlib.suppress(PluginError):  # the cycle asks again, and tells people
        for registry in (BROKERS, PRICE_SOURCES, RISK_RULES, STRATEGIES):
            registry.names()
    TradingHours().is_trading_time(datetime.now(UTC))
    gc.collect()
    gc.freeze()  # hardly any of it will ever be garbage: do not look for some during the cycle
