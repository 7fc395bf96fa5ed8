"""Prices that come with the bot. `PROVENANCE.md` says whose they are and what they are not good for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.market import FloatMatrix, Symbol


def read_arrays(name: str) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of one packaged npz file."""
    with (files(__name__) / name).open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def dollars(units: NDArray[np.integer[Any]], units_per_dollar: int) -> FloatMatrix:
    """Return prices kept as whole numbers in dollars; negative ones stand for "no price" and become NaN."""
    return np.where(units < 0, np.nan, units / float(units_per_dollar))


def symbols_of(arrays: Mapping[str, NDArray[Any]]) -> tuple[Symbol, ...]:
    """Return the symbols of the columns."""
    return tuple(Symbol(str(symbol)) for symbol in arrays["symbols"])


def sectors_of(arrays: Mapping[str, NDArray[Any]]) -> dict[Symbol, str]:
    """Return the GICS sector of each symbol."""
    return dict(zip(symbols_of(arrays), map(str, arrays["sectors"]), strict=True))
