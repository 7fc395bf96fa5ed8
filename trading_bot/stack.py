"""Room for calls within calls. Whatever starts a process may begin with it: it imports next to nothing."""

from __future__ import annotations

from types import FunctionType
from typing import TypeVar

ROOM = 20_000  # places on the stack of one function: 160 KB

Function = TypeVar("Function", bound=FunctionType)


def with_room(function: Function) -> Function:
    """Let whatever the function calls, however deep, cost what a call costs.

    Python keeps the frames of calls in blocks of 16 KB. A call that crosses the edge of one asks the system for
    another, and gives it back when it returns: a hundred times the price of a call, thousands of times in deep imports,
    or in a loop that happens to stand there. A frame that needs 160 KB gets a block of 256, with room for all calls.
    """
    function.__code__ = function.__code__.replace(co_stacksize=ROOM)
    return function
