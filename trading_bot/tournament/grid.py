"""From lists of option values to candidates, and from candidates to portions of work."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trading_bot.domain.errors import OptionsClash, PluginError, SettingsError
from trading_bot.domain.ports import Strategy
from trading_bot.domain.tournament import Candidate

Build = Callable[[str, Mapping[str, Any]], Strategy]  # raises OptionsClash for those that do not go together

CELLS_A_SECOND = 40_000_000  # sessions × symbols × candidates scored in a second of CPU (benchmarks/tournament.py)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a grid comes to. Both in the order of the grid, the last option changing fastest."""

    candidates: tuple[Candidate, ...]
    refused: Mapping[str, str]  # label of a combination that the strategy refuses → why
    unused: tuple[str, ...] = ()  # values that are in no combination, in words


def expand(name: str, grid: Mapping[str, Sequence[Any]], build: Build) -> Expansion:
    """Combine every value of every option, and leave out what the strategy `name` refuses.

    An empty grid is the strategy with its default options; a combination that is listed twice counts once.

    Raises:
        SettingsError: an option lists no value, or one that is wrong whatever the others are; there is no such strategy
            or option; or the strategy refuses every combination.
    """
    for option, values in grid.items():
        if not values:
            raise SettingsError(f"The grid of {name} lists no value for {option!r}: give one, or leave it out.")
    combined = (Candidate(name, dict(zip(grid, values, strict=True))) for values in itertools.product(*grid.values()))
    accepted: dict[str, Candidate] = {}
    refused: dict[str, str] = {}
    for candidate in combined:
        try:
            build(candidate.name, candidate.options)
        except OptionsClash as refusal:
            refused[candidate.label] = str(refusal)
        except PluginError as wrong:  # no combination makes it right
            raise SettingsError(str(wrong)) from wrong
        else:
            accepted[candidate.label] = candidate
    if not accepted:
        why = "\n".join(dict.fromkeys(refused.values()))
        head = f"The grid of {name} has no combination that the strategy accepts:\n" if len(refused) > 1 else ""
        raise SettingsError(f"{head}{why}")
    found = tuple(accepted.values())
    return Expansion(found, refused, tuple(_unused(name, grid, found)))


def _unused(name: str, grid: Mapping[str, Sequence[Any]], found: Sequence[Candidate]) -> Iterator[str]:
    for option, values in grid.items():
        used = [candidate.options[option] for candidate in found]
        for value in values:
            if value not in used:
                yield f"{name} refuses {option}={value} in every combination of its grid"


def chunks(candidates: Sequence[Candidate], *, cells: int, seconds: float = 1.0) -> tuple[tuple[Candidate, ...], ...]:
    """Split candidates, in their order, into even portions of at most about `seconds` of CPU each.

    `cells` is how many bars one candidate looks at: sessions × symbols. Scores do not depend on the portions.
    """
    if not candidates:
        return ()
    most = max(1, int(CELLS_A_SECOND * seconds / max(cells, 1)))
    portions = -(-len(candidates) // most)
    bounds = [len(candidates) * portion // portions for portion in range(portions + 1)]
    return tuple(tuple(candidates[begin:end]) for begin, end in itertools.pairwise(bounds))
