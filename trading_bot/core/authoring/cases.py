"""Markets that a strategy is tried on: packaged prices, and what real data does to a strategy sooner or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np

from trading_bot.data.registry import PRICE_SOURCES
from trading_bot.domain.market import FloatMatrix, MarketHistory, Symbol

SESSIONS = 600  # of the packaged prices, the newest ones
LONG_AFTER = date(2100, 1, 1)
SHORT = (0, 1, 2, 5)  # sessions

Cases = Mapping[str, MarketHistory]


def closes(*prices: float) -> MarketHistory:
    """Return the history of one symbol that had these closes, on weekdays from 2024-01-01 on; NaN: no close."""
    return _history(np.array(prices, dtype=np.float64)[:, None])


def all_cases() -> Cases:
    """Return every case by a name that fits into a sentence."""
    real = packaged("sample")
    return {
        "20 packaged stocks": real,
        "5 packaged stocks with highs and lows": packaged("sample-ohlcv"),
        "prices with gaps": with_gaps(real),
        "prices with news": with_news(real),
        "prices that never move": _history(np.full((300, 3), 42.17)),
        "prices that nobody knows": _history(np.full((300, 3), np.nan)),
        **{f"{number} sessions": real.rows(slice(0, number)) for number in SHORT},
    }


def packaged(source: str) -> MarketHistory:
    """Return the newest packaged bars of a source."""
    return history_until(source, LONG_AFTER).rows(slice(-SESSIONS, None))


def history_until(source: str, session: date) -> MarketHistory:
    """Return what a packaged source knows at the close of a session, as it delivers it."""
    bars = PRICE_SOURCES.build(source, {}).bars(session)
    fields = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return MarketHistory(bars.sessions.copy(), bars.symbols, *(field.copy() for field in fields))


def with_gaps(bars: MarketHistory) -> MarketHistory:
    """Return the bars with single holes, a long one, a late listing, a delisting and a symbol without any price."""
    rng = np.random.default_rng(1)
    holed = rng.random(bars.close.shape) < 0.02
    sessions = len(bars.sessions)
    for column, rows in enumerate(
        (
            slice(0, sessions // 3),
            slice(sessions // 2, None),
            slice(sessions // 3, sessions // 3 + 30),
            slice(sessions - 6, None),
            slice(None),
        )
    ):
        holed[rows, column] = True
    fields = {name: np.where(holed, np.nan, getattr(bars, name)) for name in ("open", "high", "low", "close")}
    return replace(bars, **fields)


def with_news(bars: MarketHistory) -> MarketHistory:
    """Return the bars with news of every larger move, in its direction."""
    sentiment = np.full(bars.close.shape, np.nan)
    sentiment[1:] = np.tanh(30 * np.diff(np.log(bars.close), axis=0))
    sentiment[np.abs(sentiment) < 0.3] = np.nan
    return replace(bars, sentiment=sentiment)


def _history(close: FloatMatrix) -> MarketHistory:
    sessions = np.busday_offset(np.datetime64("2024-01-01", "D"), np.arange(len(close)), roll="forward")
    symbols = tuple(Symbol(f"S{column}") for column in range(close.shape[1]))
    volume = np.full(close.shape, np.nan)
    return MarketHistory(sessions, symbols, close.copy(), close.copy(), close.copy(), close, volume)
