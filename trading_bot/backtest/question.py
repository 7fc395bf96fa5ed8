"""What the engine with explicit terms is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading_bot.data.past import Past
from trading_bot.domain.backtest import Fingerprints, Terms
from trading_bot.strategies.manager import Targets
from trading_bot.strategies.voting import Member


@dataclass(frozen=True, slots=True, eq=False)
class LedgerQuestion:
    """A team, a past, and every rule of how its opinions become money."""

    past: Past  # the sessions to trade, and every bar from before them that is known
    team: tuple[Member, ...]
    targets: Targets  # for WEIGHTED sizing; ALL_IN does not look at them
    terms: Terms
    opening: Decimal  # dollars
    label: str
    fingerprints: Fingerprints
    settings: Mapping[str, str] = field(default_factory=dict[str, str])  # in words, to be shown with the result
