"""By what a rotation decides."""

from __future__ import annotations

from dataclasses import dataclass

from trading_bot.domain.tournament import Criterion, Weighting


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """What decides, as in the settings of the rotation."""

    criterion: Criterion
    keep: int  # seats
    weighting: Weighting
    hysteresis: float  # in the unit of the score
    floor: float  # the least score of a member
