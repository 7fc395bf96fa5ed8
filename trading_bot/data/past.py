"""The market as it was known on each of many sessions, read and cleaned once.

Cleaning judges each bar by itself, so the rows up to a session are the same whether later rows were there or not. What
changes earlier rows is a split: so the sessions between two splits are cleaned together, and those after anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from trading_bot.data.axis import in_order
from trading_bot.data.bars import take_rows
from trading_bot.data.cleaning import Sifted, quarantine, sift
from trading_bot.data.regime import Regimes, market_index
from trading_bot.domain.errors import DataError
from trading_bot.domain.market import Coverage, FloatVector, MarketHistory, MarketState, SessionAxis, Symbol
from trading_bot.domain.ports import RawBars


@dataclass(frozen=True, slots=True, eq=False)
class Chapter:
    """Sessions that share one adjusted history: those from one split up to the next."""

    number: int
    last: date
    sifted: Sifted
    regimes: Regimes  # of the benchmark, or of the universe's mean where there is none
    rows: Mapping[date, int]  # day → how many rows are known at its close
    faulty: NDArray[np.bool_]  # (T,), whether a bar of the session was refused

    @property
    def history(self) -> MarketHistory:
        """Everything up to the last session of the chapter."""
        return self.sifted.history

    def quarantined(self, rows: int) -> dict[Symbol, str]:
        """Return the symbols without a usable bar on the last of the first `rows` sessions, and why."""
        if not self.faulty[rows - 1]:
            return {}
        return quarantine(take_rows(self.sifted.bars, slice(0, rows)), self.sifted.codes[:rows])


class Past:
    """Answers for every session as `DataManager.get_market_state` does, in microseconds. Ask in ascending order."""

    historical = True

    def __init__(self, raw: RawBars, days: SessionAxis, *, trading_days: SessionAxis, min_coverage: float) -> None:
        """Take everything that is known on the last day. Raises DataError when a day has no row."""
        self._raw, self.days = raw, days
        self._trading_days, self._min_coverage = trading_days, min_coverage
        last, effective = days[-1].item(), sorted({split.session for split in raw.splits})
        # The newest day of each chapter: the day before the next split, and the very last one.
        ends = (days[days < np.datetime64(split)] for split in effective if days[0].item() < split <= last)
        self._lasts = [*dict.fromkeys(end[-1].item() for end in ends), last]
        self._chapter = self._open(0)

    @property
    def chapter(self) -> Chapter:
        """The chapter of the session that was asked for last."""
        return self._chapter

    @property
    def raw(self) -> RawBars:
        """The bars as the source gave them."""
        return self._raw

    def chapters(self) -> Iterator[tuple[Chapter, SessionAxis]]:
        """Yield every chapter with its days, oldest first."""
        after = np.datetime64(date.min)
        for number, last in enumerate(self._lasts):
            days = self.days[(self.days > after) & (self.days <= np.datetime64(last))]
            yield self._open(number), days
            after = np.datetime64(last)

    def newest(self) -> Chapter:
        """Return the chapter of the last day."""
        number = len(self._lasts) - 1
        return self._chapter if self._chapter.number == number else self._open(number)

    def benchmark(self) -> FloatVector | None:
        """Return one close of the benchmark for each of `days`, None where the source knows none."""
        if self._raw.benchmark is None:
            return None
        rows = np.searchsorted(self._raw.sessions, self.days)
        return self._raw.benchmark[rows]

    def get_market_state(self, at: datetime, session: date) -> MarketState:
        """Return everything known at the close of `session`. Raises DataError for one that is not among `days`."""
        while session > self._chapter.last and self._chapter.number + 1 < len(self._lasts):
            self._chapter = self._open(self._chapter.number + 1)
        chapter = self._chapter
        if session not in chapter.rows:
            raise DataError(f"{session} is no session of the past that was read.")
        end = chapter.rows[session]
        history = chapter.history.rows(slice(0, end))
        quarantined = chapter.quarantined(end)
        coverage = Coverage(len(history.symbols), len(history.symbols) - len(quarantined))
        return MarketState(
            at=at,
            session=session,
            history=history,
            regime=chapter.regimes.after(end),
            coverage=coverage,
            sectors=self._raw.sectors,
            quarantined=quarantined,
            splits=chapter.sifted.splits,
            below_minimum_coverage=coverage.share < self._min_coverage,
        )

    def _open(self, number: int) -> Chapter:
        last, before = self._lasts[number], self._lasts[number - 1] if number else date.min
        known = replace(self._raw, splits=tuple(split for split in self._raw.splits if split.session <= last))
        ordered = in_order(known, as_of=last, trading_days=self._trading_days)
        sifted = sift(ordered, as_of=last)
        first: date = self.days[self.days > np.datetime64(before)][0].item()
        earlier = int(np.searchsorted(sifted.history.sessions, np.datetime64(first)))
        days: list[date] = sifted.history.sessions[earlier:].tolist()
        rows = {day: row for row, day in enumerate(days, start=earlier + 1)}
        index, name = market_index(ordered.raw.benchmark, self._raw.benchmark_name, sifted.history.close)
        regimes = Regimes(index, name, first=earlier + 1)
        return Chapter(number, last, sifted, regimes, rows, np.asarray(sifted.codes.any(axis=1), dtype=np.bool_))
