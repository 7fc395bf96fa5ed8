"""Symbols as people type them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from trading_bot.domain.symbols import Symbol


def as_held(typed: Iterable[str], held: Collection[Symbol]) -> tuple[Symbol, ...]:
    """Return each symbol as it is held, whatever its case; one that is not held in upper case, as tickers are."""
    known = {symbol.casefold(): symbol for symbol in held}
    wanted = (Symbol(text.strip()) for text in typed)
    named = (symbol if symbol in held else known.get(symbol.casefold(), symbol.upper()) for symbol in wanted)
    return tuple(dict.fromkeys(Symbol(symbol) for symbol in named))
