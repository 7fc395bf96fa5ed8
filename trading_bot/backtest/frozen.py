"""What is held at the end of a backtest and trades no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from trading_bot.data.past import Past
from trading_bot.domain.market import Symbol
from trading_bot.domain.words import listed

GONE_AFTER = 5  # sessions without a close; a shorter gap may be a halt


def frozen(past: Past, held: Iterable[Symbol]) -> Iterator[str]:
    """Say which positions are counted at a close that is long ago: nobody knows what they would really bring."""
    raw = past.raw
    end = int(np.count_nonzero(raw.sessions < past.days[-1]))  # the row of the last day
    dead: list[str] = []
    for symbol in sorted(held):
        (known,) = np.isfinite(raw.close[: end + 1, raw.symbols.index(symbol)]).nonzero()
        if known.size and end - known[-1] > GONE_AFTER:
            dead.append(f"{symbol} (last traded on {raw.sessions[known[-1]]})")
    if dead:
        yield (
            f"Still held, and without a price at the end: {listed(dead, most=3)}. Counted at the last close; "
            "what it would bring nobody knows."
        )
