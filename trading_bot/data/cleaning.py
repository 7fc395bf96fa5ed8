"""Turn raw bars into a history that may be traded on: bad bars out, splits in, and a reason for everything.

A bar is refused as a whole. A refused bar is NaN in all five fields; nothing is filled in, carried
forward or guessed. A symbol without a good bar on the last session is quarantined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from trading_bot.data.axis import Ordered, in_order
from trading_bot.data.splits import adjust
from trading_bot.domain.market import Coverage, FloatVector, MarketHistory, SessionAxis, Split, Symbol
from trading_bot.domain.ports import RawBars

LOWEST_PRICE = 0.0001  # dollars: the smallest tick of US equities; anything less rounds to zero
HIGHEST_PRICE = 1e9  # dollars: no share ever cost this much
HIGHEST_VOLUME = 1e15  # shares a day
ROUNDING = 1e-9  # relative; adjusted prices carry rounding errors, and these are no contradiction

Codes = NDArray[np.int8]  # (T, N) of `Fault`


class Fault(IntEnum):
    """What is wrong with a bar; the first that applies, in this order from the bottom up."""

    NONE = 0
    MISSING = 1
    NO_PRICE = 2
    HIGH_BELOW_LOW = 3
    CLOSE_OUTSIDE = 4
    OPEN_OUTSIDE = 5
    CONTRADICTED = 6


IN_WORDS: Mapping[Fault, str] = {
    Fault.NO_PRICE: "a price is missing, infinite, zero, negative or absurd",
    Fault.HIGH_BELOW_LOW: "high is below low",
    Fault.CLOSE_OUTSIDE: "close is not between low and high",
    Fault.OPEN_OUTSIDE: "open is not between low and high",
    Fault.CONTRADICTED: "several rows of the day contradict each other",
}


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """A history to trade on, and what had to be done to get it."""

    history: MarketHistory
    quarantined: Mapping[Symbol, str]  # symbol → why it has no usable bar on the last session
    notes: tuple[str, ...]  # what was refused, dropped or merged, in words
    splits: tuple[Split, ...]  # those the history is adjusted for, oldest first
    benchmark: FloatVector | None  # (T,), NaN where unknown

    @property
    def coverage(self) -> Coverage:
        """How many of the symbols have a usable bar on the last session."""
        return Coverage(wanted=len(self.history.symbols), usable=len(self.history.symbols) - len(self.quarantined))


def clean(raw: RawBars, *, as_of: date, trading_days: SessionAxis) -> Cleaned:
    """Refuse bad bars, adjust for the splits effective by `as_of`, quarantine who has no last bar.

    `trading_days` are the sessions of the exchange, ascending, from the first row to `as_of` at least.
    The last row of the history is the last trading day up to `as_of`, in prices as they were traded.

    Raises:
        DataError: no bar is as old as `as_of`, or a split is impossible.
    """
    sifted = sift(in_order(raw, as_of=as_of, trading_days=trading_days), as_of=as_of)
    bars, codes = sifted.bars, sifted.codes
    return Cleaned(
        history=sifted.history,
        quarantined=quarantine(bars, codes),
        notes=(*sifted.notes, *_refusals(bars, codes), *_bad_volumes(bars, codes != Fault.NONE)),
        splits=sifted.splits,
        benchmark=bars.benchmark,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """Bars and what is wrong with each, and the history that is left of them."""

    bars: RawBars  # in order, as they came
    codes: Codes
    history: MarketHistory
    splits: tuple[Split, ...]
    notes: tuple[str, ...]  # from putting the rows in order


def sift(ordered: Ordered, *, as_of: date) -> Sifted:
    """Refuse bad bars, and adjust the rest for the splits effective by `as_of`. Raises DataError on a wrong split."""
    bars, codes = ordered.raw, faults(ordered)
    refused = codes != Fault.NONE
    volume = np.where(refused | ~((bars.volume >= 0) & (bars.volume <= HIGHEST_VOLUME)), np.nan, bars.volume)
    opened, high, low, close = (
        np.where(refused, np.nan, field) for field in (bars.open, bars.high, bars.low, bars.close)
    )
    splits = adjust(bars, (opened, high, low, close), volume, as_of=as_of)
    history = MarketHistory(bars.sessions.copy(), bars.symbols, opened, high, low, close, volume)
    return Sifted(bars, codes, history, splits, ordered.notes)


def faults(ordered: Ordered) -> Codes:
    """Return what is wrong with each bar. Volume never spoils a bar: it is a statistic, not a price."""
    bars = ordered.raw
    prices = (bars.open, bars.high, bars.low, bars.close)
    codes = np.zeros(bars.close.shape, dtype=np.int8)
    with np.errstate(over="ignore"):  # an absurd price is refused below; until then it may overflow
        above, below = bars.high * (1 + ROUNDING), bars.low * (1 - ROUNDING)
    codes[(bars.open > above) | (bars.open < below)] = Fault.OPEN_OUTSIDE
    codes[(bars.close > above) | (bars.close < below)] = Fault.CLOSE_OUTSIDE
    codes[below > bars.high] = Fault.HIGH_BELOW_LOW
    usable = np.logical_and.reduce([(price >= LOWEST_PRICE) & (price <= HIGHEST_PRICE) for price in prices])
    codes[~usable] = Fault.NO_PRICE
    codes[np.logical_and.reduce([np.isnan(price) for price in prices])] = Fault.MISSING
    codes[ordered.contradicted] = Fault.CONTRADICTED
    return codes


def quarantine(bars: RawBars, codes: Codes) -> dict[Symbol, str]:
    """Return the symbols without a usable bar on the last row, and why."""
    return {
        bars.symbols[column]: _reason(bars, codes[:, column], column) for column in map(int, np.flatnonzero(codes[-1]))
    }


def _reason(bars: RawBars, codes: NDArray[np.int8], column: int) -> str:
    day = bars.sessions[-1]
    opened, high, low, close = (float(field[-1, column]) for field in (bars.open, bars.high, bars.low, bars.close))
    match Fault(int(codes[-1])):
        case Fault.MISSING:
            good = np.flatnonzero(codes == Fault.NONE)
            return f"no bar for {day}; " + (
                f"last one {bars.sessions[good[-1]]}" if good.size else "none before either"
            )
        case Fault.NO_PRICE:
            named = {"open": opened, "high": high, "low": low, "close": close}
            wrong = [f"{name} {value:g}" for name, value in named.items() if not LOWEST_PRICE <= value <= HIGHEST_PRICE]
            return f"bar of {day} refused: {', '.join(wrong)}"
        case Fault.HIGH_BELOW_LOW:
            return f"bar of {day} refused: high {high:g} is below low {low:g}"
        case Fault.CLOSE_OUTSIDE:
            return f"bar of {day} refused: close {close:g} is not between low {low:g} and high {high:g}"
        case Fault.OPEN_OUTSIDE:
            return f"bar of {day} refused: open {opened:g} is not between low {low:g} and high {high:g}"
        case fault:
            return f"bar of {day} refused: {IN_WORDS[fault]}"


def _refusals(bars: RawBars, codes: Codes) -> list[str]:
    counts = np.bincount(codes.ravel(), minlength=len(Fault))
    return [_refusal(bars, codes == fault, why) for fault, why in IN_WORDS.items() if counts[fault]]


def _bad_volumes(bars: RawBars, refused: NDArray[np.bool_]) -> list[str]:
    bad = ~refused & ((bars.volume < 0) | (bars.volume > HIGHEST_VOLUME))
    return [_refusal(bars, bad, "it is negative, infinite or absurd", "volume")] if bad.any() else []


def _refusal(bars: RawBars, cells: NDArray[np.bool_], why: str, what: str = "bar") -> str:
    row, column = np.argwhere(cells)[0]
    number = int(cells.sum())
    example = f"{bars.symbols[column]} on {bars.sessions[row]}"
    many = f"{number} {what}s" if number > 1 else f"1 {what}"
    return f"{many} refused, {why}: {'first ' if number > 1 else ''}{example}."
