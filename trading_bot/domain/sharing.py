"""Answers that are given once to all who ask the same.

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

from trading_bot.domain.records import dataclass

KEPT = 8  # arrays, so what is kept grows with the history: one of them is a fifth of its bars

P = ParamSpec("P")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """An answer. The arguments are kept, too: nothing else can get their identity meanwhile."""

    args: tuple[object, ...]
    answer: Any
    arrays: int  # made for it


_answers: ContextVar[OrderedDict[object, _Kept] | None] = ContextVar("answers", default=None)  # the newest last


@contextmanager
def sharing() -> Generator[None]:
    """Keep the newest answers of functions marked `@shared`, in this thread, until the block ends."""
    before = _answers.set(OrderedDict())
    try:
        yield
    finally:
        _answers.reset(before)


def shared(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """Mark a function whose answer, an array or a tuple of them, follows from its positional arguments alone.

    An array among the arguments stands for itself, not for its numbers; only read-only ones can be relied on to stay
    as they are, so a question about another array is answered anew. Answers are read-only, inside `sharing` and
    outside: who writes into one is told at the first try, and not only by a tournament.
    """

    @functools.wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
        answers = None if kwargs or not all(map(_stays, args)) else _answers.get()
        if answers is None:
            value = function(*args, **kwargs)
            _made_read_only(value, (*args, *kwargs.values()))
            return value
        key = (function, *map(_identity, args))
        if key in answers:
            answers.move_to_end(key)
            return answers[key].answer
        value = function(*args, **kwargs)
        answers[key] = _Kept(args, value, _made_read_only(value, args))
        _forget_the_oldest(answers)
        return value

    return answer


def _forget_the_oldest(answers: OrderedDict[object, _Kept]) -> None:
    while sum(max(1, one.arrays) for one in answers.values()) > KEPT:
        answers.popitem(last=False)


def _stays(argument: object) -> bool:
    return not isinstance(argument, np.ndarray) or not argument.flags.writeable


def _identity(argument: object) -> object:
    return ("array", id(cast("object", argument))) if isinstance(argument, np.ndarray) else argument


def _made_read_only(answer: object, args: tuple[object, ...]) -> int:
    """Make the arrays of an answer read-only and count them, but for those that were handed in: the caller's."""
    parts = cast("tuple[object, ...]", answer) if isinstance(answer, tuple) else (answer,)
    made = 0
    for part in parts:
        if isinstance(part, np.ndarray) and not any(part is one for one in args):
            cast("NDArray[Any]", part).flags.writeable = False
            made += 1
    return made
