"""Name the weather of the market: does it rise, and how wildly does it move?"""

from __future__ import annotations

import numpy as np

from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory, Regime, Trend, Volatility

TREND_SESSIONS = 200  # about ten months
VOLATILITY_SESSIONS = 20
YEAR_SESSIONS = 252
CALM = 0.75  # times the median of the last year
STORMY = 1.5
NEEDED = VOLATILITY_SESSIONS + YEAR_SESSIONS  # closes
ABSURD = 1e100  # sums of such numbers overflow; no index was ever there

_MOVES = {Volatility.CALM: "moves calmly", Volatility.NORMAL: "moves as usual", Volatility.STORMY: "moves wildly"}


def regime(closes: FloatVector, name: str = "The market") -> Regime:
    """Judge the market by its own closes, oldest first; closes that are no price are left out.

    Trend: the last close against the mean of the last 200, as in Faber (2007), "A Quantitative
    Approach to Tactical Asset Allocation", Journal of Wealth Management 9(4), who uses ten months;
    a close on the mean counts as falling. Volatility: the standard deviation of the last 20 daily
    log returns, annualised with 252 sessions, against the median of the same number over the last
    252 sessions. Both are UNKNOWN where the history is too short.
    """
    known = closes[(closes > 0) & (closes < ABSURD)]
    trend, distance = _trend(known)
    volatility, yearly = _volatility(known)
    return Regime(trend, volatility, _sentence(name, len(known), distance, volatility, yearly))


def weather(benchmark: FloatVector | None, name: str, history: MarketHistory) -> Regime:
    """Judge the market by its benchmark, or by the mean of the universe where there is none."""
    if benchmark is not None:
        return regime(benchmark, name or "The benchmark")
    return regime(universe_mean(history.close[-NEEDED:]), "The universe's mean")


def universe_mean(closes: FloatMatrix) -> FloatVector:
    """Return an index that earns the plain mean of all symbols' daily returns, starting at 1.

    Only symbols with a close on both days count; a day without any such symbol earns nothing.
    """
    if not len(closes):
        return np.empty(0)
    both = np.isfinite(closes[1:]) & np.isfinite(closes[:-1])
    returns = np.divide(closes[1:], closes[:-1], out=np.ones_like(closes[1:]), where=both) - 1.0
    index = np.ones(len(closes))
    index[1:] += returns.sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    with np.errstate(over="ignore"):  # absurd closes make an infinite index, and `regime` leaves that out
        return np.cumprod(index, dtype=np.float64)


def _trend(closes: FloatVector) -> tuple[Trend, float]:
    if len(closes) < TREND_SESSIONS:
        return Trend.UNKNOWN, 0.0
    distance = float(closes[-1] / closes[-TREND_SESSIONS:].mean() - 1.0)
    return (Trend.RISING if distance > 0 else Trend.FALLING), distance


def _volatility(closes: FloatVector) -> tuple[Volatility, float]:
    if len(closes) < NEEDED:
        return Volatility.UNKNOWN, 0.0
    returns = np.diff(np.log(closes[-NEEDED:]))
    windows = np.lib.stride_tricks.sliding_window_view(returns, VOLATILITY_SESSIONS)  # (252, 20)
    yearly = windows.std(axis=1, ddof=1) * np.sqrt(YEAR_SESSIONS)
    now, usual = float(yearly[-1]), float(np.median(yearly))
    if now < CALM * usual:
        return Volatility.CALM, now
    return (Volatility.STORMY if now > STORMY * usual else Volatility.NORMAL), now


def _sentence(name: str, known: int, distance: float, volatility: Volatility, yearly: float) -> str:
    if known < TREND_SESSIONS:
        return f"{name} has {known} closes so far; {TREND_SESSIONS} are needed to tell a trend."
    side = "above" if distance > 0 else "below"
    trend = f"{name} closed {abs(distance):.1%} {side} its {TREND_SESSIONS}-session mean"
    if volatility is Volatility.UNKNOWN:
        return f"{trend}; how it moves takes {NEEDED} closes to tell, there are {known}."
    return f"{trend} and {_MOVES[volatility]} ({yearly:.0%} a year)."
