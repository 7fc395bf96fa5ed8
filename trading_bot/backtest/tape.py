"""The prices of one stretch of sessions as they were paid, in dollars and to the tick."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.money import ZERO, price_of, whole_shares


class Tape:
    """Answers by row and column of a history in which no split is still to come."""

    def __init__(self, history: MarketHistory) -> None:
        """Note where the newest close of each symbol stands at each session."""
        self.history = history
        known = np.isfinite(history.close)
        rows = np.arange(len(known))[:, None]
        self._newest: NDArray[np.intp] = np.maximum.accumulate(np.where(known, rows, -1), axis=0)

    def opening(self, row: int, column: int) -> Decimal | None:
        """Return the price at the open, None where the symbol did not trade."""
        return self._price(float(self.history.open[row, column]))

    def close(self, row: int, column: int) -> Decimal | None:
        """Return the price at the close, None where the symbol did not trade."""
        return self._price(float(self.history.close[row, column]))

    def worth(self, row: int, column: int) -> Decimal:
        """Return the newest known close, however old, to value a holding; 0 where there was none ever."""
        newest = int(self._newest[row, column])
        return price_of(float(self.history.close[newest, column])) if newest >= 0 else ZERO

    def most_of_volume(self, row: int, column: int, share: Decimal) -> Decimal | None:
        """Return the whole shares that a share of the session's volume comes to, None where it is not known."""
        volume = float(self.history.volume[row, column])
        return whole_shares(Decimal(round(volume)) * share) if np.isfinite(volume) else None

    @staticmethod
    def _price(value: float) -> Decimal | None:
        return price_of(value) if np.isfinite(value) and value > 0 else None
