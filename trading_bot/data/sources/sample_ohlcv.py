"""Packaged full bars of five US stocks with their real splits, 2000 to 2013."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import ClassVar

import numpy as np

from trading_bot.data.bars import known_by, read_only
from trading_bot.data.packaged import dollars, read_arrays, sectors_of, symbols_of
from trading_bot.data.registry import price_source
from trading_bot.domain.market import FloatMatrix, SessionAxis, Split, Symbol
from trading_bot.domain.ports import RawBars


@price_source("sample-ohlcv")
@dataclass(frozen=True, slots=True)
class SampleOhlcv:
    """Real open, high, low, close and volume of AAPL, FB, GOOG, IBM and MSFT, as they were traded.

    Google is listed from 2004-08-19, Facebook from 2012-05-18. `data/packaged/PROVENANCE.md` says more.
    """

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        """Return the bars up to `as_of` and the splits that happened by then: read-only views."""
        return known_by(_everything(), as_of)

    def sessions(self) -> SessionAxis:
        """Return the 3,270 sessions from 2000-03-01 to 2013-03-01."""
        return _everything().sessions


@cache
def _everything() -> RawBars:
    arrays = read_arrays("sample_ohlcv.npz")

    def prices(name: str) -> FloatMatrix:
        return dollars(arrays[f"{name}_tenths_of_mills"], 10_000)

    splits = zip(arrays["split_symbols"], arrays["split_sessions"], arrays["split_ratios"], strict=True)
    return read_only(
        RawBars(
            sessions=arrays["sessions"],
            symbols=symbols_of(arrays),
            open=prices("open"),
            high=prices("high"),
            low=prices("low"),
            close=prices("close"),
            volume=np.where(arrays["volume"] < 0, np.nan, arrays["volume"].astype(np.float64)),
            splits=tuple(Split(Symbol(str(s)), day.astype(object), Decimal(str(ratio))) for s, day, ratio in splits),
            sectors=sectors_of(arrays),
        )
    )
