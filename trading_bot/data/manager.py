"""The market as of one instant, from whichever source is configured."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime

import numpy as np

from trading_bot.data.axis import first_day
from trading_bot.data.bars import as_days, take_symbols
from trading_bot.data.cleaning import Cleaned, clean
from trading_bot.data.past import Past
from trading_bot.data.regime import weather
from trading_bot.domain.errors import DataError, NoMoreSessions, SettingsError
from trading_bot.domain.market import MarketState, Regime, SessionAxis, Symbol
from trading_bot.domain.ports import PriceSource, RawBars, TradingCalendar
from trading_bot.domain.snapshot import fingerprint

log = logging.getLogger(__name__)

NAMES_SHOWN = 40  # of the symbols there are, in the message about one there is not


@dataclass(frozen=True, slots=True)
class DataManager:
    """Reads, cleans and describes the market. Keeps nothing: the same question has the same answer."""

    source: PriceSource
    _: KW_ONLY
    symbols: tuple[str, ...]  # empty: everything the source has
    min_coverage: float  # share of the symbols in [0, 1]; below it there are no entries
    start: date  # the first day a historical source may be traded on
    calendar: TradingCalendar

    @property
    def historical(self) -> bool:
        """Whether "now" is the data's clock (True) or the wall clock (False)."""
        return self.source.historical

    def sessions(self) -> SessionAxis:
        """Return the sessions that both the source and the exchange know, ascending."""
        days = np.unique(as_days(self.source.sessions()))
        days = days[~np.isnat(days)]
        if not days.size:
            return days
        return days[np.isin(days, self.calendar.sessions_between(days[0].astype(object), days[-1].astype(object)))]

    def next_session(self, after: date | None) -> date:
        """Return the session to trade next: the first one after `after`, and none before `start`.

        For historical sources; on a live one the wall clock says what is next.

        Raises:
            NoMoreSessions: the history ends here.
        """
        days = self.sessions()
        left = days[days >= np.datetime64(self.start)]
        if after is not None:
            left = left[left > np.datetime64(after)]
        if not left.size:
            raise NoMoreSessions(self._nothing_left(days, after))
        return left[0].astype(object)

    def require_session(self, day: date) -> date:
        """Return `day` when it is a session of the source; else raise DataError naming the nearest ones."""
        days = self.sessions()
        place = int(np.searchsorted(days, np.datetime64(day)))
        if place < len(days) and days[place] == np.datetime64(day):
            return day
        near = " or ".join(str(session) for session in days[max(place - 1, 0) : place + 1])
        raise DataError(f"{day} is no session of the price source. The nearest: {near or 'none, it has no session'}.")

    def get_market_state(self, at: datetime, session: date) -> MarketState:
        """Return everything known at the close of `session`, with the instant `at` of the decision on it.

        Raises:
            ValueError: `at` is not aware.
            SourceUnavailable: the source did not answer; may be asked again.
            DataError: no bar is as old as `session`.
            SettingsError: a wanted symbol does not exist.
        """
        if at.tzinfo is None:
            raise ValueError(f"at={at} has no timezone, wanted an aware UTC datetime")
        raw, trading_days = self._known_by(session)
        cleaned = clean(raw, as_of=session, trading_days=trading_days)
        if cleaned.history.last_session != session:
            raise DataError(f"{session} is no session; the last one before is {cleaned.history.last_session}.")
        for note in cleaned.notes:
            log.info("Prices: %s", note)
        return self._state(at, raw, cleaned)

    def past(self, first: date, last: date) -> Past:
        """Return the market of every session from `first` to `last`, each as it was known then, read once.

        Raises:
            DataError: there is no session in between, or the source has no such bars.
            SourceUnavailable, SettingsError: as `get_market_state`.
        """
        days = self.sessions()
        days = days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]
        if not days.size:
            raise DataError(f"The price source has no session from {first} to {last}.{self._span()}")
        raw, trading_days = self._known_by(days[-1].item())
        return Past(raw, days, trading_days=trading_days, min_coverage=self.min_coverage)

    def _known_by(self, session: date) -> tuple[RawBars, SessionAxis]:
        """Return the bars of the wanted symbols, and the trading days they may be of."""
        raw = self.source.bars(session)
        raw = take_symbols(raw, self._wanted(raw.symbols))
        return raw, self.calendar.sessions_between(first_day(raw, session), session)

    def _span(self) -> str:
        days = self.sessions()
        return f" It has {days[0]} to {days[-1]}." if days.size else " It has none at all."

    def fingerprint(self, market: MarketState) -> str:
        """Return the SHA-256 of every bar that the market knows: equal histories, equal text."""
        return fingerprint(market.history)

    def _state(self, at: datetime, raw: RawBars, cleaned: Cleaned) -> MarketState:
        coverage = cleaned.coverage
        return MarketState(
            at=at,
            session=cleaned.history.last_session,
            history=cleaned.history,
            regime=_weather(raw, cleaned),
            coverage=coverage,
            sectors=dict(raw.sectors),
            quarantined=cleaned.quarantined,
            splits=cleaned.splits,
            below_minimum_coverage=coverage.share < self.min_coverage,
            notes=cleaned.notes,
        )

    def check(self) -> None:
        """Read a historical source once, to see that it has what the settings want.

        Raises:
            SettingsError: no such folder, or a wanted symbol does not exist.
            DataError: the source has no session, or its files are no prices.
        """
        if self.historical:
            last = self.next_session(None)
            self._wanted(self.source.bars(last).symbols)

    def _wanted(self, known: Sequence[Symbol]) -> tuple[Symbol, ...]:
        if not self.symbols:
            return tuple(known)
        there = frozenset(known)
        for symbol in self.symbols:
            if symbol not in there:
                raise SettingsError(f"data.symbols: the source has no symbol {symbol!r}.{_suggestion(symbol, known)}")
        return tuple(Symbol(symbol) for symbol in dict.fromkeys(self.symbols))

    def _nothing_left(self, days: SessionAxis, after: date | None) -> str:
        if not days.size:
            return "The price source has no session at all."
        asked = f"after {after}" if after is not None and after >= self.start else f"from {self.start} on"
        return (
            f"There is no session {asked}: the prices run from {days[0]} to {days[-1]}. To trade them again, set "
            "an earlier start or another price source, and begin with a fresh state folder."
        )


def _weather(raw: RawBars, cleaned: Cleaned) -> Regime:
    return weather(cleaned.benchmark, raw.benchmark_name, cleaned.history)


def _suggestion(symbol: str, known: Sequence[Symbol]) -> str:
    close = difflib.get_close_matches(symbol.upper(), known, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(sorted(known)[:NAMES_SHOWN])
    more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
    return f"{guess} There are: {shown or 'none'}{more}."
