"""What follows when the portfolio stop is reached: for the rule itself, and for who only looks at what was decided."""

from __future__ import annotations

from enum import StrEnum

PORTFOLIO_STOP = "portfolio_stop"  # the rule, and who changes the state because of it


class StopAction(StrEnum):
    """What follows when the portfolio stop is reached."""

    ENTRIES = "entries"  # nothing is bought until equity recovers, or the owner resumes
    REDUCING = "reducing"  # the trading state becomes REDUCING, until the owner resumes
    FLATTEN = "flatten"  # so it does, and every position is sold
