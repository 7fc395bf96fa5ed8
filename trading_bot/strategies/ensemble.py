"""Several strategies that vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt

from trading_bot.domain.market import MarketHistory
from trading_bot.domain.ports import Explains, Opinion, Strategy
from trading_bot.strategies.indicators import TIE
from trading_bot.strategies.registry import STRATEGIES, strategy

ITSELF = "ensemble"


@dataclass(frozen=True, slots=True)
class Vote:
    """A strategy by name, what its vote counts, and its options."""

    name: str
    weight: Annotated[float, Gt(0)] = 1.0  # only its share of all weights matters
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@strategy(ITSELF)
@dataclass(frozen=True, slots=True)
class Ensemble:
    """Hold a stock by the weighted mean of what other strategies want, where they want more than `least` of it.

    A member is a name, or `{name, weight, options}`. This promises no profit.

    Source: Bates & Granger (1969), The Combination of Forecasts, Operational Research Quarterly 20(4); equal weights,
    the default, are hard to beat: Timmermann (2006), Handbook of Economic Forecasting 1, chapter 4.
    """

    members: tuple[str | Vote, ...] = ("sma_cross", "rsi_reversion", "momentum")
    least: Annotated[float, Ge(0), Lt(1)] = 0.0  # exposure
    _team: tuple[tuple[str, float, Any], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        """Build the members, with each one's share of all weights.

        Raises:
            ValueError: there is no member, or the ensemble is its own.
            PluginError: a member is not known, or has a wrong option.
        """
        votes = [Vote(member) if isinstance(member, str) else member for member in self.members]
        if not votes:
            raise ValueError("members names no strategy")
        if any(vote.name == ITSELF for vote in votes):
            raise ValueError("an ensemble cannot be a member of an ensemble: name its members here")
        total = sum(vote.weight for vote in votes)
        names = [vote.name for vote in votes]
        labels = [f"{n} {names[:place].count(n) + 1}" if names.count(n) > 1 else n for place, n in enumerate(names)]
        team = tuple(
            (label, vote.weight / total, STRATEGIES.build(vote.name, vote.options))
            for label, vote in zip(labels, votes, strict=True)
        )
        object.__setattr__(self, "_team", team)

    def opinion(self, history: MarketHistory) -> Opinion:
        """Return an exposure in [-1, 1] for each session and symbol, and every member's evidence beside its vote."""
        mean = np.zeros(history.close.shape)
        evidence = {"vote": mean}
        remarks: dict[int, str] = {}
        for label, weight, member in self._team:
            opinion = member.opinion(history)
            mean += weight * opinion.exposure
            evidence[label] = opinion.exposure
            evidence.update({f"{label}.{name}": values for name, values in opinion.evidence.items()})
            remarks.update({column: remarks.get(column, "") + words for column, words in opinion.remarks.items()})
        np.clip(mean, -1.0, 1.0, out=mean)  # shares of 1 may add up to a bit more
        exposure = np.where(np.abs(mean) > self.least + TIE, mean, 0.0)
        return Opinion(exposure, evidence, remarks)

    def reason(self, evidence: Mapping[str, float], exposure: float) -> str:
        """Quote every member."""
        quotes = "; ".join(_quote(label, member, evidence) for label, _, member in self._team)
        head = f"the vote is {evidence['vote']:+.2f}"
        if exposure == 0 and abs(evidence["vote"]) > TIE:
            head += f", which is not beyond {self.least:g}"
        return f"{head} ({quotes})"


def _quote(label: str, member: Strategy, evidence: Mapping[str, float]) -> str:
    exposure, prefix = evidence[label], f"{label}."
    own = {name.removeprefix(prefix): value for name, value in evidence.items() if name.startswith(prefix)}
    words = f": {member.reason(own, exposure)}" if isinstance(member, Explains) else ""
    return f"{label} {exposure:+.2f}{words}"
