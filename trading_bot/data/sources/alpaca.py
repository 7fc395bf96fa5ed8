"""Prices of today and of the years before from Alpaca: https://docs.alpaca.markets ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar

from pydantic import SecretStr

from trading_bot.alpaca.connect import DATA_LINE, data_wire, keys_of
from trading_bot.alpaca.prices import AlpacaPrices, Rows, raw_bars
from trading_bot.data.bars import known_by, read_only
from trading_bot.data.registry import price_source
from trading_bot.domain.errors import SettingsError
from trading_bot.domain.market import SessionAxis, Symbol
from trading_bot.domain.ports import RawBars


@price_source("alpaca")
@dataclass(frozen=True, slots=True)
class Alpaca:
    """Daily bars of `data.symbols` as they were traded, with the running session as far as it has come.

    The keys are those of `broker`. Bars of finished sessions are read once a process, today's bar and new splits at
    each call. History begins at `since`, by default two whole years before the year that is asked for.
    """

    historical: ClassVar[bool] = False

    symbols: tuple[str, ...] = ()
    feed: str | None = None  # sip or iex; None: the best that the plan allows
    data_url: str | None = None
    api_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    since: date | None = None

    def require_setup(self) -> None:
        """Raise SettingsError where no symbols are named, or there are no keys."""
        if not self.symbols:
            raise SettingsError(
                'data.source: alpaca needs data.symbols, like ["AAPL", "MSFT"]: all there are is too much.'
            )
        keys_of(self.api_key, self.secret_key)

    def bars(self, as_of: date) -> RawBars:
        """Return the bars up to `as_of`.

        Raises:
            SourceUnavailable, DataError: as every source.
            SettingsError: no symbols are named, or there are no keys.
            CredentialsRefused: Alpaca does not know the keys.
        """
        first = self.since or date(min(as_of, _today()).year - 2, 1, 1)
        finished = _today() - timedelta(days=1)  # in UTC, where that day's session ended hours ago
        rows = _finished(self, first, finished)
        prices = _prices(self)
        if as_of > finished:
            rows = _with_today(rows, prices.today(), after=finished)
        splits = prices.splits(first, min(as_of, _today())) if as_of >= first else ()
        return read_only(known_by(raw_bars(prices.symbols, rows, splits), as_of))

    def sessions(self) -> SessionAxis:
        """Return every session that any of the symbols was traded in."""
        return self.bars(_today()).sessions


def _today() -> date:
    return datetime.now(UTC).date()


def _prices(source: Alpaca) -> AlpacaPrices:
    source.require_setup()
    keys = keys_of(source.api_key, source.secret_key)
    symbols = tuple(Symbol(symbol) for symbol in dict.fromkeys(source.symbols))
    return AlpacaPrices(data_wire(keys, source.data_url, DATA_LINE), symbols, source.feed)


@lru_cache(maxsize=2)
def _finished(source: Alpaca, first: date, last: date) -> Rows:
    return _prices(source).past(first, last) if first <= last else {}


def _with_today(rows: Rows, today: Rows, *, after: date) -> Rows:
    """Add the newest bars to the finished ones; what is not newer is there already."""
    fresh = {symbol: {day: bar for day, bar in bars.items() if day > after} for symbol, bars in today.items()}
    return {symbol: {**bars, **fresh.get(symbol, {})} for symbol, bars in rows.items()}
