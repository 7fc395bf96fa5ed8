"""Strategies asked once for a whole past, and caught when they look ahead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trading_bot.data.past import Past
from trading_bot.domain.errors import LooksAhead
from trading_bot.domain.market import MarketHistory
from trading_bot.domain.opinions import asked
from trading_bot.domain.ports import Opinion, Strategy
from trading_bot.strategies.voting import Member, Said

LOOKS = 3  # sessions of each chapter on which the strategy is asked anew, with nothing later in sight


class Foresight:
    """Has one opinion of a strategy on each chapter, and gives its rows one by one.

    Row t of an opinion may depend on rows up to t only, so asking once is asking every day. A strategy that
    breaks the law would earn what nobody could have earned: it is found out on a few sessions, and refused.
    """

    def __init__(self, name: str, strategy: Strategy, past: Past) -> None:
        """Ask when the first session of each chapter comes."""
        self._name, self._strategy, self._past = name, strategy, past
        self._chapter: int = -1
        self._opinion = Opinion(np.empty((0, 0)))

    def newest(self, history: MarketHistory) -> Said:
        """Return the last row of the opinion on `history`, one of the past's. Raises LooksAhead, WrongAnswer."""
        chapter, known = self._past.chapter, len(history.sessions)
        if chapter.number != self._chapter:
            opinion = asked(self._name, self._strategy, chapter.history)
            require_causality(self._name, self._strategy, opinion, chapter.history, known)
            self._opinion = Opinion(opinion.exposure.astype(np.float64, copy=False), opinion.evidence)
            self._chapter = chapter.number
        return Said(self._opinion.exposure[known - 1], self._opinion.evidence, known - 1, {})


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
    return tuple(
        Member(member.name, member.weight, member.strategy, Foresight(member.name, member.strategy, past).newest)
        for member in team
    )
