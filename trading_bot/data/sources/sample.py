"""Packaged closes of 20 large US stocks and of the S&P 500, 1990 to 2022."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import ClassVar

import numpy as np

from trading_bot.data.bars import known_by, read_only
from trading_bot.data.packaged import dollars, read_arrays, sectors_of, symbols_of
from trading_bot.data.registry import price_source
from trading_bot.domain.market import SessionAxis
from trading_bot.domain.ports import RawBars


@price_source("sample")
@dataclass(frozen=True, slots=True)
class Sample:
    """Real closes of 20 stocks, adjusted for splits and dividends. To learn and to test with.

    Closes stand in for open, high and low; volume is unknown. The stocks are survivors, so results
    on them flatter every strategy. `data/packaged/PROVENANCE.md` says more.
    """

    historical: ClassVar[bool] = True

    def bars(self, as_of: date) -> RawBars:
        """Return the closes up to `as_of`: read-only views, nothing is copied."""
        return known_by(_everything(), as_of)

    def sessions(self) -> SessionAxis:
        """Return the 8,313 sessions from 1990-01-02 to 2022-12-28."""
        return _everything().sessions


@cache
def _everything() -> RawBars:
    arrays = read_arrays("sample.npz")
    close = dollars(arrays["close_mills"], 1_000)
    return read_only(
        RawBars(
            sessions=arrays["sessions"],
            symbols=symbols_of(arrays),
            open=close,
            high=close,
            low=close,
            close=close,
            volume=np.full_like(close, np.nan),
            sectors=sectors_of(arrays),
            benchmark=arrays["index_cents"] / 100.0,
            benchmark_name="The S&P 500",
        )
    )
