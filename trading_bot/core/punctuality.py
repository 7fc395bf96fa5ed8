"""Does our clock go as the broker's does? Ticks, hours and the age of quotes all rest on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trading_bot.domain.cycle import CycleTicket, TradingState
from trading_bot.domain.errors import BrokerUnavailable, NotSent
from trading_bot.domain.ports import TellsTime

if TYPE_CHECKING:
    from trading_bot.core.desk import Desk

log = logging.getLogger(__name__)

SKEW, GREAT_SKEW = timedelta(seconds=2), timedelta(seconds=30)  # between the broker's clock and ours
WHO = "clock check"  # who changes the state, in the book
FIX = "Let NTP set this machine's clock"


def distance(broker: TellsTime, now: Callable[[], datetime]) -> timedelta:
    """Return how far apart both clocks are; the way of the answer is taken as symmetric. Raises BrokerError."""
    before = now()
    theirs = broker.time_there()
    ours = before + (now() - before) / 2  # the answer took a while
    return abs(theirs - ours)


def clock_question(desk: Desk) -> Callable[[], timedelta | None]:
    """Return what asks how far apart both clocks are; None where the broker does not tell, or not just now."""
    broker, now = desk.broker, desk.clock.now

    def ask() -> timedelta | None:
        if desk.data.historical or not isinstance(broker, TellsTime):
            return None
        try:
            return distance(broker, now)
        except (BrokerUnavailable, NotSent) as error:
            log.warning("The broker does not say what time it is: %s", error)
            return None

    return ask


def heed_the_clock(desk: Desk, ticket: CycleTicket, apart: timedelta | None) -> tuple[str, ...]:
    """Warn where the clocks are apart, and let exits through only where they are far apart. Raises LeaseLost.

    A broker that does not tell the time, or not just now, stops nothing.
    """
    if apart is None or apart <= SKEW:
        return ()
    words = f"Our clock is {apart.total_seconds():.1f} s from the broker's. {FIX}"
    log.warning("%s", words)
    if apart > GREAT_SKEW and desk.book.control.read().state is TradingState.ACTIVE:
        cause = f"our clock is {apart.total_seconds():.0f} s from the broker's"
        control = desk.book.control.set_state(
            TradingState.REDUCING, cause=cause, who=WHO, only_from=TradingState.ACTIVE, lease=ticket.lease
        )
        if control.changed_by == WHO:  # else somebody was quicker, and his word is the stronger one
            desk.notifier.send_alert(level="warning", title="Clock is wrong", message=f"Exits only: {cause}. {FIX}")
    return (words,)
