"""Sandboxes for tests: a broker on this machine at ten dollars a share, and the adapter before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

from tests.unit.brokers.exchanges import DAYS, Weekdays
from trading_bot.alpaca.connect import Line
from trading_bot.alpaca.limits import Patience
from trading_bot.brokers.alpaca import AlpacaBroker
from trading_bot.domain.market import Symbol
from trading_bot.domain.ports import BrokerSetup, RawBars, TradingCalendar
from trading_bot.sandbox.exchange import SandboxExchange
from trading_bot.sandbox.market import SandboxClock, SandboxMarket
from trading_bot.sandbox.server import API_KEY, SECRET_KEY, Sandbox

KEYS: dict[str, Any] = {"api_key": SecretStr(API_KEY), "secret_key": SecretStr(SECRET_KEY)}


def flat_bars(*symbols: str, price: float = 10.0, days: Sequence[date] = DAYS) -> RawBars:
    """Return bars on which nothing ever moves."""
    prices = np.full((len(days), len(symbols)), price)
    sessions = np.array(days, dtype="datetime64[D]")
    volume = np.full_like(prices, 1e6)
    return RawBars(sessions, tuple(Symbol(name) for name in symbols), prices, prices, prices, prices, volume)


def sandbox_of(bars: RawBars, clock: SandboxClock, *, cash: int = 10_000) -> Sandbox:
    """Return a sandbox that is not listening yet."""
    market = SandboxMarket(bars, Weekdays(), clock.now)
    return Sandbox(SandboxExchange(market, cash=Decimal(cash)), clock)


def patient(naps: list[float] | None = None, *, read_seconds: float = 15) -> Line:
    """Return a line that waits for nothing, and keeps how long it would have."""
    kept = naps if naps is not None else []
    return Line(Patience(read_seconds=read_seconds), sleep=kept.append)


def connect(
    sandbox: Sandbox | str, line: Line | None = None, *, calendar: TradingCalendar | None = None, **settings: object
) -> AlpacaBroker:
    """Return the adapter before a sandbox, or before what listens at an address.

    Market orders may wait for the open, unless the settings say otherwise.
    """
    url = sandbox if isinstance(sandbox, str) else sandbox.url
    chosen = {"paper": True, "trading_url": url, "data_url": url, "queue_for_open": True, **KEYS, **settings}
    setup = BrokerSetup(settings=chosen, folder=Path("nowhere"), calendar=calendar or Weekdays())
    return AlpacaBroker(setup, line or patient())
