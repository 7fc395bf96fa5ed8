"""What happens around our holdings: sectors, what the news means for what is held, and what a person could do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from trading_bot.domain.market import Regime, Symbol
from trading_bot.domain.news import NewsItem
from trading_bot.domain.records import dataclass

SPANS = (1, 5, 21)  # sessions: a day, a week, a month


@dataclass(frozen=True, slots=True)
class SectorView:
    """One sector of the universe."""

    name: str
    symbols: int
    returns: tuple[float | None, ...]  # for each of SPANS the mean of its stocks'; None where none is known
    mood: float | None  # sentiment of the news about its stocks, in [-1, 1]; None: no news
    held: Decimal  # dollars


@dataclass(frozen=True, slots=True)
class HoldingView:
    """A holding that the news is about."""

    symbol: Symbol
    value: Decimal  # dollars
    share: Decimal  # of equity
    mood: float  # sentiment of its news, in [-1, 1]
    usual_move: float | None  # dollars that it gains or loses on a usual day; None: too short a history
    stories: tuple[NewsItem, ...]  # the one that weighs most first


class Action(StrEnum):
    """What a person could do. The bot does none of it by itself."""

    SELL = "consider selling"
    WATCH = "watch"
    HOLD_BACK = "buy no more of"
    LOOK = "look at"


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation, why, and the command to begin with."""

    action: Action
    about: str  # a stock or a sector
    reason: str
    command: str


@dataclass(frozen=True, slots=True)
class MarketContext:
    """All of it, after one session."""

    session: date
    regime: Regime
    equity: Decimal  # dollars
    sectors: tuple[SectorView, ...]  # the best of the last session first
    holdings: tuple[HoldingView, ...]  # those with news, the worst first
    advice: tuple[Advice, ...]  # the most urgent first
    reads_news: bool  # False: news.source is none, and nothing is claimed about them
