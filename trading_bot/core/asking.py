"""Several questions to a broker at the same time, where it takes so many: those that do not wait for each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from trading_bot.domain.listing import TakesManyAtOnce, TellsOfOrders
from trading_bot.domain.offers import offers
from trading_bot.domain.ports import BrokerAdapter

Answer = TypeVar("Answer")


def looks(broker: BrokerAdapter, sleep: Callable[[float], None], waits: Sequence[float]) -> Iterator[None]:
    """Give the moments to ask again: after each wait, and once sooner where the broker tells of an order meanwhile.

    What it tells is not believed, and takes no moment away: so nothing but the time of asking depends on it.
    """
    for seconds in waits:
        began, left = time.monotonic(), seconds
        rung = broker.wait_for_order(seconds) if offers(broker, TellsOfOrders) else None
        if rung is not None:
            if rung:
                yield
            left = max(seconds - (time.monotonic() - began), 0)
        sleep(left)
        yield


def meanwhile(
    broker: BrokerAdapter, question: Callable[[], Answer]
) -> AbstractContextManager[Callable[[], Answer], bool | None]:
    """Ask while something else is done, and give what returns the answer or raises its error.

    Where the broker answers one question at a time, it is asked when its answer is wanted. The question is asked in
    another thread: it must not touch the book.
    """
    if not offers(broker, TakesManyAtOnce) or broker.most_at_once < 2:
        return nullcontext(question)
    return _in_another_thread(question)


@contextmanager
def _in_another_thread(question: Callable[[], Answer]) -> Generator[Callable[[], Answer]]:
    with ThreadPoolExecutor(1, thread_name_prefix="ask") as thread:
        yield thread.submit(question).result
