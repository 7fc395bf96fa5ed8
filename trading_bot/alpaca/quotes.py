"""The best prices of now, one request for all symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from trading_bot.alpaca.orders import instant, number
from trading_bot.alpaca.wire import Wire
from trading_bot.domain.errors import BrokerUnavailable
from trading_bot.domain.listing import Quote
from trading_bot.domain.symbols import Symbol


def latest_quotes(wire: Wire, symbols: Sequence[Symbol]) -> dict[Symbol, Quote]:
    """Return the newest quotes; a stock without a bid or an ask has none. Raises BrokerError or Refused."""
    answer = wire.get("/stocks/quotes/latest", {"symbols": ",".join(symbols)})
    if not isinstance(answer, dict):
        raise BrokerUnavailable(f"Alpaca's answer is not quotes but {type(answer).__name__}")
    found = cast("Mapping[str, Mapping[str, Any]]", answer.get("quotes") or {})  # pyright: ignore[reportUnknownMemberType]
    quotes = {Symbol(symbol): _quote(fields) for symbol, fields in found.items()}
    return {symbol: quote for symbol, quote in quotes.items() if quote.bid > 0 and quote.ask > 0}


def _quote(fields: Mapping[str, Any]) -> Quote:
    return Quote(bid=number(fields, "bp"), ask=number(fields, "ap"), at=instant(fields, "t"))
