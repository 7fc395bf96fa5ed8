"""Name the weather of the market: does it rise, and how wildly does it move?"""

from __future__ import annotations

import math
from bisect import bisect_left, insort

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

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
    return Regimes(closes, name, first=len(closes)).after(len(closes))


class Regimes:
    """What `regime` says after every row from `first` on, computed for all of them at once."""

    def __init__(self, closes: FloatVector, name: str = "The market", *, first: int = 0) -> None:
        """Take all closes, oldest first. Nobody will ask for fewer than `first` rows."""
        self._name, self._first = name, first
        self._found: dict[int, Regime] = {}  # after each row from `first` on, once somebody asks
        is_price = (closes > 0) & (closes < ABSURD)
        self._count: list[int] = [0, *np.cumsum(is_price).tolist()]
        self._left_out = max(self._count[first] - NEEDED, 0)  # closes that say nothing any more
        known = closes[is_price][self._left_out :]
        distance = known[TREND_SESSIONS - 1 :] / _means(known, TREND_SESSIONS) - 1.0
        yearly = _yearly(known).tolist()
        self._distance = _last_rows(known, distance.tolist())
        self._now = _last_rows(known, yearly)
        self._usual = _last_rows(known, _medians(yearly, YEAR_SESSIONS))

    def after(self, rows: int) -> Regime:
        """Return the regime as it was when only the first `rows` closes were known. KeyError for fewer than `first`."""
        if not self._found:  # one after the other, which takes a third of naming each by itself
            self._found = {known: self._after(known) for known in range(self._first, len(self._count))}
        return self._found[rows]

    def _after(self, rows: int) -> Regime:
        count = self._count[rows]
        if count < TREND_SESSIONS:
            return Regime(Trend.UNKNOWN, Volatility.UNKNOWN, _sentence(self._name, count, 0.0, Volatility.UNKNOWN, 0.0))
        place = count - self._left_out - 1
        distance, now, usual = self._distance[place], self._now[place], self._usual[place]
        volatility = _volatility(now, usual)
        sentence = _sentence(self._name, count, distance, volatility, now)
        return Regime(Trend.RISING if distance > 0 else Trend.FALLING, volatility, sentence)


def _means(known: FloatVector, window: int) -> FloatVector:
    return sliding_window_view(known, window).mean(axis=1) if len(known) >= window else np.empty(0)


def _yearly(known: FloatVector) -> FloatVector:
    """Return the volatility over the last sessions, for a year, at each row that has enough of them."""
    returns = np.diff(np.log(known))
    if len(returns) < VOLATILITY_SESSIONS:
        return np.empty(0)
    return sliding_window_view(returns, VOLATILITY_SESSIONS).std(axis=1, ddof=1) * np.sqrt(YEAR_SESSIONS)


def _medians(values: list[float], window: int) -> list[float]:
    """Return the median of the last `window` values, an even number, from the first row on that has as many."""
    if len(values) < window:
        return []
    ordered = sorted(values[:window])
    upper = window // 2
    medians = [(ordered[upper - 1] + ordered[upper]) / 2]
    for old, new in zip(values, values[window:], strict=False):
        del ordered[bisect_left(ordered, old)]
        insort(ordered, new)
        medians.append((ordered[upper - 1] + ordered[upper]) / 2)
    return medians


def _last_rows(known: FloatVector, values: list[float]) -> list[float]:
    """Return one value a row: NaN for the first rows, which have none."""
    return [math.nan] * (len(known) - len(values)) + values


def _volatility(now: float, usual: float) -> Volatility:
    if not usual >= 0:  # not known
        return Volatility.UNKNOWN
    if now < CALM * usual:
        return Volatility.CALM
    return Volatility.STORMY if now > STORMY * usual else Volatility.NORMAL


def weather(benchmark: FloatVector | None, name: str, history: MarketHistory) -> Regime:
    """Judge the market by its benchmark, or by the mean of the universe where there is none."""
    return regime(*market_index(benchmark, name, history.close[-NEEDED:]))


def market_index(benchmark: FloatVector | None, name: str, closes: FloatMatrix) -> tuple[FloatVector, str]:
    """Return what stands for the market, oldest first, and what it is called in a sentence."""
    if benchmark is not None:
        return benchmark, name or "The benchmark"
    return universe_mean(closes), "The universe's mean"


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


def _sentence(name: str, known: int, distance: float, volatility: Volatility, yearly: float) -> str:
    if known < TREND_SESSIONS:
        return f"{name} has {known} closes so far; {TREND_SESSIONS} are needed to tell a trend."
    side = "above" if distance > 0 else "below"
    trend = f"{name} closed {abs(distance):.1%} {side} its {TREND_SESSIONS}-session mean"
    if volatility is Volatility.UNKNOWN:
        return f"{trend}; how it moves takes {NEEDED} closes to tell, there are {known}."
    return f"{trend} and {_MOVES[volatility]} ({yearly:.0%} a year)."
