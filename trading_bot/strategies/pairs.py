"""Trading two stocks against each other that keep together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, FloatVector, MarketHistory, Symbol
from trading_bot.domain.ports import Opinion
from trading_bot.strategies.cointegration import (
    Pair,
    Significance,
    Spreads,
    best_pairs,
    critical_value,
    spreads,
    t_statistics,
)
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.months import first_of_months
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.running import held


@dataclass(frozen=True, slots=True, eq=False)
class _Month:
    """The pairs of one month: rows of the history, columns of both legs, and how they hang together."""

    rows: slice
    first: NDArray[np.intp]  # (P,)
    second: NDArray[np.intp]  # (P,)
    spreads: Spreads
    statistic: FloatVector  # (P,)


@strategy("pairs")
@dataclass(frozen=True, slots=True)
class Pairs:
    """Buy the cheaper of two stocks that keep together and sell the dearer one short, until they meet again.

    On the first session of each month the log prices of the last `window` sessions are tested pair by pair for
    cointegration. Of those that pass, the `most` with the strongest pull are traded, no stock in two of them. A pair is
    opened when its spread lies more than `entry` standard deviations from its mean, and closed within `exit`, or when
    it does not pass any more. The legs' exposures are as 1 to the slope of the regression, the larger one 1: negative
    for the leg to be short, which a long-only bot leaves out. `pairs` names the only ones to look at; those with a
    symbol that is not in the universe are left out. With many pairs some pass by chance. This promises no profit.

    Source: Engle & Granger (1987), Econometrica 55(2), two steps, with one lag; Vidyamurthy (2004), Pairs Trading,
    Wiley, for trading the residual; thresholds as in Gatev, Goetzmann & Rouwenhorst (2006), Review of Financial
    Studies 19(3).
    """

    window: Annotated[int, Ge(20)] = 252  # sessions
    entry: Annotated[float, Gt(0), Le(10)] = 2.0  # standard deviations
    exit: Annotated[float, Ge(0), Le(10)] = 0.5  # standard deviations
    most: Annotated[int, Gt(0)] = 5  # pairs at a time
    significance: Significance = "5%"
    pairs: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError unless `exit` lies below `entry` and each pair has two members."""
        if self.exit >= self.entry:
            raise ValueError(f"exit={self.exit} must be below entry={self.entry}")
        for first, second in self.pairs:
            if first == second:
                raise ValueError(f"pairs has {first} with itself")

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return an exposure in [-1, 1] for each session and symbol; 0 until the month after `window` closes."""
        logs = np.log(carried(history.close))
        exposure = np.zeros(logs.shape)
        evidence = {name: np.full(logs.shape, np.nan) for name in ("distance", "statistic")}
        sides: dict[Pair, float] = {}
        remarks: dict[int, str] = {}
        for month in self._months(history, logs):
            rows, first, second = month.rows, month.first, month.second
            distance = month.spreads.distances(logs[rows, first], logs[rows, second])
            side = self._sides(distance, [sides.get(pair, 0.0) for pair in _pairs_of(month)])
            larger = np.maximum(1.0, month.spreads.slope)
            exposure[rows, first], exposure[rows, second] = side / larger, 0.0 - side * month.spreads.slope / larger
            evidence["distance"][rows, first], evidence["distance"][rows, second] = distance, -distance
            evidence["statistic"][rows, first] = evidence["statistic"][rows, second] = month.statistic
            sides = dict(zip(_pairs_of(month), side[-1].tolist(), strict=True))
            remarks = _remarks(month, history.symbols)
        return Opinion(exposure, evidence, remarks)

    def _months(self, history: MarketHistory, logs: FloatMatrix) -> Iterator[_Month]:
        days = first_of_months(history.sessions)
        days = days[days >= self.window - 1]
        names = np.array(history.symbols, dtype=np.str_)
        for day, following in itertools.pairwise([*days.tolist(), len(logs)]):
            formation = logs[day + 1 - self.window : day + 1]
            usable = np.flatnonzero(np.isfinite(formation).all(axis=0))
            usable = usable[np.ptp(formation[:, usable], axis=0) > TIE]
            yield self._month(slice(day, following), formation, usable, names)

    def _month(self, rows: slice, formation: FloatMatrix, usable: NDArray[np.intp], names: NDArray[np.str_]) -> _Month:
        slope, statistic = t_statistics(formation[:, usable])
        if self.pairs:
            statistic[~self._named(names[usable])] = np.nan
        limit = critical_value(self.significance, self.window)
        found = best_pairs(slope, statistic, names[usable], limit, self.most)
        places = np.array(found, dtype=np.intp).reshape(-1, 2).T
        first, second = usable[places[0]], usable[places[1]]
        fitted = spreads(formation[:, first], formation[:, second])
        return _Month(rows, first, second, fitted, statistic[places[0], places[1]])

    def _named(self, names: NDArray[np.str_]) -> NDArray[np.bool_]:
        """Return (N, N): whether the pair is one of those asked for, in either order."""
        allowed = np.zeros((len(names), len(names)), dtype=bool)
        for one, other in self.pairs:
            allowed |= np.outer(names == one, names == other)
        return allowed | allowed.T

    def _sides(self, distance: FloatMatrix, before: list[float]) -> FloatMatrix:
        """Return (rows, P): 1 where the first leg is bought, -1 where it is sold; `before` is how last month ended."""
        known = np.vstack([np.zeros((1, distance.shape[1])), distance])
        buy, sell = known < -self.entry - TIE, known > self.entry + TIE
        buy[0], sell[0] = np.array(before) > 0, np.array(before) < 0
        bought, sold = ~(known <= -self.exit + TIE), ~(known >= self.exit - TIE)  # an unknown distance closes
        bought[0] = sold[0] = False
        return (held(buy, bought) - held(sell, sold))[1:]

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Say how far the stock is from where its partner says it should be."""
        distance, statistic = evidence["distance"], evidence["statistic"]
        if not math.isfinite(statistic):
            return f"it is in no pair that keeps together at {self.significance} over {self.window} sessions"
        if not math.isfinite(distance):
            return "one of its pair has not traded of late"
        where = f"it is {abs(distance):.2f} standard deviations too {'dear' if distance > 0 else 'cheap'}"
        state = "open" if exposure else "not open"
        return f"{where}, t statistic {statistic:.2f}, pair {state}"


def _pairs_of(month: _Month) -> list[Pair]:
    return list(zip(month.first.tolist(), month.second.tolist(), strict=True))


def _remarks(month: _Month, symbols: tuple[Symbol, ...]) -> dict[int, str]:
    words: dict[int, str] = {}
    for first, second in _pairs_of(month):
        words[first], words[second] = f", with {symbols[second]}", f", with {symbols[first]}"
    return words
