"""Market data of the sandbox as the JSON of Alpaca's market data document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from trading_bot.domain.money import tick
from trading_bot.sandbox.documents import stamp
from trading_bot.sandbox.market import DailyBar, SandboxMarket
from trading_bot.sandbox.refusals import Refusal

Document = dict[str, Any]

LARGEST_PAGE = 10_000  # bars
USUAL_PAGE = 1_000


def bars_document(market: SandboxMarket, query: Mapping[str, str]) -> Document:
    """Return one page of daily bars of several symbols, sorted by symbol, then by time. Raises Refusal."""
    if query.get("timeframe") not in ("1Day", "1D"):
        raise Refusal(400, 40010001, f"the sandbox knows daily bars only, not timeframe={query.get('timeframe')}")
    now = market.now()
    first = _day(query.get("start"), now.date())
    last = _day(query.get("end"), now.date())
    found = [
        (symbol, bar)
        for symbol in sorted(_symbols(market, query))
        for bar in market.daily_bars(symbol, first, last, now)
    ]
    size = min(int(query.get("limit") or USUAL_PAGE), LARGEST_PAGE)
    begin = int(query.get("page_token") or 0)
    bars: dict[str, list[Document]] = {}
    for symbol, bar in found[begin : begin + size]:
        bars.setdefault(symbol, []).append(_bar(market, bar))
    more = begin + size < len(found)
    return {"bars": bars, "next_page_token": str(begin + size) if more else None, "currency": "USD"}


def snapshots_document(market: SandboxMarket, query: Mapping[str, str]) -> Document:
    """Return the newest trade, quote and bars of several symbols."""
    now = market.now()
    return {symbol: _snapshot(market, symbol, now) for symbol in sorted(_symbols(market, query))}


def quotes_document(market: SandboxMarket, query: Mapping[str, str]) -> Document:
    """Return the newest quote of several symbols."""
    now = market.now()
    quotes = {symbol: quote for symbol in sorted(_symbols(market, query)) if (quote := _quote(market, symbol, now))}
    return {"quotes": quotes, "currency": "USD"}


def actions_document(market: SandboxMarket, query: Mapping[str, str]) -> Document:
    """Return splits of the symbols asked for, by their first day."""
    first = _day(query.get("start"), market.now().date())
    last = _day(query.get("end"), market.now().date())
    wanted = _symbols(market, query)
    splits = [s for s in market.bars.splits if s.symbol in wanted and first <= s.session <= last]
    found: dict[str, list[Document]] = {}
    for split in splits:
        document: Document = {
            "id": f"{split.symbol}-{split.session}",
            "symbol": split.symbol,
            "process_date": str(split.session),
            "ex_date": str(split.session),
        }
        if split.ratio >= 1:
            rates: Document = {"cusip": "000000000", "new_rate": float(split.ratio), "old_rate": 1.0}
            found.setdefault("forward_splits", []).append(document | rates)
        else:
            rates = {"new_rate": 1.0, "old_rate": float(1 / split.ratio)}
            found.setdefault("reverse_splits", []).append(
                document | rates | {"old_cusip": "000000000", "new_cusip": "000000001"}
            )
    return {"corporate_actions": found, "next_page_token": None}


def _symbols(market: SandboxMarket, query: Mapping[str, str]) -> set[str]:
    """Return the symbols asked for that there are. Raises Refusal where none is named."""
    named = [symbol for symbol in query.get("symbols", "").split(",") if symbol]
    if not named:
        raise Refusal(400, 40010001, "symbols is required")
    return {symbol for symbol in named if market.knows(symbol)}


def _snapshot(market: SandboxMarket, symbol: str, at: datetime) -> Document:
    session = market.session_at(at)
    bars = list(market.daily_bars(symbol, session - timedelta(days=15), session, at))
    document: Document = {}
    if bars:
        document["dailyBar"] = document["minuteBar"] = _bar(market, bars[-1])
    if len(bars) > 1:
        document["prevDailyBar"] = _bar(market, bars[-2])
    if (quote := _quote(market, symbol, at)) is not None:
        trade = {"t": stamp(at), "i": 1, "x": "V", "p": _middle(quote), "s": 100, "c": ["@"], "z": "C"}
        document |= {"latestQuote": quote, "latestTrade": trade}
    return document


def _middle(quote: Document) -> float:
    return round((quote["ap"] + quote["bp"]) / 2, 4)


def _quote(market: SandboxMarket, symbol: str, at: datetime) -> Document | None:
    price = market.price(symbol, at)
    if price is None:
        return None
    step = tick(price)
    return {
        "t": stamp(at),
        "ax": "V",
        "ap": float(price + step),
        "as": 1,
        "bx": "V",
        "bp": float(price - step),
        "bs": 1,
        "c": ["R"],
        "z": "C",
    }


def _bar(market: SandboxMarket, bar: DailyBar) -> Document:
    return {
        "t": stamp(market.begins(bar.session)),
        "o": float(bar.open),
        "h": float(bar.high),
        "l": float(bar.low),
        "c": float(bar.close),
        "v": bar.volume,
        "n": 1,
        "vw": float(bar.close),
    }


def _day(value: str | None, default: date) -> date:
    return date.fromisoformat(value[:10]) if value else default
