"""Restate old bars in today's shares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np

from trading_bot.domain.errors import DataError
from trading_bot.domain.market import FloatMatrix, Split
from trading_bot.domain.ports import RawBars


def adjust(bars: RawBars, prices: Sequence[FloatMatrix], volume: FloatMatrix, *, as_of: date) -> tuple[Split, ...]:
    """Divide the prices before each split by its ratio and multiply the volume, in the given arrays.

    Only splits effective by `as_of` count, so the last row is always the price that was paid and
    nothing that happened later shines through. Returns those splits, oldest first.

    Raises:
        DataError: a ratio is not above zero, or a symbol has two different splits on one day.
    """
    effective = sorted({split for split in bars.splits if split.session <= as_of}, key=lambda s: (s.session, s.symbol))
    _check(effective)
    for split in effective:
        if split.symbol not in bars.symbols:
            continue
        before = slice(0, int(np.searchsorted(bars.sessions, np.datetime64(split.session))))
        column, ratio = bars.symbols.index(split.symbol), float(split.ratio)
        for price in prices:
            price[before, column] /= ratio
        volume[before, column] *= ratio
    return tuple(effective)


def _check(splits: Sequence[Split]) -> None:
    for split in splits:
        if not (split.ratio.is_finite() and split.ratio > 0):
            raise DataError(f"The split of {split.symbol} on {split.session} has ratio {split.ratio}, wanted above 0.")
    for one, other in pairwise(splits):
        if (one.symbol, one.session) == (other.symbol, other.session):
            raise DataError(
                f"{one.symbol} has two splits on {one.session}, {one.ratio} and {other.ratio}: keep the right one."
            )
