"""Small pasts for tests, written out, and what is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np

from tests.unit.strategies.markets import column, letters, weekdays_from
from trading_bot.backtest.question import LedgerQuestion
from trading_bot.core.hours import TradingHours
from trading_bot.data.manager import DataManager
from trading_bot.data.past import Past
from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.domain.backtest import Fingerprints, Terms
from trading_bot.domain.market import MarketHistory, Split
from trading_bot.domain.ports import Opinion, RawBars, Strategy
from trading_bot.strategies.manager import Targets
from trading_bot.strategies.voting import Member

MONDAY = date(2020, 3, 2)  # no holiday within a month
HOURS = TradingHours((), ())
NO_HASHES = Fingerprints("", "", "")
LIKE_THE_BOT = Targets(Decimal("0.05"), Decimal(1), 20, 0.3, Decimal("0.02"))


class Wanting:
    """A strategy with its opinion written out, the same for every symbol unless there are several columns."""

    def __init__(self, exposure: Sequence[float] | Sequence[list[float]] | np.ndarray) -> None:
        wanted = np.array(exposure, dtype=np.float64)
        self._exposure = wanted[:, None] if wanted.ndim == 1 else wanted

    def opinion(self, history: MarketHistory) -> Opinion:
        wanted = self._exposure[: len(history.sessions)]
        return Opinion(np.broadcast_to(wanted, history.close.shape).copy())


def past(opens, closes, *, volume: float = 1e6, splits: tuple[Split, ...] = ()) -> Past:
    """Return sessions from a Monday on, with high and low as open and close make them."""
    opened, closed = (np.array(each, dtype=np.float64) for each in (opens, closes))
    if opened.ndim == 1:
        opened, closed = column(*opens), column(*closes)
    days = weekdays_from(MONDAY, len(opened))
    high, low = np.fmax(opened, closed), np.fmin(opened, closed)
    shares = np.full(opened.shape, volume)
    raw = RawBars(days, letters(opened.shape[1]), opened, high, low, closed, shares, splits=splits)
    return Past(raw, days, trading_days=days, min_coverage=0.0)


def packaged(source: str, first: date, last: date, symbols: tuple[str, ...] = ()) -> Past:
    """Return sessions of packaged prices."""
    prices = PRICE_SOURCES.build(source, {})
    manager = DataManager(prices, symbols=symbols, min_coverage=0.0, start=first, calendar=HOURS)
    return manager.past(first, last)


def asking(
    sessions: Past,
    strategy: Strategy,
    terms: Terms,
    *,
    opening: int | str = 10_000,
    targets: Targets = LIKE_THE_BOT,
) -> LedgerQuestion:
    """Ask about one strategy."""
    team = (Member("test", 1.0, strategy),)
    return LedgerQuestion(sessions, team, targets, terms, Decimal(opening), "test", NO_HASHES)
