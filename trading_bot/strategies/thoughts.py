"""How opinions become wanted weights, and what follows for one symbol, in words."""

from __future__ import annotations

from decimal import Decimal

from trading_bot.domain.records import dataclass
from trading_bot.domain.symbols import Symbol
from trading_bot.strategies.indicators import TIE


@dataclass(frozen=True, slots=True)
class Targets:
    """How a combined score becomes a wanted share of equity."""

    position_weight: Decimal  # share of equity for a score of 1
    max_gross_exposure: Decimal  # wanted weights are scaled down to this sum
    max_candidates: int  # only so many of the best scores are wanted
    min_score: float  # a lower score is not wanted
    rebalance_threshold: Decimal  # share of equity a holding may be off before it is changed


@dataclass(frozen=True, slots=True)
class Thoughts:
    """What a team thinks of one symbol on one session."""

    symbol: Symbol
    price: Decimal | None  # dollars per share; None: there is no usable one
    score: float  # combined, in [-1, 1]
    better: tuple[Symbol, ...]  # tradable symbols with a higher score, in the order of the universe
    wanted: float  # share of equity
    held: float  # share of equity, open orders counted as filled
    quarantined: str  # why it is not traded; "" when it may be
    votes: tuple[str, ...]  # every member's reason, in the order of the team
    targets: Targets
    why_nobody: str  # why there are no votes; "" when there are some

    @property
    def verdict(self) -> str:
        """Why a signal follows, or none, in one clause."""
        if self.quarantined:
            return f"it is quarantined: {self.quarantined}"
        if self.price is None:
            return "it has no price on that session, and nobody trades on a price that is not known"
        if self.why_nobody:
            return self.why_nobody
        if self.wanted and self.held:
            return self._both()
        if self.wanted or self.held:
            return f"it is wanted at {self.wanted:.1%} of equity and held at {self.held:.1%}: that makes a signal"
        return self._unwanted()

    def _both(self) -> str:
        limit = float(self.targets.rebalance_threshold)
        sides = f"it is wanted at {self.wanted:.1%} of equity and held at {self.held:.1%}"
        if abs(self.wanted - self.held) <= limit + TIE:
            return f"{sides}: no further apart than strategy.rebalance_threshold ({limit:.1%})"
        return f"{sides}: that makes a signal"

    def _unwanted(self) -> str:
        least, most = self.targets.min_score, self.targets.max_candidates
        if round(self.score, 9) <= 0:
            return f"the votes come to {self.score:+.2f}, and only what is above 0 is wanted"
        if round(self.score, 9) < least:
            return f"the votes come to {self.score:+.2f}, less than strategy.min_score ({least:g})"
        if self.wanted == 0 and len(self.better) >= most:
            return f"{len(self.better)} others score higher, and strategy.max_candidates wants the best {most} only"
        return f"others with the same score of {self.score:+.2f} come before it, and only {most} are wanted"
