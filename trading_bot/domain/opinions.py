"""A strategy may be anybody's code: what it answers is looked at before it counts."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from trading_bot.domain.errors import BensBotError, WrongAnswer
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Explains, Opinion, Strategy

_ALL = slice(None)
NUMBERS = "fiub"  # kinds of NumPy: floats, whole numbers, true and false
HELP = "`bensbot strategy check FILE` tries all a strategy promises"


def asked(name: str, strategy: Strategy, history: MarketHistory, *, newest_alone: bool = False) -> Opinion:
    """Return the opinion of a strategy; with `newest_alone`, only its last row is going to count.

    Raises:
        WrongAnswer: it fails, or answers with what is no opinion.
    """
    try:
        opinion = strategy.opinion(history)
    except (BensBotError, MemoryError):
        raise
    except Exception as error:  # anybody's code: whatever it raises is what it did
        said = f"{type(error).__name__}: {error}{line_of(error, strategy)}"
        asked_for = f"{len(history.sessions)} sessions of {len(history.symbols)} symbols"
        raise WrongAnswer(f"{name} has no answer for {asked_for}. {said}. {HELP}.") from error
    if problem := flaw(opinion, history, slice(-1, None) if newest_alone else _ALL):
        raise WrongAnswer(f"{name} {problem}. {HELP}.")
    return opinion


def flaw(answer: object, history: MarketHistory, counting: slice = _ALL) -> str:
    """Return why an answer is no opinion on `history`, a predicate in words; "" where it is one.

    Exposures are looked at in the rows that are `counting`.
    """
    if not isinstance(answer, Opinion):
        return f"answers with {kind_of(answer)}; wanted is an Opinion"
    for what, by_name in (("its evidence", answer.evidence), ("its remarks", answer.remarks)):
        if not isinstance(by_name, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            return f"answers with {kind_of(by_name)} for {what}; wanted is a mapping"
    for what, numbers in (("its exposure", answer.exposure), *answer.evidence.items()):
        if not isinstance(numbers, np.ndarray) or numbers.shape != history.close.shape:  # pyright: ignore[reportUnnecessaryIsInstance]
            wanted = f"wanted is an array of {len(history.sessions)} sessions by {len(history.symbols)} symbols"
            return f"answers with {kind_of(numbers)} for {what}; {wanted}"
        if numbers.dtype.kind not in NUMBERS:
            return f"answers with an array of {numbers.dtype} for {what}; wanted are numbers of float64"
    exposure = answer.exposure[counting]
    if not np.maximum.reduce(np.abs(exposure), axis=None, initial=0.0) <= 1:  # also False for NaN
        row, column = np.argwhere(~(np.abs(exposure) <= 1))[0]
        where = f"{history.symbols[column]} on {history.sessions[counting][row]}"
        return f"wants {exposure[row, column]:+g} of {where}; an exposure lies from -1 to 1"
    return ""


def kind_of(thing: object) -> str:
    """Return what somebody gave, for a message: `a DataFrame`, `an array of shape (600,)`."""
    if isinstance(thing, np.ndarray):
        return f"an array of shape {cast('NDArray[Any]', thing).shape}"
    return "nothing (None)" if thing is None else f"a {type(thing).__name__}"


def line_of(error: BaseException, strategy: Strategy | Explains) -> str:
    """Return ` (my_idea.py, line 14)`: where in its own file a strategy failed, "" where that is not known."""
    file = getattr(sys.modules.get(type(strategy).__module__), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({str(file).rpartition('/')[2]}, line {lines[-1]})" if lines else ""
