"""One thing that was looked at, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from trading_bot.domain.errors import BensBotError
from trading_bot.domain.words import one_line
from trading_bot.state.records import Violation


class Verdict(StrEnum):
    """What a check came to."""

    PASS = "pass"  # noqa: S105  # no password
    WARN = "warn"  # it trades, but somebody should know
    FAIL = "fail"  # it does not trade so


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the bot, how it is, and what to do about it."""

    part: str
    verdict: Verdict
    said: str
    fix: str = ""
    violations: tuple[Violation, ...] = ()  # of the ledger's laws


def guarded(part: str, fix: str, look: Callable[[], Finding]) -> Finding:
    """Look, and take an error of ours for what it is: something that is wrong with this part."""
    try:
        return look()
    except BensBotError as error:
        return Finding(part, Verdict.FAIL, one_line(str(error)), fix)
