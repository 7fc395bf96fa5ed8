"""Many parameter sets over many symbols, each symbol alone with all of its money: what is left at the end.

The rules, so that a result can be computed by hand and compared with other engines:

- All money is in the symbol while the opinion's exposure is above 0, none otherwise; parts of a share are allowed.
- A change of opinion at the close of a session is traded at that close, or at the open or close of the session after.
- A purchase of x dollars costs fee · x, paid out of the same money; a sale of x dollars costs fee · x.
- A session without a price changes nothing; what is open at the end is worth the last known close, no fee taken off.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.backtest import FillAt
from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Strategy
from trading_bot.domain.sharing import sharing
from trading_bot.tournament.memory import keep_freed_memory

BoolMatrix = NDArray[np.bool_]


def sweep(
    history: MarketHistory, strategies: Iterable[Strategy], *, fee: float, fill: FillAt = FillAt.NEXT_OPEN
) -> FloatMatrix:
    """Return what one dollar in each symbol has become, (K, N): K strategies in their order, N symbols.

    Args:
        history: two sessions at least.
        strategies: one for each parameter set.
        fee: share of the dollars traded, below 1.
        fill: SAME_CLOSE trades at prices that nobody could still have traded at; some published results do.
    """
    keep_freed_memory()
    growth, known = _growth(history, fill)
    bought, sold = -np.log1p(fee), np.log1p(-fee)
    logs: list[FloatMatrix] = []
    with sharing():
        for strategy in strategies:
            held = strategy.opinion(history).exposure[: len(growth)] > 0
            if known is not None:
                held = _as_traded(held, known)
            changes = held[0] + (held[1:] != held[:-1]).sum(axis=0)
            sales = (changes - held[-1]) / 2  # they take turns, a purchase first
            earned = np.einsum("tn,tn->n", held, growth)
            logs.append(earned + (changes - sales) * bought + sales * sold)
    return np.exp(np.array(logs))


def _growth(history: MarketHistory, fill: FillAt) -> tuple[FloatMatrix, BoolMatrix | None]:
    """Return the log growth from the fill of each decision to the fill of the next one, (M, N), and where one fills.

    The last row runs to the last close. None: every decision fills.
    """
    known = np.isfinite(history.close) & np.isfinite(history.open)
    closes = _carried(history.close, known)
    if fill is FillAt.SAME_CLOSE:
        fills, prices = known, closes
    else:
        later = history.close if fill is FillAt.NEXT_CLOSE else history.open
        fills, prices = known[:-1] & known[1:], np.where(known[1:], later[1:], closes[:-1])
    steps = np.diff(np.log(np.concatenate([prices, closes[-1:]])), axis=0)
    return np.nan_to_num(steps, copy=False, nan=0.0), None if known.all() else fills


def _carried(close: FloatMatrix, known: BoolMatrix) -> FloatMatrix:
    """Return the newest known close at each session, NaN before the first."""
    if known.all():
        return close
    newest = np.maximum.accumulate(np.where(known, np.arange(len(close))[:, None], 0), axis=0)
    return np.take_along_axis(np.where(known, close, np.nan), newest, axis=0)


def _as_traded(held: BoolMatrix, fills: BoolMatrix) -> BoolMatrix:
    """Keep the position from before where a decision does not fill."""
    held[0] &= fills[0]
    decided = np.maximum.accumulate(np.where(fills, np.arange(len(fills))[:, None], 0), axis=0)
    return np.take_along_axis(held, decided, axis=0)
