"""Trend following by new highs and lows: Donchian channels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt

from trading_bot.domain.market import FloatMatrix, MarketHistory
from trading_bot.domain.ports import Opinion
from trading_bot.domain.sharing import shared
from trading_bot.strategies.indicators import TIE, carried
from trading_bot.strategies.registry import strategy
from trading_bot.strategies.running import held
from trading_bot.strategies.windows import highest, lowest


@strategy("donchian_breakout")
@dataclass(frozen=True, slots=True)
class DonchianBreakout:
    """Hold a stock from a close above the highs of the `entry` sessions before to one below the lows of `exit`.

    With `short` the same is done upside down. A close on a high or a low is no breakout. Where a source knows closes
    only, they are the highs and lows. This promises no profit.

    Source: Donchian (1957), Trend Following Methods in Commodity Price Analysis, Commodity Year Book; tested as the
    "trading range break" by Brock, Lakonishok & LeBaron (1992), Journal of Finance 47(5), section II. The default
    lengths are those of "System 1" in Faith (2007), Way of the Turtle, McGraw-Hill.
    """

    entry: Annotated[int, Gt(0)] = 20  # sessions
    exit: Annotated[int, Gt(0)] = 10  # sessions
    short: bool = False

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return exposure 1, 0 or -1 for each session and symbol; 0 until the channels are known."""
        close, high, low = carried(history.close), carried(history.high), carried(history.low)
        top, floor = _highest_before(high, self.entry), _lowest_before(low, self.exit)
        # An unknown channel ends the holding.
        exposure = held(close > top * (1 + TIE), ~(close >= floor * (1 - TIE)))
        if self.short:
            bottom, ceiling = _lowest_before(low, self.entry), _highest_before(high, self.exit)
            exposure -= held(close < bottom * (1 - TIE), ~(close <= ceiling * (1 + TIE)))
            return Opinion(exposure, {"close": close, "top": top, "floor": floor, "bottom": bottom, "ceiling": ceiling})
        return Opinion(exposure, evidence={"close": close, "top": top, "floor": floor})

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Compare the close with the channel that counts."""
        close, top, floor = evidence["close"], evidence["top"], evidence["floor"]
        if not (math.isfinite(top) and math.isfinite(floor) and math.isfinite(close)):
            return f"fewer than {max(self.entry, self.exit) + 1} sessions are known"
        if exposure < 0:
            return f"it broke its {self.entry}-session low, and {close:.2f} is not above {evidence['ceiling']:.2f} yet"
        if exposure > 0 and close > top:
            return f"the close {close:.2f} is above {top:.2f}, the high of the {self.entry} sessions before"
        if exposure > 0:
            return f"it broke its {self.entry}-session high, and {close:.2f} is not below {floor:.2f} yet"
        return f"the close {close:.2f} has not broken the {self.entry}-session high {top:.2f}, or came back since"


@shared
def _highest_before(high: FloatMatrix, sessions: int) -> FloatMatrix:
    return _before(highest(high, sessions))


@shared
def _lowest_before(low: FloatMatrix, sessions: int) -> FloatMatrix:
    return _before(lowest(low, sessions))


def _before(channel: FloatMatrix) -> FloatMatrix:
    """Return the channel as it was on the session before."""
    out = np.full_like(channel, np.nan)
    out[1:] = channel[:-1]
    return out
