"""What is known about the market at one instant.

Prices are float64 arrays of shape (T, N): T sessions in ascending order, N symbols. NaN means: not
traded, or refused as bad. Arrays are read-only; a record is built once a cycle and never changed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.money import price_of
from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN_SECTOR = "unknown sector"  # of all symbols whose sector is not known, together
FloatMatrix = NDArray[np.float64]  # (T, N)
FloatVector = NDArray[np.float64]  # (T,)
SessionAxis = NDArray[np.datetime64]  # (T,), datetime64[D], ascending
PriceField = Literal["open", "high", "low", "close", "volume"]


@dataclass(frozen=True, slots=True, eq=False)
class MarketHistory:
    """Bars of all symbols over all sessions up to now, adjusted for the splits that happened by now.

    A source that knows closes only gives the close as open, high and low and NaN as volume. `sentiment` is what was
    known of the news at each session's decision, None where nobody reads the news.
    """

    sessions: SessionAxis
    symbols: tuple[Symbol, ...]
    open: FloatMatrix
    high: FloatMatrix
    low: FloatMatrix
    close: FloatMatrix
    volume: FloatMatrix  # shares
    sentiment: FloatMatrix | None = field(default=None, kw_only=True)  # (T, N) in [-1, 1]; NaN: no news
    # Symbol → column: made here, or handed on by `rows`.
    _columns: Mapping[Symbol, int] | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        """Check the shapes once, here, make every array read-only, and number the symbols.

        Raises:
            ValueError: an array has another shape than (len(sessions), len(symbols)), or a sentiment is out of range.
        """
        shape = (len(self.sessions), len(self.symbols))
        for array in (self.open, self.high, self.low, self.close, self.volume):
            if array.shape != shape:
                raise ValueError(f"{self._name_of(array)} has shape {array.shape}, wanted {shape}")
            array.setflags(write=False)  # sooner than `flags.writeable`, which calls it
        if self.sentiment is not None:
            self._check_sentiment(self.sentiment, shape)
        self.sessions.setflags(write=False)
        if self._columns is None:
            # Looking a symbol up in the tuple would take longer than the strategies do, with 5,000 of them.
            columns = {symbol: column for column, symbol in enumerate(self.symbols)}
            object.__setattr__(self, "_columns", columns)

    @staticmethod
    def _check_sentiment(sentiment: FloatMatrix, shape: tuple[int, int]) -> None:
        if sentiment.shape != shape:
            raise ValueError(f"sentiment has shape {sentiment.shape}, wanted {shape}")
        if (np.abs(sentiment) > 1).any():  # False for NaN
            raise ValueError("sentiment lies outside [-1, 1]")
        sentiment.setflags(write=False)

    @property
    def last_session(self) -> date:
        """The newest session in the history. Raises IndexError on an empty one."""
        return self.sessions[-1].item()

    def column(self, symbol: Symbol) -> int:
        """Return the column of `symbol`. Raises ValueError when it is not in the universe."""
        column = self.find(symbol)
        if column is None:
            raise ValueError(f"{symbol} is not one of the {len(self.symbols)} symbols of the history")
        return column

    def find(self, symbol: Symbol) -> int | None:
        """Return the column of `symbol`, or None when it is not in the universe."""
        return self._columns.get(symbol) if self._columns else None

    def since(self, session: date) -> list[date]:
        """Return the sessions after `session`, oldest first."""
        newest: list[date] = self.sessions[-2:].tolist()
        if newest[:1] == [session]:  # nearly always: spare the search
            return newest[1:]
        return self.sessions[self.sessions > np.datetime64(session)].tolist()

    def row_of(self, session: date) -> int:
        """Return the row of `session`, one of the history's."""
        if self.sessions[-1:].tolist() == [session]:  # nearly always: spare the search
            return len(self.sessions) - 1
        return int(self.sessions.searchsorted(np.datetime64(session)))

    def columns_of(self, symbols: Iterable[Symbol]) -> list[int | None]:
        """Return the column of each symbol, None for what is not in the universe."""
        return list(map((self._columns or {}).get, symbols))

    def until(self, session: date) -> MarketHistory:
        """Return the history as it was after `session`: a view, nothing is copied."""
        return self.rows(slice(0, int(np.searchsorted(self.sessions, np.datetime64(session), side="right"))))

    def rows(self, rows: slice) -> MarketHistory:
        """Return some of the sessions: a view, nothing is copied."""
        return MarketHistory(
            self.sessions[rows],
            self.symbols,
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
            sentiment=None if self.sentiment is None else self.sentiment[rows],
            _columns=self._columns,
        )

    def frame(self, name: PriceField) -> pd.DataFrame:
        """Return one field as a pandas frame: sessions down, symbols across. A copy."""
        import pandas as pd

        return pd.DataFrame(
            getattr(self, name).copy(), index=pd.DatetimeIndex(self.sessions), columns=list(self.symbols)
        )

    def _name_of(self, array: FloatMatrix) -> str:
        names: tuple[PriceField, ...] = ("open", "high", "low", "close", "volume")
        return next(name for name in names if getattr(self, name) is array)


class Trend(StrEnum):
    """Where the market stands against its own 200-session mean."""

    RISING = "rising"
    FALLING = "falling"
    UNKNOWN = "unknown"


class Volatility(StrEnum):
    """How much the market moves compared with its own last year."""

    CALM = "calm"
    NORMAL = "normal"
    STORMY = "stormy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Regime:
    """The weather of the market, for people and for strategies that want to know."""

    trend: Trend
    volatility: Volatility
    sentence: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the universe has a usable bar for the session traded."""

    wanted: int
    usable: int

    @property
    def share(self) -> float:
        """Usable over wanted, in [0, 1]; 0 for an empty universe."""
        return self.usable / self.wanted if self.wanted else 0.0


@dataclass(frozen=True, slots=True)
class Split:
    """`ratio` new shares for each old one, from the open of `session` on."""

    symbol: Symbol
    session: date
    ratio: Decimal  # 2 for a 2:1 split, 0.1 for a 1:10 reverse split


@dataclass(frozen=True, slots=True, eq=False)
class MarketState:
    """The market as of one instant: everything a cycle may know, and nothing later."""

    at: datetime  # aware, UTC: the instant of the decision
    session: date  # the session `at` belongs to; the last row of `history`
    history: MarketHistory
    regime: Regime
    coverage: Coverage
    sectors: Mapping[Symbol, str] = field(default_factory=dict[Symbol, str])  # GICS sector; missing = unknown
    quarantined: Mapping[Symbol, str] = field(default_factory=dict[Symbol, str])  # symbol → why it is not traded
    splits: tuple[Split, ...] = ()  # every split effective up to now, oldest first
    below_minimum_coverage: bool = False  # too few usable symbols: exits only
    notes: tuple[str, ...] = ()  # what was repaired or left out of the data, in words
    warnings: tuple[str, ...] = ()  # what a person should know: a part of what could be known could not be read
    # What `price` was asked for: strategies, rules and books ask for the same ones.
    _prices: dict[Symbol, Decimal | None] = field(
        default_factory=dict[Symbol, "Decimal | None"], init=False, repr=False
    )

    def price(self, symbol: Symbol) -> Decimal | None:
        """Return the session's close in dollars per share, or None where there is no usable one."""
        if symbol not in self._prices:
            self._look_up([symbol])
        return self._prices[symbol]

    def prices(self, symbols: Collection[Symbol]) -> list[Decimal | None]:
        """Return what `price` does, for many symbols at once."""
        known = self._prices
        try:  # as most of the time: all of them were asked for before
            return list(map(known.__getitem__, symbols))
        except KeyError:
            self._look_up([symbol for symbol in symbols if symbol not in known])
            return list(map(known.__getitem__, symbols))

    def _look_up(self, symbols: Sequence[Symbol]) -> None:
        newest: FloatVector | None = self.history.close[-1] if len(self.history.sessions) else None
        for symbol, column in zip(symbols, self.history.columns_of(symbols), strict=True):
            value = math.nan if column is None or newest is None else newest.item(column)
            self._prices[symbol] = price_of(value) if 0 < value < math.inf else None  # not for NaN either

    def split_factor(self, symbol: Symbol, session: date) -> Decimal:
        """Return how many of today's shares one share of `session` has become since."""
        factor = Decimal(1)
        for split in self.splits:
            if split.symbol == symbol and session < split.session <= self.session:
                factor *= split.ratio
        return factor

    def close_on(self, symbol: Symbol, session: date) -> Decimal | None:
        """Return the newest close known at the end of `session`, in dollars per share of that session."""
        column = self.history.find(symbol)
        if column is None:
            return None
        rows = int(np.searchsorted(self.history.sessions, np.datetime64(session), side="right"))
        closes = self.history.close[:rows, column]
        known = np.flatnonzero(np.isfinite(closes))
        return price_of(float(closes[known[-1]]) * float(self.split_factor(symbol, session))) if known.size else None

    def last_known_price(self, symbol: Symbol) -> Decimal | None:
        """Return the newest close there is, however old: to value a holding, never to trade on."""
        price = self._prices.get(symbol) or self.price(symbol)
        if price is not None:  # nearly always that of the session: spare the search
            return price
        column = self.history.find(symbol)
        if column is None:
            return None
        closes = self.history.close[:, column]
        known = np.flatnonzero(np.isfinite(closes))
        return price_of(float(closes[known[-1]])) if known.size else None
