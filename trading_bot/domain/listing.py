"""What broker and exchange say about one stock at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """What may be done with a stock."""

    tradable: bool
    halted: bool = False
    fractionable: bool = False  # whether parts of a share are traded
    shortable: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """The best prices at which somebody would buy and sell."""

    bid: Decimal  # dollars a share
    ask: Decimal
    at: datetime  # aware, UTC

    @property
    def spread(self) -> Decimal:
        """How far apart they are, as a share of their middle."""
        return 2 * (self.ask - self.bid) / (self.ask + self.bid)
