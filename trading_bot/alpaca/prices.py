"""Daily bars, today's snapshot and splits from Alpaca, in as few requests as it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

import numpy as np

from trading_bot.alpaca.wire import Refused, Wire
from trading_bot.domain.errors import BrokerUnavailable, DataError, NotSent, SourceUnavailable
from trading_bot.domain.market import FloatMatrix, SessionAxis, Split, Symbol
from trading_bot.domain.ports import RawBars

BARS_A_PAGE = 10_000
ACTIONS_A_PAGE = 1_000
SYMBOLS_A_REQUEST = 1_000  # an address may not become longer than about 8,000 characters
FIELDS = ("o", "h", "l", "c", "v")

Document = Mapping[str, Any]
Rows = Mapping[Symbol, Mapping[date, tuple[float, ...]]]  # open, high, low, close, volume by symbol and session


@dataclass(frozen=True, slots=True)
class AlpacaPrices:
    """Asks Alpaca's market data. `feed` None is the best that the plan allows."""

    wire: Wire
    symbols: tuple[Symbol, ...]
    feed: str | None

    def past(self, first: date, last: date) -> Rows:
        """Return the finished daily bars from `first` to `last`, as they were traded, adjusted for nothing."""
        rows: dict[Symbol, dict[date, tuple[float, ...]]] = {symbol: {} for symbol in self.symbols}
        query = {
            "timeframe": "1Day",
            "start": f"{first}T00:00:00Z",
            "end": f"{last}T12:00:00Z",  # daily bars are stamped with New York's midnight
            "adjustment": "raw",
            "limit": BARS_A_PAGE,
        }
        for some in self._in_parts():
            for page in self._pages("/stocks/bars", {**query, **self._feed(), "symbols": ",".join(some)}):
                for symbol, bars in self._of_ours(_mapping(page, "bars")):
                    rows[symbol].update(_row(bar) for bar in cast("Sequence[object]", bars))
        return rows

    def today(self) -> Rows:
        """Return the newest daily bar of each symbol, that of a session that runs as far as it has come."""
        rows: dict[Symbol, dict[date, tuple[float, ...]]] = {}
        for some in self._in_parts():
            answer = self._get("/stocks/snapshots", {**self._feed(), "symbols": ",".join(some)})
            for symbol, snapshot in self._of_ours(_fields(answer, "snapshots")):
                bar = _fields(snapshot, "a snapshot").get("dailyBar")
                if bar is not None:
                    rows[symbol] = dict([_row(bar)])
        return rows

    def splits(self, first: date, last: date) -> tuple[Split, ...]:
        """Return the splits that took effect from `first` to `last`, oldest first."""
        found: list[Split] = []
        kinds = "forward_split,reverse_split"
        query = {"start": str(first), "end": str(last), "types": kinds, "limit": ACTIONS_A_PAGE}
        for some in self._in_parts():
            asked = {**query, "symbols": ",".join(some)}
            for page in self._pages("/corporate-actions", asked, version="v1"):
                actions = _mapping(page, "corporate_actions")
                for kind in ("forward_splits", "reverse_splits"):
                    found += (_split(action) for action in cast("Sequence[object]", actions.get(kind, ())))
        return tuple(sorted(found, key=lambda split: (split.session, split.symbol)))

    def _of_ours(self, by_symbol: Document) -> Iterator[tuple[Symbol, object]]:
        """Yield what was asked for. Raises DataError on another symbol: then the answer is one to another question."""
        ours = frozenset(self.symbols)
        for name, value in by_symbol.items():
            if name not in ours:
                raise DataError(f"Alpaca answers with {name}, which nobody asked for")
            yield Symbol(name), value

    def _in_parts(self) -> Iterator[tuple[Symbol, ...]]:
        for begin in range(0, len(self.symbols), SYMBOLS_A_REQUEST):
            yield self.symbols[begin : begin + SYMBOLS_A_REQUEST]

    def _feed(self) -> dict[str, str]:
        return {} if self.feed is None else {"feed": self.feed}

    def _pages(self, path: str, query: Mapping[str, Any], *, version: str = "v2") -> Iterator[Document]:
        token: object = None
        while True:
            asked = query if token is None else {**query, "page_token": token}
            page = _fields(self._get(path, asked, version=version), "a page")
            yield page
            if (following := page.get("next_page_token")) is None or following == token:
                return
            token = following

    def _get(self, path: str, query: Mapping[str, Any], *, version: str = "v2") -> Any:
        try:
            return self.wire.get(path, query, version=version)
        except (BrokerUnavailable, NotSent) as error:
            raise SourceUnavailable(str(error)) from error
        except Refused as no:
            hint = " With a free plan, set data.feed: iex." if "subscription" in no.message else ""
            raise DataError(f"Alpaca gives no prices, HTTP {no.status}: {no.message}.{hint}") from no


def raw_bars(symbols: Sequence[Symbol], rows: Rows, splits: Sequence[Split]) -> RawBars:
    """Return the rows as arrays (sessions × symbols), NaN where there is no bar."""
    days = sorted({day for by_day in rows.values() for day in by_day})
    place = {day: number for number, day in enumerate(days)}
    table = np.full((len(FIELDS), len(days), len(symbols)), np.nan)
    for column, symbol in enumerate(symbols):
        for day, values in rows.get(symbol, {}).items():
            table[:, place[day], column] = values
    arrays: list[FloatMatrix] = [np.ascontiguousarray(layer) for layer in table]
    sessions: SessionAxis = np.array(days, dtype="datetime64[D]")
    silent = [symbol for symbol in symbols if not rows.get(symbol)]
    notes = (f"Alpaca has no bars of {', '.join(silent)}",) if silent else ()
    return RawBars(sessions, tuple(symbols), *arrays, splits=tuple(splits), notes=notes)


def _row(bar: object) -> tuple[date, tuple[float, ...]]:
    fields = _fields(bar, "a bar")
    try:
        return datetime.fromisoformat(fields["t"]).date(), tuple(float(fields[name]) for name in FIELDS)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"Alpaca's bar {dict(fields)} is none: {type(error).__name__}: {error}") from error


def _split(action: object) -> Split:
    fields = _fields(action, "a split")
    try:
        ratio = Decimal(str(fields["new_rate"])) / Decimal(str(fields["old_rate"]))
        return Split(Symbol(fields["symbol"]), date.fromisoformat(fields["ex_date"]), ratio)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(f"Alpaca's split {dict(fields)} is none: {type(error).__name__}: {error}") from error


def _mapping(page: Document, name: str) -> Document:
    """Return a part of an answer by its name; null, where there is nothing, as empty."""
    return _fields(page.get(name) or {}, name)


def _fields(value: object, what: str) -> Document:
    if not isinstance(value, dict):
        raise DataError(f"Alpaca's answer is not {what} but {type(value).__name__}")
    return cast("Document", value)
