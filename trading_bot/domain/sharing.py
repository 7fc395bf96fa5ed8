"""Answers that are given once to many who ask the same.

Parameter sets of one strategy ask for the same indicators of the same prices again and again. Inside
`with sharing():` a function marked `@shared` keeps its newest answers; outside it is what it was without the mark.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

KEPT = 8  # answers: about two histories' worth of memory, however large the history

P = ParamSpec("P")
Answer = TypeVar("Answer")
# By function and arguments, the newest last. The arguments are kept, too: nothing else can get their identity.
Answers = OrderedDict[tuple[object, ...], tuple[tuple[object, ...], Any]]

_kept: ContextVar[Answers | None] = ContextVar("kept answers", default=None)


@contextmanager
def sharing() -> Generator[None]:
    """Keep the `KEPT` newest answers of functions marked `@shared`, in this thread, until the block ends."""
    before = _kept.set(OrderedDict())
    try:
        yield
    finally:
        _kept.reset(before)


def shared(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """Mark a function whose answer, an array or a tuple of them, follows from its positional arguments alone.

    An array among the arguments stands for itself, not for its numbers; only read-only ones can be relied on to stay
    as they are, so a question about another array is answered anew. Answers are read-only, inside `sharing` and
    outside: who writes into one is told at the first try, and not only by a tournament.
    """

    @functools.wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
        answers = _kept.get()
        if answers is None or kwargs or not all(map(_stays, args)):
            return _read_only(function(*args, **kwargs), (*args, *kwargs.values()))
        key = (function, *map(_identity, args))
        if key not in answers:
            answers[key] = args, _read_only(function(*args, **kwargs), args)
        answers.move_to_end(key)
        if len(answers) > KEPT:
            answers.popitem(last=False)
        return answers[key][1]

    return answer


def _stays(argument: object) -> bool:
    return not isinstance(argument, np.ndarray) or not argument.flags.writeable


def _identity(argument: object) -> object:
    return ("array", id(cast("object", argument))) if isinstance(argument, np.ndarray) else argument


def _read_only(answer: Answer, args: tuple[object, ...]) -> Answer:
    """Make the arrays of an answer read-only, but for those that were handed in: they are the caller's."""
    value = cast("object", answer)
    parts = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    for part in parts:
        if isinstance(part, np.ndarray) and not any(part is one for one in args):
            cast("NDArray[Any]", part).flags.writeable = False
    return answer
