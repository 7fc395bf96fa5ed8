"""Strategies asked once for a whole past, and caught when they look ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trading_bot.data.past import Past
from trading_bot.domain.errors import LooksAhead
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.opinions import asked
from trading_bot.domain.ports import Explains, Opinion, Strategy
from trading_bot.strategies.manager import Member

LOOKS = 3  # sessions of each chapter on which the strategy is asked anew, with nothing later in sight


class Asked:
    """Answers as its strategy would, from one opinion on the whole chapter.

    Row t of an opinion may depend on rows up to t only, so asking once is asking every day. A strategy that
    breaks the law would earn what nobody could have earned: it is found out on a few sessions, and refused.
    """

    def __init__(self, name: str, strategy: Strategy, past: Past) -> None:
        """Ask when the first session of each chapter comes."""
        self._name, self._strategy, self._past = name, strategy, past
        self._chapter = -1
        self._opinion = Opinion(np.empty((0, 0)))

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return the opinion on `history`, which must be one of the past's. Raises LooksAhead, WrongAnswer."""
        chapter = self._past.chapter
        if chapter.number != self._chapter:
            self._opinion = asked(self._name, self._strategy, chapter.history)
            self._chapter = chapter.number
            require_causality(self._name, self._strategy, self._opinion, chapter.history, len(history.sessions))
        end = len(history.sessions)
        evidence = {name: values[:end] for name, values in self._opinion.evidence.items()}
        return Opinion(self._opinion.exposure[:end], evidence)


class AskedInWords(Asked):
    """The same for a strategy that words its own reasons."""

    def __init__(self, name: str, strategy: Strategy, past: Past, *, words: Explains) -> None:
        """Let `words` speak."""
        super().__init__(name, strategy, past)
        self._words = words

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Say why, as the strategy does."""
        return self._words.reason(evidence, exposure)


def require_causality(name: str, strategy: Strategy, opinion: Opinion, history: MarketHistory, first: int) -> None:
    """Ask anew on a few sessions, `first` rows known at the earliest. Raises LooksAhead where the answer differs."""
    for end in sorted({int(row) for row in np.linspace(first, len(history.sessions), LOOKS)}):
        then = asked(name, strategy, history.rows(slice(0, end))).exposure[-1]
        now = opinion.exposure[end - 1]
        if not np.array_equal(then, now):
            column = int(np.flatnonzero(then != now)[0])
            raise LooksAhead(
                f"{name} looks ahead: on {history.sessions[end - 1]} it wants {then[column]:+.2f} of "
                f"{history.symbols[column]} with what was known then, and {now[column]:+.2f} once later sessions "
                "are known. Row t of an opinion may use rows up to t only; `bensbot strategy check` says where."
            )


def asked_once(team: Sequence[Member], past: Past) -> tuple[Member, ...]:
    """Return the team, each member with the opinion on the whole past at hand."""
    return tuple(Member(member.name, member.weight, _asked(member, past)) for member in team)


def _asked(member: Member, past: Past) -> Strategy:
    if isinstance(member.strategy, Explains):
        return AskedInWords(member.name, member.strategy, past, words=member.strategy)
    return Asked(member.name, member.strategy, past)
